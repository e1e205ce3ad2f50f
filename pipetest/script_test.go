package pipetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/anypipe/anypipe/testdata/semantics"
)

func TestEveryCaseHasOnePlace(t *testing.T) {
	if err := CheckCoverage(semantics.Scripts); err != nil {
		t.Fatal(err)
	}
}

func TestParseScript(t *testing.T) {
	cases, err := ParseScript("message", `
# a comment
case 104 ⚠: two halves: of one
with $T byte message
S create type=$T in=100 name=\\.\pipe\a"b=c
&r C read 4
r pends
r -> 234 "ab"+"x"*3 n=5
W wait 10ms -> 121

except smb: it differs
C open -> 2
`)
	if err != nil {
		t.Fatal(err)
	}
	c := cases[0]
	if len(cases) != 1 || c.Number != 104 || !c.Doubtful || c.Title != "two halves: of one" || c.Section != "message" ||
		c.Variable != "$T" || !slices.Equal(c.Values, []string{"byte", "message"}) || len(c.Steps) != 5 {
		t.Fatalf("got %+v", cases)
	}
	if o := c.Steps[0].Call.Opts; o["type"] != "$T" || o["in"] != "100" || o["name"] != `\\.\pipe\a"b=c` {
		t.Errorf("options %q", o)
	}
	if s := c.Steps[1]; s.Kind != StartStep || s.Label != "r" || s.Actor != "C" || s.Call.Verb != "read" || s.Line != 6 {
		t.Errorf("start: %+v", s)
	}
	if s := c.Steps[3]; s.Kind != AwaitStep || s.Want.Code != 234 || string(s.Want.Data.Bytes()) != "abxxx" || s.Want.Fields["n"] != "5" {
		t.Errorf("await: %+v", s)
	}
	if x := c.Exceptions; len(x) != 1 || x[0].Backend != "smb" || x[0].Reason != "it differs" || len(x[0].Steps) != 1 {
		t.Errorf("exceptions: %+v", x)
	}
}

func TestParseScriptRefuses(t *testing.T) {
	for script, want := range map[string]string{
		"S create":                                 "begins with a line case",
		"case 0: x\nS create":                      "number from 1 to",
		"case 233: x\nS create":                    "number from 1 to",
		"case 1 x\nS create":                       "number from 1 to",
		"case 1: x":                                "no steps",
		"case 1: x\nX create":                      "no actor",
		"case 1: x\nS jump":                        "unknown verb",
		"case 1: x\nC create":                      "only server ends",
		"case 1: x\nS open":                        "only client ends",
		"case 1: x\nS create colour=red":           "no option",
		"case 1: x\nS create quickly":              "no word",
		"case 1: x\nS read many -> \"x\"":          "one number",
		"case 1: x\nS read 4":                      "say what read gives",
		"case 1: x\nS write":                       "data in quotes",
		"case 1: x\nS write \"a\" \"b\"":           "join them",
		"case 1: x\nS write \"a":                   "double quotes",
		"case 1: x\nS write \"a\"b":                "without a blank",
		"case 1: x\nS write \"a\"*x":               "count",
		"case 1: x\nS write \"ab\"*60000000":       "more than",
		"case 1: x\nS flush ->":                    "nothing is expected",
		"case 1: x\nS flush -> good":               "neither ok",
		"case 1: x\nS flush -> -5":                 "neither ok",
		"case 1: x\n&r S flush":                    "nothing waits for",
		"case 1: x\n&r S flush -> ok":              "LABEL ->",
		"case 1: x\nr pends":                       "no operation r",
		"case 1: x\n&r S flush\n&r S flush":        "is taken",
		"case 1: x\n&r S flush\nr -> ok\nr cancel": "no operation r",
		"case 1: x\n&r S flush\nr sleeps":          "want LABEL pends",
		"case 1: x\nS flush\nwith $T a":            "before the first step",
		"case 1: x\nexcept smb\nS flush":           "except BACKEND",
	} {
		_, err := ParseScript("x", script)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", script, err, want)
		}
	}
}

// A result is compared in every way that a script can state it.
func TestWantCheck(t *testing.T) {
	step := func(line string) Step {
		s, err := parseStep(line)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	read := func(code int, data, n string) Result {
		return Result{Code: code, Data: []byte(data), Fields: map[string]string{"n": n}}
	}
	for _, c := range []struct {
		line string
		got  Result
		ok   bool
	}{
		{`C read 4 -> "ab"`, read(0, "ab", "2"), true},
		{`C read 4 -> "ab"`, read(0, "ac", "2"), false},
		{`C read 4 -> "ab"`, read(0, "abc", "3"), false},
		{`C read 4 -> "ab"`, read(234, "ab", "2"), false},
		{`C read 4 -> 234 "ab"`, read(0, "ab", "2"), false},
		{`C read 4 -> n=2`, read(0, "ab", "2"), true},
		{`C read 4 -> n=2`, read(0, "abc", "3"), false},
		{`C read 4 -> ok`, read(0, "ab", "2"), false},
		{`C read 4 -> 109`, read(109, "", "0"), true},
		{`C read 4 -> 109`, read(109, "ab", "2"), false},
		{`C read 4 -> 109`, read(-1, "", "0"), false},
		{`C write "ab"`, Result{Fields: map[string]string{"n": "2"}}, true},
		{`C write "ab"`, Result{Fields: map[string]string{"n": "1"}}, false},
		{`C write "ab"`, Result{Code: -1, Error: "no number", Fields: map[string]string{"n": "2"}}, false},
		{`C write "ab" -> n=0`, Result{Fields: map[string]string{"n": "0"}}, true},
		{`C write "ab" -> 995 n=1`, Result{Code: 995, Fields: map[string]string{"n": "1"}}, true},
		{`C peek 4 -> left=-4`, Result{Fields: map[string]string{"left": "-4"}}, true},
		{`C peek 4 -> left=-4`, Result{Fields: map[string]string{"left": "0"}}, false},
		{`C peek 4 -> colour=red`, Result{Fields: map[string]string{"left": "0"}}, false},
		{`C open`, Result{Code: 231}, false},
		{`C open -> 231`, Result{Code: 231}, true},
	} {
		s := step(c.line)
		if err := s.Want.check(&s.Call, &c.got); (err == nil) != c.ok {
			t.Errorf("%s with %s: got %v", c.line, c.got.describe(), err)
		}
	}
}

func FuzzParseScript(f *testing.F) {
	f.Add("case 104 ⚠: x\nwith $T a b\nS create type=$T\n&r C read 4\nr pends\nr -> \"a\"*3+\"b\" 234 n=5\nexcept smb: y\nC open -> 2\n")
	f.Add("case 1: x\nS create name=\"\" -> 3\nC kill\n")
	f.Fuzz(func(t *testing.T, text string) {
		cases, err := ParseScript("fuzz", text)
		if err != nil {
			return
		}
		for _, c := range cases {
			if c.Number < 1 || c.Number > Cases || len(c.Steps) == 0 {
				t.Fatalf("accepted %+v", c)
			}
			for _, s := range c.Steps {
				if s.Kind == RunStep && verbs[s.Call.Verb].run == nil && s.Call.Verb != "kill" {
					t.Fatalf("accepted the verb of %+v", s)
				}
			}
		}
	})
}
