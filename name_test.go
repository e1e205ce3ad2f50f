package anypipe

import (
	"errors"
	"strings"
	"testing"
	"testing/quick"
)

func TestParseName(t *testing.T) {
	for _, tt := range []struct {
		in, server, pipe string
		err              error
	}{
		{"Test", ".", "Test", nil},
		{`\\.\pipe\Test`, ".", "Test", nil},
		{`\\.\PiPe\Test`, ".", "Test", nil},
		{"//./pipe/Test", ".", "Test", nil},
		{`\\?\pipe\a/b`, ".", "a/b", nil},
		{"npipe:////./pipe/docker_engine", ".", "docker_engine", nil},
		{"npipe:\\\\.\\pipe\\x", ".", "x", nil},
		{"pipe://./x/y", ".", `x\y`, nil},
		{"pipe://host/x", "host", "x", nil},
		{`\\localhost\pipe\x`, ".", "x", nil},
		{`\\server\pipe\dir\Test`, "server", `dir\Test`, nil},
		{"//server/pipe/dir/Test", "server", `dir\Test`, nil},
		{`dir\Test`, ".", `dir\Test`, nil},
		{"dir/Test", ".", `dir\Test`, nil},
		{"!\"#$%&'()*+,-.:;<=>?@[]^_{|}~`", ".", "!\"#$%&'()*+,-.:;<=>?@[]^_{|}~`", nil},
		{"", "", "", ErrNotExist},
		{`\\.\pipe\`, "", "", ErrInvalidName},
		{`\\.\pipe`, "", "", ErrInvalidName},
		{`\\\pipe\x`, "", "", ErrInvalidName},
		{`\\.\mailslot\x`, "", "", ErrInvalidName},
		{"/tmp/x.sock", "", "", ErrInvalidName},
		{`C:\x`, "", "", ErrInvalidName},
		{"a\x00b", "", "", ErrInvalidName},
		{"a\xffb", "", "", ErrInvalidName},
		{strings.Repeat("x", 247), ".", strings.Repeat("x", 247), nil},
		{strings.Repeat("x", 248), "", "", ErrNameTooLong},
	} {
		n, err := ParseName(tt.in)
		if n.Server != tt.server || n.Pipe != tt.pipe || (tt.err == nil) != (err == nil) {
			t.Errorf("ParseName(%q) = %+v, %v", tt.in, n, err)
		}
		if tt.err != nil && tt.err != ErrNotExist && !errors.Is(err, tt.err) {
			t.Errorf("ParseName(%q): %v, want %v", tt.in, err, tt.err)
		}
	}
}

// TestNameRoundTrip: what String prints, ParseName reads.
func TestNameRoundTrip(t *testing.T) {
	check := func(s string) bool {
		n, err := ParseName(s)
		if err != nil || strings.Contains(n.Pipe, "/") {
			return true
		}
		again, err := ParseName(n.String())
		return err == nil && again == n && again.Equal(n)
	}
	if err := quick.Check(check, nil); err != nil {
		t.Error(err)
	}
}

// FuzzParseName: no input panics, and accepted names are stable.
func FuzzParseName(f *testing.F) {
	for _, s := range []string{"Test", `\\.\pipe\x`, "//h/pipe/x", "npipe:////./pipe/x", "pipe://h/x", `\\?\pipe\a/b`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseName(s)
		if err != nil {
			if Win32Code(err) == 0 {
				t.Errorf("%q: no Win32 code in %v", s, err)
			}
			return
		}
		if strings.Contains(n.Pipe, "/") {
			return // only the untranslated prefix can say it
		}
		if again, err := ParseName(n.String()); err != nil || again != n {
			t.Errorf("%q: %+v became %+v, %v", s, n, again, err)
		}
	})
}

func TestEqualFolds(t *testing.T) {
	for _, pair := range [][2]string{{"Foo", "fOO"}, {"straße", "STRAßE"}, {"Ünder", "ünDER"}} {
		a, _ := ParseName(pair[0])
		b, _ := ParseName(pair[1])
		if !a.Equal(b) {
			t.Errorf("%q and %q differ", pair[0], pair[1])
		}
	}
}
