//go:build linux || darwin || freebsd

package local

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/sddl"
	"github.com/anypipe/anypipe/internal/winerr"
)

func TestLiveFile(t *testing.T) {
	l := liveFile{pid: 0x01020304, instances: 5, ticket: 0x1122334455667788}
	golden := []byte("APL1\x04\x03\x02\x01\x05\x00\x00\x00\x00\x00\x00\x00\x88\x77\x66\x55\x44\x33\x22\x11")
	if got := l.encode(); !bytes.Equal(got, golden) {
		t.Errorf("encoded %q", got)
	}
	if got, err := decodeLive(golden); err != nil || got != l {
		t.Errorf("decoded %+v, %v", got, err)
	}
	for n := range golden {
		if got, err := decodeLive(golden[:n]); err == nil {
			t.Errorf("cut at %d: %+v", n, got)
		}
	}
	if _, err := decodeLive(append([]byte("x"), golden[1:]...)); err == nil {
		t.Error("other magic taken")
	}
}

func FuzzDecodeLive(f *testing.F) {
	f.Add(liveFile{1, 2, 3}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, err := decodeLive(b); err == nil && l.instances > 1<<20 {
			t.Errorf("%+v", l)
		}
	})
}

func TestPipeFileRefuses(t *testing.T) {
	for text, want := range map[string]*winerr.Error{
		`{"version":2}`: winerr.NotSupported,
		`{"version":1,"max_instances":0,"default_timeout_ms":50}`:                                  winerr.InvalidParameter,
		`{"version":1,"max_instances":256,"default_timeout_ms":50}`:                                winerr.InvalidParameter,
		`{"version":1,"max_instances":1,"default_timeout_ms":0}`:                                   winerr.InvalidParameter,
		`{"version":1,"max_instances":1,"default_timeout_ms":50,"type":2}`:                         winerr.InvalidParameter,
		`{"version":1,"max_instances":1,"default_timeout_ms":50,"direction":3}`:                    winerr.InvalidParameter,
		`{"version":1,"max_instances":1,"default_timeout_ms":9223372036854775807,"name":"\u0000"}`: winerr.InvalidParameter,
	} {
		_, err := parsePipeFile([]byte(text))
		wants(t, text, err, want)
	}
}

func FuzzPipeFile(f *testing.F) {
	owner := sddl.UserSID(0)
	text, err := json.Marshal(newPipeFile(`dir\x`, config(), sddl.Default(owner, owner)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePipeFile(text)
		if err != nil {
			return
		}
		cfg := npfs.CreateConfig{Type: p.Type, Direction: p.Direction, MaxInstances: p.MaxInstances, DefaultTimeout: p.defaultTimeout()}
		if err := cfg.Check(); err != nil {
			t.Errorf("%s is taken, but no pipe can be like that: %v", text, err)
		}
	})
}
