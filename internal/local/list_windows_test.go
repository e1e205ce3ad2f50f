package local

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"unicode/utf16"

	"golang.org/x/sys/windows"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// entry makes a FILE_DIRECTORY_INFORMATION record; next is the offset of the following one.
func entry(name string, instances, limit uint32, next int) []byte {
	b := make([]byte, 64)
	units := utf16.Encode([]rune(name))
	binary.LittleEndian.PutUint32(b, uint32(next))
	binary.LittleEndian.PutUint64(b[40:], uint64(instances))
	binary.LittleEndian.PutUint64(b[48:], uint64(limit))
	binary.LittleEndian.PutUint32(b[60:], uint32(2*len(units)))
	for _, u := range units {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return append(b, make([]byte, max(0, next-len(b)))...)
}

func TestDirectoryEntries(t *testing.T) {
	b := append(entry("first", 3, 10, 80), entry("zwei\\ünd", 1, unlimited, 0)...)
	want := []npfs.PipeInfo{
		{Name: "first", Instances: 3, MaxInstances: 10, OwnerUID: -1},
		{Name: "zwei\\ünd", Instances: 1, MaxInstances: npfs.UnlimitedInstances, OwnerUID: -1},
	}
	got := appendEntries(nil, b)
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i := range want {
		if got[i].Name != want[i].Name || got[i].Instances != want[i].Instances || got[i].MaxInstances != want[i].MaxInstances || got[i].OwnerUID != -1 {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
	for cut := range b { // never reads beyond what it was given
		appendEntries(nil, b[:cut:cut])
	}
}

// A system without a listing of pipes says so; any other lists what exists.
func TestListing(t *testing.T) {
	in, _ := pair(t, npfs.CreateConfig{InQuota: 100, OutQuota: 100})
	pipes, err := List(context.Background())
	if underWine() && errors.Is(err, winerr.NotSupported) {
		t.Logf("Wine: %v", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pipes {
		if p.Name == in.pipe {
			if p.Instances != 1 || p.MaxInstances != npfs.UnlimitedInstances {
				t.Errorf("%+v", p)
			}
			return
		}
	}
	t.Errorf("%s is not among %d pipes", in.pipe, len(pipes))
}

// Conditions that share a Win32 number keep their own identity, and what pipes don't know keeps its number.
func TestConditions(t *testing.T) {
	for status, want := range map[windows.NTStatus]*winerr.Error{
		windows.STATUS_INSTANCE_NOT_AVAILABLE: winerr.InstanceLimit,
		windows.STATUS_PIPE_NOT_AVAILABLE:     winerr.PipeNotAvailable,
		windows.STATUS_PIPE_BUSY:              winerr.PipeBusy,
		windows.STATUS_PIPE_CLOSING:           winerr.NoData,
		windows.STATUS_PIPE_EMPTY:             winerr.PipeEmpty,
		windows.STATUS_INVALID_READ_MODE:      winerr.BadPipe,
	} {
		if got := condition(status); got != want {
			t.Errorf("%v: got %v, want %v", status, got, want)
		}
	}
	if err := condition(windows.STATUS_NO_MEMORY); !errors.Is(err, windows.ERROR_NOT_ENOUGH_MEMORY) {
		t.Errorf("got %v", err)
	}
}
