package pipetest

import (
	"flag"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/anypipe/anypipe/testdata/semantics"
)

// local is this machine's pipes.
func local() Backend {
	b := Backend{Name: "local", Traits: systemTraits()}
	if runtime.GOOS == "windows" {
		return b
	}
	if os.Geteuid() != 0 {
		b.Traits = append(b.Traits, "unprivileged")
	}
	b.Traits = append(b.Traits, "unix")
	return b
}

func TestMain(m *testing.M) { Main(m, local()) }

func TestLocal(t *testing.T) {
	sum := Run(t, local())
	leftOut, err := LeftOut(semantics.Scripts)
	if err != nil {
		t.Fatal(err)
	}
	whole := flag.Lookup("test.run").Value.String() == ""
	if want := Cases - len(leftOut); whole && sum.Cases != want {
		t.Errorf("%d cases ran, %d are scripted", sum.Cases, want)
	}
}

// A case whose script says something wrong must fail: in the result, in data, in what pends, and in what is left over.
func TestWrongExpectationsFail(t *testing.T) {
	b := local()
	s := &suite{backend: &b, unique: "wrong"}
	here := startHere(&b)
	t.Cleanup(func() { closeLink(t, here) })
	for script, want := range map[string]string{
		"S create -> 5": "want error 5, got ok",
		"C open":        "want ok, got error 2",
		"S create\nC open\nS info -> state=LISTENING":          "want state=LISTENING",
		"S create\nC open\nS write \"a\"\nC read 9 -> \"b\"":   `want data "b"`,
		"S create\nC open\n&w S write \"a\"\nw pends\nw -> ok": "not blocked but finished",
		"S create\nS create": "has an open end already",
		"S connect":          "has no instance",
	} {
		cases, err := ParseScript("wrong", "case 1: wrong\n"+script)
		if err != nil {
			t.Fatal(err)
		}
		err = s.play(t.Context(), &cases[0], cases[0].Steps, "", &agents{servers: here, clients: here, mode: "w"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", script, err, want)
		}
	}
}

// An agent that dies fails the case with what it said, instead of leaving it waiting.
func TestDeadAgent(t *testing.T) {
	b := local()
	l, err := startProcess(&b)
	if err != nil {
		t.Fatal(err)
	}
	l.kill()
	if _, err := l.call(t.Context(), request{Do: "end", Scope: "x"}); err == nil || !strings.Contains(err.Error(), "agent is gone") {
		t.Errorf("got %v", err)
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
	unknown, err := startProcess(&Backend{Name: "unknown"})
	if err != nil {
		t.Fatal(err)
	}
	if err := unknown.close(); err == nil || !strings.Contains(err.Error(), `the backend "unknown"`) {
		t.Errorf("got %v", err)
	}
}
