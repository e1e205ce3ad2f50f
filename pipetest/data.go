package pipetest

import (
	"fmt"
	"strconv"
	"strings"
)

// maxData bounds what one data expression may expand to, so that a mistyped script is an error and not a full memory.
const maxData = 64 << 20

// Data is a data expression: strings, each repeated, one behind the other. It stays unexpanded until an agent needs the bytes.
type Data []Part

// Part is one string of a data expression.
type Part struct {
	Text  string
	Times int
}

// Bytes expands the expression.
func (d Data) Bytes() []byte {
	out := []byte{}
	for _, p := range d {
		out = append(out, strings.Repeat(p.Text, p.Times)...)
	}
	return out
}

// String writes the expression as a script does.
func (d Data) String() string {
	parts := make([]string, len(d))
	for i, p := range d {
		parts[i] = strconv.Quote(p.Text)
		if p.Times != 1 {
			parts[i] += "*" + strconv.Itoa(p.Times)
		}
	}
	return strings.Join(parts, "+")
}

// cutData parses the data expression that s begins with and returns what follows it.
func cutData(s string) (d Data, rest string, err error) {
	total := 0
	for {
		part, after, err := cutPart(s)
		if err != nil {
			return nil, "", err
		}
		if total += len(part.Text) * part.Times; total > maxData {
			return nil, "", fmt.Errorf("data of more than %d bytes", maxData)
		}
		d = append(d, part)
		next, more := strings.CutPrefix(after, "+")
		if !more {
			return d, after, nil
		}
		s = next
	}
}

// cutPart parses one string with its optional repetition: "x" or "x"*5000.
func cutPart(s string) (p Part, rest string, err error) {
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil || quoted[0] != '"' {
		return p, "", fmt.Errorf("%q is not a string in double quotes", s)
	}
	p.Text, err = strconv.Unquote(quoted)
	if err != nil {
		return p, "", err
	}
	p.Times, s = 1, s[len(quoted):]
	count, repeated := strings.CutPrefix(s, "*")
	if !repeated {
		return p, s, nil
	}
	digits := len(count) - len(strings.TrimLeft(count, "0123456789"))
	p.Times, err = strconv.Atoi(count[:digits])
	if err != nil || p.Times > maxData {
		return p, "", fmt.Errorf("%q: behind * stands a count up to %d", s, maxData)
	}
	return p, count[digits:], nil
}

// word is one piece of a line: a bare word, key=value, or a data expression.
type word struct {
	key   string // of key=value
	value string // of key=value, or the bare word
	data  Data   // of a data expression, else nil
}

// splitWords cuts a line into words. Double quotes are special only at the start of a word or of a value, so that pipe names
// can hold them.
func splitWords(line string) ([]word, error) {
	var words []word
	for {
		line = strings.TrimLeft(line, " \t")
		if line == "" {
			return words, nil
		}
		w, rest, err := cutWord(line)
		if err != nil {
			return nil, err
		}
		if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
			return nil, fmt.Errorf("%q follows a string without a blank", rest)
		}
		words, line = append(words, w), rest
	}
}

func cutWord(line string) (w word, rest string, err error) {
	if line[0] == '"' {
		w.data, rest, err = cutData(line)
		return w, rest, err
	}
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		end = len(line)
	}
	w.value = line[:end]
	key, value, ok := strings.Cut(w.value, "=")
	if !ok || !isLower(key) {
		return w, line[end:], nil
	}
	w.key, w.value = key, value
	if !strings.HasPrefix(value, `"`) {
		return w, line[end:], nil
	}
	p, rest, err := cutPart(line[len(key)+1:])
	w.value = strings.Repeat(p.Text, p.Times)
	return w, rest, err
}

// isLower reports whether s is one or more lower-case letters and digits, beginning with a letter.
func isLower(s string) bool {
	for i, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
