package anypipe_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/anypipe/anypipe"
)

func TestPipe(t *testing.T) {
	r, w, err := anypipe.Pipe(0)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := r.Info(); err != nil || info.InQuota != 4096 || info.OutQuota != 4096 || info.MaxInstances != 1 || !info.Server {
		t.Errorf("read end: %+v, %v", info, err) // case 40
	}
	if _, err := r.Write([]byte("x")); !errors.Is(err, anypipe.ErrAccessDenied) {
		t.Errorf("write to the read end: %v", err)
	}
	if _, err := w.Read(make([]byte, 1)); !errors.Is(err, anypipe.ErrAccessDenied) {
		t.Errorf("read from the write end: %v", err)
	}
	big := strings.Repeat("0123456789", 100_000)
	go func() {
		io.WriteString(w, big)
		w.Close()
	}()
	got, err := io.ReadAll(r)
	if string(got) != big || err != nil {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	r.Close()
}

// shoutVariable in the environment makes the test binary a filter that writes its input in capitals.
const shoutVariable = "ANYPIPE_TEST_SHOUT"

// shout is main of the filter.
func shout() int {
	in, err := io.ReadAll(os.Stdin)
	if err == nil {
		_, err = os.Stdout.Write(bytes.ToUpper(in))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func TestSpawn(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), shoutVariable+"=1")
	c, err := anypipe.Spawn(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "named pipes"); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if string(got) != "NAMED PIPES" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
