package pipetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// stage is one run of one case.
type stage struct {
	suite     *suite
	agents    *agents
	ctx       context.Context
	key       string            // names the run in the agents
	pipe      string            // the default name
	variables *strings.Replacer // $P and the others
	calls     map[string]*Step  // background operations by label, for their agent and for checking
	killed    bool              // the client agent was killed
}

func (st *stage) step(s *Step) error {
	switch s.Kind {
	case RunStep:
		return st.run(s)
	case StartStep:
		st.calls[s.Label] = s
		_, err := st.request("start", s, s.Label)
		return err
	case PendsStep:
		_, err := st.request("pends", st.calls[s.Label], s.Label)
		return err
	case CancelStep:
		_, err := st.request("cancel", st.calls[s.Label], s.Label)
		return err
	case AwaitStep:
		begun := st.calls[s.Label]
		result, err := st.request("await", begun, s.Label)
		if err != nil {
			return err
		}
		return st.check(s, begun, result)
	}
	return fmt.Errorf("unknown kind of step %d", s.Kind)
}

func (st *stage) run(s *Step) error {
	if s.Call.Verb == "kill" {
		st.killed = true
		st.agents.clients.kill()
		return nil
	}
	result, err := st.request("run", s, fmt.Sprintf("line%d", s.Line))
	if err != nil {
		return err
	}
	return st.check(s, s, result)
}

// check compares the result of the call that begun started with what s wants.
func (st *stage) check(s, begun *Step, result *Result) error {
	want, call := s.Want, st.expand(begun)
	want.Data = st.expandData(want.Data)
	want.Fields = st.expandFields(want.Fields)
	return want.check(&call, result)
}

// request asks the agent that the actor of s lives in.
func (st *stage) request(do string, s *Step, label string) (*Result, error) {
	to := st.agents.clients
	if isServer(s.Actor) {
		to = st.agents.servers
	}
	q := request{Do: do, Scope: st.key, Label: label, Actor: s.Actor}
	if do == "run" || do == "start" {
		q.Call = st.expand(s)
	}
	return to.call(st.ctx, q)
}

// end closes what the case left open. Client ends first: that is the order in which programs die that are not careful.
func (st *stage) end() error {
	q := request{Do: "end", Scope: st.key}
	var problems []error
	if !st.killed {
		_, err := st.agents.clients.call(st.ctx, q)
		problems = append(problems, err)
	}
	if st.agents.servers != st.agents.clients {
		_, err := st.agents.servers.call(st.ctx, q)
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// expand puts the variables' values into a call and completes its pipe name.
func (st *stage) expand(s *Step) Call {
	c := s.Call
	c.Opts = st.expandFields(c.Opts)
	c.Data = st.expandData(c.Data)
	c.Words = make([]string, len(s.Call.Words))
	for i, w := range s.Call.Words {
		c.Words[i] = st.variables.Replace(w)
	}
	if _, ok := c.Opts["name"]; !ok {
		c.Opts["name"] = st.pipe
	}
	if host := st.suite.backend.Host; host != "" && !isServer(s.Actor) {
		if pipe, ok := strings.CutPrefix(c.Opts["name"], localPrefix); ok {
			c.Opts["name"] = `\\` + host + `\pipe\` + pipe
		}
	}
	return c
}

func (st *stage) expandFields(in map[string]string) map[string]string {
	out := make(map[string]string, len(in)+1)
	for k, v := range in {
		out[k] = st.variables.Replace(v)
	}
	return out
}

func (st *stage) expandData(in Data) Data {
	var out Data
	for _, p := range in {
		out = append(out, Part{Text: st.variables.Replace(p.Text), Times: p.Times})
	}
	return out
}
