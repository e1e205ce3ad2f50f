package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/anypipe/anypipe"
)

func TestExitCode(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, exitOK},
		{errors.New("any"), exitOther},
		{usagef("wrong"), exitUsage},
		{fmt.Errorf("x: %w", anypipe.ErrInvalidName), exitUsage},
		{anypipe.ErrNameTooLong, exitUsage},
		{anypipe.ErrInvalidParameter, exitUsage},
		{anypipe.ErrNotExist, exitNotFound},
		{os.ErrNotExist, exitOther}, // a file of --exec, not a pipe
		{anypipe.ErrPipeBusy, exitBusy},
		{anypipe.ErrTimeout, exitTimeout},
		{os.ErrDeadlineExceeded, exitTimeout},
		{context.DeadlineExceeded, exitTimeout},
		{anypipe.ErrAccessDenied, exitDenied},
		{anypipe.ErrBrokenPipe, exitBroken},
		{anypipe.ErrNoData, exitBroken},
		{anypipe.ErrNotConnected, exitBroken},
		{io.EOF, exitBroken},
		{anypipe.ErrMoreData, exitTooLarge},
		{anypipe.ErrBadPipe, exitOther},
	} {
		if got := exitCode(test.err); got != test.want {
			t.Errorf("exitCode(%v) = %d, want %d", test.err, got, test.want)
		}
	}
	if _, err := anypipe.ParseName(""); exitCode(err) != exitUsage {
		t.Errorf("an empty name gives %d", exitCode(err))
	}
}

func TestMatcher(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "x", true}, {"*", `dir\x`, true}, {"D*", "docker", true}, {"d?c*", "DOCKER", true}, {"doc", "docker", false},
		{"//./pipe/doc*", "docker", true}, {`dir/*`, `dir\x`, true}, {"a.b", "aXb", false}, {"[x]", "[x]", true}, {"(", "(", true},
	} {
		if got := matcher(test.pattern)(test.name); got != test.want {
			t.Errorf("%q matches %q: %v", test.pattern, test.name, got)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "Füße 漢": "Füße 漢", "\x1b[31mred": `\x1b[31mred`, "a\nb": `a\nb`, "\u202e": `\u202e`, "a\x00": `a\x00`,
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
	if got, want := printableText([]byte("a\tb\r\n\x1b]0;x\a\n")), "a\tb\n\\x1b]0;x\\a\n"; got != want {
		t.Errorf("printableText gives %q, want %q", got, want)
	}
}

func split(t *testing.T, f framing, r io.Reader) (items []string) {
	t.Helper()
	err := f.split(r, func(item []byte) error {
		items = append(items, string(item))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"":              nil,
		"\n":            {""},
		"a":             {"a"},
		"a\n":           {"a"},
		"a\n\nb":        {"a", "", "b"},
		"a\r\nb\r\r\nc": {"a", "b\r", "c"},
	} {
		if got := split(t, lines, iotest.OneByteReader(strings.NewReader(text))); !slices.Equal(got, want) {
			t.Errorf("lines of %q: %q, want %q", text, got, want)
		}
		if got := split(t, whole, strings.NewReader(text)); !slices.Equal(got, []string{text}) {
			t.Errorf("whole of %q: %q", text, got)
		}
		if got := strings.Join(split(t, raw, strings.NewReader(text)), ""); got != text {
			t.Errorf("raw of %q: %q", text, got)
		}
	}
	long := strings.Repeat("x", 5*chunk)
	if got := split(t, lines, strings.NewReader(long+"\nend")); !slices.Equal(got, []string{long, "end"}) {
		t.Errorf("a line longer than the buffer was cut: %d items", len(got))
	}
	broken := errors.New("broken")
	for _, f := range []framing{raw, lines, whole} {
		if err := f.split(iotest.ErrReader(broken), func([]byte) error { return nil }); !errors.Is(err, broken) {
			t.Errorf("framing %d: the reader's error became %v", f, err)
		}
		if err := f.split(strings.NewReader("x\n"), func([]byte) error { return broken }); !errors.Is(err, broken) {
			t.Errorf("framing %d: the receiver's error became %v", f, err)
		}
	}
}

func TestHistogram(t *testing.T) {
	for _, d := range []time.Duration{0, 1, 63, 64, 65, 127, 128, 1000, 123456, time.Second, time.Hour, 1<<63 - 1} {
		b := bucketOf(d)
		low := lowest(b)
		if low > d || float64(d-low) > float64(d)/subBuckets {
			t.Errorf("%d is in bucket %d, which begins at %d", d, b, low)
		}
		if b+1 < len(histogram{}.buckets) && d < 1<<62 && lowest(b+1) <= d {
			t.Errorf("%d is in bucket %d, but the next begins at %d", d, b, lowest(b+1))
		}
	}
	var h histogram
	if h.quantile(.5) != 0 || h.mean() != 0 {
		t.Error("an empty histogram is not 0")
	}
	for i := 1; i <= 1000; i++ {
		h.add(time.Duration(i) * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{.5: 501 * time.Microsecond, .99: 991 * time.Microsecond, 1: time.Millisecond} {
		if got := h.quantile(q); got > want || float64(want-got) > float64(want)/subBuckets {
			t.Errorf("quantile %v is %v, want about %v", q, got, want)
		}
	}
	if h.mean() != 500500 {
		t.Errorf("mean %v", h.mean())
	}
}

// A stdout whose reader left is no error; another failure of stdout is.
func TestBrokenOutput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"version"}, strings.NewReader(""), w, &stderr); code != exitOK || stderr.Len() > 0 {
		t.Errorf("exit code %d, stderr %q", code, &stderr)
	}
	full := writerFunc(func([]byte) (int, error) { return 0, errors.New("disk full") })
	if code := run(t.Context(), []string{"version"}, strings.NewReader(""), full, &stderr); code != exitOther {
		t.Errorf("a full disk gives exit code %d", code)
	}
	if !strings.Contains(stderr.String(), "anypipe: disk full") {
		t.Errorf("stderr %q", &stderr)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
