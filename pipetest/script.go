package pipetest

import (
	"bufio"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Cases is how many conformance cases are numbered; see the semantics reference.
const Cases = 232

// Case is one numbered case of a script.
type Case struct {
	Number     int
	Title      string
	Doubtful   bool   // the sources disagree or nobody measured it (⚠)
	Section    string // the script's file name without extension
	Line       int
	Variable   string   // of a "with" line: the case runs once for each value
	Values     []string // of Variable
	Steps      []Step
	Exceptions []Exception
}

// Exception is what a backend that is known to differ does instead of a case's steps.
type Exception struct {
	Backend string // a backend's name or one of its traits
	Reason  string
	Steps   []Step // none: the backend can't run the case at all
}

// Kind says what a step does.
type Kind int

// The kinds of steps.
const (
	RunStep    Kind = iota // ACTOR VERB … : run the operation and check its result
	StartStep              // &LABEL ACTOR VERB … : start it in the background
	PendsStep              // LABEL pends: it is blocked
	AwaitStep              // LABEL -> … : wait for its result and check it
	CancelStep             // LABEL cancel: cancel it
)

// Step is one line of a case.
type Step struct {
	Line  int
	Text  string
	Kind  Kind
	Label string // of the background operation
	Actor string
	Call  Call
	Want  Want
}

// Call is an operation with its arguments, as an agent gets it.
type Call struct {
	Verb  string
	Words []string          // bare words and numbers
	Opts  map[string]string // key=value
	Data  Data
}

// Want is what a result must be.
type Want struct {
	Code   int               // Win32 error number, 0 for success
	Data   Data              // nil: not compared, unless Code is an error that comes without data
	Fields map[string]string // each must be in the result with this text
}

// LoadScripts parses all scripts (*.txt but left-out.txt) of a file system.
func LoadScripts(fsys fs.FS) ([]Case, error) {
	names, err := fs.Glob(fsys, "*.txt")
	if err != nil {
		return nil, err
	}
	var all []Case
	for _, name := range names {
		if name == leftOutFile {
			continue
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		cases, err := ParseScript(strings.TrimSuffix(path.Base(name), ".txt"), string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, cases...)
	}
	slices.SortStableFunc(all, func(a, b Case) int { return a.Number - b.Number })
	return all, nil
}

// ParseScript parses one script. The error names the script's section and line.
func ParseScript(section, text string) ([]Case, error) {
	p := parser{section: section}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		p.line++
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := p.parse(line); err != nil {
			return nil, fmt.Errorf("%s.txt:%d: %s: %w", section, p.line, line, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s.txt:%d: %w", section, p.line, err)
	}
	if err := p.finish(); err != nil {
		return nil, fmt.Errorf("%s.txt: %w", section, err)
	}
	return p.cases, nil
}

// parser holds the state between lines.
type parser struct {
	section string
	line    int
	cases   []Case
	started map[string]string // actors by label in the block being parsed; empty once nobody needs to wait any more
}

func (p *parser) parse(line string) error {
	if head, ok := strings.CutPrefix(line, "case "); ok {
		return p.parseCase(head)
	}
	if len(p.cases) == 0 {
		return fmt.Errorf("a script begins with a line case NUMBER: STATEMENT")
	}
	c := &p.cases[len(p.cases)-1]
	if head, ok := strings.CutPrefix(line, "except "); ok {
		return p.parseException(c, head)
	}
	if head, ok := strings.CutPrefix(line, "with "); ok {
		return p.parseWith(c, head)
	}
	step, err := parseStep(line)
	if err != nil {
		return err
	}
	step.Line, step.Text = p.line, line
	if err := p.track(&step); err != nil {
		return err
	}
	if n := len(c.Exceptions); n > 0 {
		c.Exceptions[n-1].Steps = append(c.Exceptions[n-1].Steps, step)
	} else {
		c.Steps = append(c.Steps, step)
	}
	return nil
}

// parseCase parses what follows the word case: "104: …" or "80 ⚠: …".
func (p *parser) parseCase(head string) error {
	if err := p.finish(); err != nil {
		return err
	}
	left, title, ok := strings.Cut(head, ":")
	digits, doubtful := strings.CutSuffix(strings.TrimSpace(left), "⚠")
	number, err := strconv.Atoi(strings.TrimSpace(digits))
	if !ok || err != nil || number < 1 || number > Cases {
		return fmt.Errorf("want case NUMBER: STATEMENT with a number from 1 to %d", Cases)
	}
	p.cases = append(p.cases, Case{Number: number, Title: strings.TrimSpace(title), Doubtful: doubtful,
		Section: p.section, Line: p.line})
	return nil
}

func (p *parser) parseException(c *Case, head string) error {
	backend, reason, ok := strings.Cut(head, ":")
	reason = strings.TrimSpace(reason)
	if !ok || !isLower(backend) || reason == "" {
		return fmt.Errorf("want except BACKEND: REASON")
	}
	if err := p.finishBlock(); err != nil {
		return err
	}
	c.Exceptions = append(c.Exceptions, Exception{Backend: backend, Reason: reason})
	return nil
}

func (p *parser) parseWith(c *Case, head string) error {
	fields := strings.Fields(head)
	if len(fields) < 2 || len(c.Steps) > 0 || c.Variable != "" || !strings.HasPrefix(fields[0], "$") {
		return fmt.Errorf("want one line with $VARIABLE VALUE…, before the first step")
	}
	c.Variable, c.Values = fields[0], fields[1:]
	return nil
}

// finish checks that the case parsed last is complete.
func (p *parser) finish() error {
	if n := len(p.cases); n > 0 && len(p.cases[n-1].Steps) == 0 {
		return fmt.Errorf("case %d has no steps", p.cases[n-1].Number)
	}
	return p.finishBlock()
}

// finishBlock checks that every background operation was waited for, as a result that nobody looks at is no test.
func (p *parser) finishBlock() error {
	for _, label := range slices.Sorted(maps.Keys(p.started)) {
		if p.started[label] != "" {
			return fmt.Errorf("nothing waits for the result of %s", label)
		}
	}
	p.started = nil
	return nil
}

// track checks the use of labels: started once, awaited once, not used after that. What dies with a killed process needs
// no waiting for.
func (p *parser) track(s *Step) error {
	actor, known := p.started[s.Label]
	switch {
	case s.Kind == RunStep && s.Call.Verb == "kill":
		for label, actor := range p.started {
			if !isServer(actor) {
				p.started[label] = ""
			}
		}
		return nil
	case s.Kind == RunStep:
		return nil
	case s.Kind == StartStep && known:
		return fmt.Errorf("label %s is taken", s.Label)
	case s.Kind == StartStep:
		if p.started == nil {
			p.started = make(map[string]string)
		}
		p.started[s.Label] = s.Actor
		return nil
	case actor == "":
		return fmt.Errorf("no operation %s is under way", s.Label)
	}
	if s.Kind == AwaitStep {
		p.started[s.Label] = ""
	}
	return nil
}
