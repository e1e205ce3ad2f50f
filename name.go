package anypipe

import (
	"fmt"
	"os"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// MaxName is the longest whole name, `\\.\pipe\` included, in UTF-16 units.
const MaxName = 256

// Name is a parsed pipe name. It is a [net.Addr] whose network is "pipe".
type Name struct {
	// Server is "." for this machine, else the other machine's name as written.
	Server string
	// Pipe is the part after `\pipe\`, backslashes as separators, in its original spelling.
	Pipe string
}

// ParseName parses a pipe name. These are the same pipe:
//
//	Test   \\.\pipe\Test   //./pipe/Test   \\?\pipe\Test   npipe:////./pipe/Test   pipe://./Test
//
// Forward slashes stand for backslashes everywhere except behind `\\?\`. A server of ".", "localhost" or this
// machine's host name is this machine. The pipe part may hold every character but NUL; it is compared without
// regard to case. See "Pipe Names" in the Win32 documentation.
//
// The error is [ErrInvalidName] or [ErrNameTooLong] and says what was wrong.
func ParseName(s string) (Name, error) {
	server, pipe, err := splitName(s)
	if err != nil {
		return Name{}, err
	}
	n := Name{Server: foldServer(server), Pipe: pipe}
	switch {
	case pipe == "":
		return Name{}, fmt.Errorf("%q has no name behind the pipe prefix: %w", s, winerr.InvalidName)
	case strings.ContainsRune(pipe, 0):
		return Name{}, fmt.Errorf("%q holds a NUL character: %w", s, winerr.InvalidName)
	case !utf8.ValidString(pipe):
		return Name{}, fmt.Errorf("%q is not valid UTF-8: %w", s, winerr.InvalidName)
	}
	if units := len(utf16.Encode([]rune(n.String()))); units > MaxName {
		return Name{}, fmt.Errorf("%d characters with the prefix: %w", units, winerr.FilenameTooLong)
	}
	return n, nil
}

// splitName cuts s into server and pipe part.
func splitName(s string) (server, pipe string, err error) {
	if s == "" {
		return "", "", fmt.Errorf("empty name: %w", winerr.PathNotFound)
	}
	if rest, ok := strings.CutPrefix(s, `\\?\`); ok { // no translation of slashes behind this prefix
		if pipe, ok := cutPipe(rest, `\`); ok {
			return ".", pipe, nil
		}
		return "", "", fmt.Errorf(`%q does not continue with pipe\NAME: %w`, s, winerr.InvalidName)
	}
	if rest, ok := cutPrefixFold(s, "pipe://"); ok {
		server, pipe, _ = strings.Cut(rest, "/")
		return server, backslashes(pipe), checkServer(s, server)
	}
	if rest, ok := cutPrefixFold(s, "npipe:"); ok {
		s = "//" + strings.TrimLeft(rest, `/\`)
	}
	t := backslashes(s)
	rest, unc := strings.CutPrefix(t, `\\`)
	if !unc {
		return ".", t, checkBare(s, t)
	}
	server, rest, _ = strings.Cut(rest, `\`)
	pipe, ok := cutPipe(rest, `\`)
	if !ok {
		return "", "", fmt.Errorf(`%q is not of the form \\server\pipe\NAME: %w`, s, winerr.InvalidName)
	}
	return server, pipe, checkServer(s, server)
}

// checkBare refuses a name without prefix that looks like a file path, which is nearly always a mistake.
func checkBare(original, name string) error {
	if strings.HasPrefix(name, `\`) || (len(name) > 2 && name[1] == ':' && name[2] == '\\') {
		return fmt.Errorf(`%q is a path; a pipe is NAME or \\.\pipe\NAME: %w`, original, winerr.InvalidName)
	}
	return nil
}

func checkServer(original, server string) error {
	if server == "" {
		return fmt.Errorf("%q names no server (use . for this machine): %w", original, winerr.InvalidName)
	}
	return nil
}

// cutPipe removes the fixed word pipe and a separator, in any case.
func cutPipe(s, sep string) (string, bool) { return cutPrefixFold(s, "pipe"+sep) }

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func backslashes(s string) string { return strings.ReplaceAll(s, "/", `\`) }

// foldServer turns the spellings of this machine into ".".
func foldServer(server string) string {
	if server == "." || server == "?" || strings.EqualFold(server, "localhost") {
		return "."
	}
	if host, err := os.Hostname(); err == nil && strings.EqualFold(server, host) {
		return "."
	}
	return server
}

// IsLocal reports whether the name is on this machine.
func (n Name) IsLocal() bool { return n.Server == "." }

// Equal reports whether both names mean the same pipe.
func (n Name) Equal(other Name) bool {
	return strings.EqualFold(n.Server, other.Server) && npfs.FoldName(n.Pipe) == npfs.FoldName(other.Pipe)
}

// Network returns "pipe".
func (n Name) Network() string { return "pipe" }

// String returns the Windows form, `\\.\pipe\Test`.
func (n Name) String() string { return `\\` + n.Server + `\pipe\` + n.Pipe }
