package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// output is stdout. It marks its errors, so that a reader who left (`anypipe ls | head`) is told from a broken pipe of ours.
type output struct{ w io.Writer }

// outputError is a failure of stdout, whatever else fails with the same code.
type outputError struct{ error }

func (e outputError) Unwrap() error { return e.error }

// Write writes all of p or returns an outputError.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil {
		err = outputError{err}
	}
	return n, err
}

// isBrokenOutput reports whether whoever read our stdout is gone, which is no error.
func isBrokenOutput(err error) bool {
	var out outputError
	return errors.As(err, &out) && readerGone(out.error)
}

// printJSON writes v as one indented document.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// The colours, as ECMA-48 select-graphic-rendition parameters.
const (
	red  = "31"
	bold = "1"
	dim  = "2"
)

// paint colours s if stream wants colour.
func (a *app) paint(stream any, color, s string) string {
	if !a.colored(stream) {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

// colored follows no-color.org; --color outranks the environment.
func (a *app) colored(stream any) bool {
	switch a.color {
	case "always":
		return true
	case "auto":
		f := terminal(stream)
		return f != nil && understandsEscapes(f) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	return false
}

// printable makes a name that others chose safe for a terminal: control characters are escaped.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// printableText is printable for text of several lines, as a peer sends it.
func printableText(p []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(p)) {
		text, ended := strings.CutSuffix(line, "\n")
		parts := strings.Split(strings.TrimSuffix(text, "\r"), "\t")
		for i := range parts {
			parts[i] = printable(parts[i])
		}
		b.WriteString(strings.Join(parts, "\t"))
		if ended {
			b.WriteByte('\n')
		}
	}
	return b.String()
}
