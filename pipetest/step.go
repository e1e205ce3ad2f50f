package pipetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// parseStep parses one line of a case; doc.go has the grammar.
func parseStep(line string) (s Step, err error) {
	words, err := splitWords(line)
	if err != nil {
		return s, err
	}
	arrow := slices.IndexFunc(words, func(w word) bool { return w.key == "" && w.value == "->" })
	left, wants := words, []word(nil)
	if arrow >= 0 {
		left, wants = words[:arrow], words[arrow+1:]
		if len(wants) == 0 {
			return s, fmt.Errorf("nothing is expected behind ->")
		}
	}
	if s.Want, err = parseWant(wants); err != nil {
		return s, err
	}
	if left, err = s.parseSubject(left, arrow >= 0); err != nil || s.Actor == "" {
		return s, err
	}
	if s.Kind == StartStep && arrow >= 0 {
		return s, fmt.Errorf("the result of a background operation is checked with LABEL -> …")
	}
	if err := s.Call.parse(left); err != nil {
		return s, err
	}
	return s, s.checkVerb(arrow >= 0)
}

// parseSubject parses the start of a line, ACTOR, &LABEL ACTOR or LABEL with what is done to it, and returns what follows an
// actor. Actor stays empty for the lines that only name a label.
func (s *Step) parseSubject(words []word, arrow bool) ([]word, error) {
	if len(words) == 0 || words[0].key != "" || words[0].data != nil {
		return nil, fmt.Errorf("a step begins with an actor or a label")
	}
	first, rest := words[0].value, words[1:]
	if isLower(first) {
		s.Label = first
		return nil, s.parseLabelLine(rest, arrow)
	}
	if label, ok := strings.CutPrefix(first, "&"); ok {
		if !isLower(label) || len(rest) == 0 {
			return nil, fmt.Errorf("want &LABEL ACTOR VERB, the label in lower case")
		}
		s.Kind, s.Label, first, rest = StartStep, label, rest[0].value, rest[1:]
	}
	if !isActor(first) {
		return nil, fmt.Errorf("%q is no actor: want S, C or W and a number", first)
	}
	s.Actor = first
	return rest, nil
}

func (s *Step) parseLabelLine(rest []word, arrow bool) error {
	switch {
	case len(rest) == 0 && arrow:
		s.Kind = AwaitStep
	case len(rest) == 1 && rest[0].value == "pends" && !arrow:
		s.Kind = PendsStep
	case len(rest) == 1 && rest[0].value == "cancel" && !arrow:
		s.Kind = CancelStep
	default:
		return fmt.Errorf("want LABEL pends, LABEL cancel or LABEL -> RESULT")
	}
	return nil
}

// isActor reports whether s is S (a server end), C (a client end) or W (a waiter), with an optional number.
func isActor(s string) bool {
	return s != "" && strings.Contains("SCW", s[:1]) && strings.Trim(s[1:], "0123456789") == ""
}

// isServer reports whether the actor is a server end.
func isServer(actor string) bool { return strings.HasPrefix(actor, "S") }

func (c *Call) parse(words []word) error {
	if len(words) == 0 || !isLower(words[0].value) || words[0].key != "" {
		return fmt.Errorf("no verb")
	}
	c.Verb = words[0].value
	for _, w := range words[1:] {
		switch {
		case w.data != nil && c.Data != nil:
			return fmt.Errorf("two data expressions; join them with +")
		case w.data != nil:
			c.Data = w.data
		case w.key != "":
			if c.Opts == nil {
				c.Opts = make(map[string]string)
			}
			c.Opts[w.key] = w.value
		default:
			c.Words = append(c.Words, w.value)
		}
	}
	return nil
}

// checkVerb checks the arguments against the verb's, and that a read says what is read.
func (s *Step) checkVerb(arrow bool) error {
	v, ok := verbs[s.Call.Verb]
	switch {
	case !ok:
		return fmt.Errorf("unknown verb %q", s.Call.Verb)
	case v.server && !isServer(s.Actor):
		return fmt.Errorf("only server ends can %s", s.Call.Verb)
	case v.client && isServer(s.Actor):
		return fmt.Errorf("only client ends can %s", s.Call.Verb)
	case v.data != (s.Call.Data != nil):
		return fmt.Errorf("%s: data in quotes is missing or too much", s.Call.Verb)
	case v.number && (len(s.Call.Words) != 1 || !isNumber(s.Call.Words[0])):
		return fmt.Errorf("%s wants one number", s.Call.Verb)
	case v.yields && s.Kind == RunStep && !arrow:
		return fmt.Errorf("say what %s gives, with ->", s.Call.Verb)
	}
	for key := range s.Call.Opts {
		if !slices.Contains(v.opts, key) {
			return fmt.Errorf("%s knows no option %q, only %v", s.Call.Verb, key, v.opts)
		}
	}
	for _, w := range s.Call.Words {
		if !v.number && !v.free && !slices.Contains(v.flags, w) {
			return fmt.Errorf("%s knows no word %q, only %v", s.Call.Verb, w, v.flags)
		}
	}
	return nil
}

func isNumber(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// parseWant parses what stands behind the arrow: ok or a Win32 number, data, and key=value in any order.
func parseWant(words []word) (w Want, err error) {
	for _, x := range words {
		switch {
		case x.data != nil && w.Data != nil:
			return w, fmt.Errorf("two data expressions; join them with +")
		case x.data != nil:
			w.Data = x.data
		case x.key != "":
			if w.Fields == nil {
				w.Fields = make(map[string]string)
			}
			w.Fields[x.key] = x.value
		case x.value == "ok":
		default:
			if w.Code, err = strconv.Atoi(x.value); err != nil || w.Code <= 0 {
				return w, fmt.Errorf("%q is neither ok, a Win32 error number, data nor key=value", x.value)
			}
		}
	}
	return w, nil
}
