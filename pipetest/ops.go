package pipetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/anypipe/anypipe"
)

// verb is one operation of the script language.
type verb struct {
	run            func(*invocation) Result
	server, client bool     // only these ends have it
	data           bool     // it takes a data expression
	number         bool     // it takes one number
	yields         bool     // it gives something that the script must state
	received       bool     // what it gives are bytes from the pipe
	free           bool     // any bare words
	flags, opts    []string // its bare words and its keys
	cancel         canceller
}

// canceller says what ends the operation early.
type canceller int

const (
	byContext canceller = iota
	byReadDeadline
	byWriteDeadline
)

var accessWords = map[string]anypipe.Access{
	"read":       anypipe.GenericRead,
	"write":      anypipe.GenericWrite,
	"readwrite":  anypipe.GenericRead | anypipe.GenericWrite,
	"attributes": anypipe.ReadAttributes | synchronize,
	"readset":    anypipe.GenericRead | anypipe.WriteAttributes,
}

const synchronize anypipe.Access = 0x100000

// verbs is the whole language below the level of steps.
var verbs = map[string]verb{
	"create": {run: opCreate, server: true, flags: []string{"first", "nowait"},
		opts: []string{"name", "type", "read", "in", "out", "max", "dir", "timeout", "sddl", "limit"}},
	"connect":     {run: opConnect, server: true},
	"disconnect":  {run: opDisconnect, server: true},
	"impersonate": {run: opImpersonate},
	"open":        {run: opOpen, client: true, opts: []string{"name", "access", "read", "limit"}},
	"dial":        {run: opOpen, client: true, opts: []string{"name", "access", "read", "limit", "timeout"}},
	"wait":        {run: opWait, client: true, free: true, opts: []string{"name"}},
	"call":        {run: opCall, client: true, data: true, yields: true, received: true, opts: []string{"name", "limit", "timeout"}},
	"close":       {run: opClose},
	"kill":        {client: true}, // the runner's, as no agent can outlive it
	"read":        {run: opRead, number: true, yields: true, received: true, cancel: byReadDeadline},
	"readmsg":     {run: opReadMessage, yields: true, received: true, cancel: byReadDeadline},
	"write":       {run: opWrite, data: true, cancel: byWriteDeadline},
	"peek":        {run: opPeek, number: true, yields: true},
	"transact":    {run: opTransact, data: true, yields: true, received: true, cancel: byReadDeadline},
	"flush":       {run: opFlush, cancel: byWriteDeadline},
	"closewrite":  {run: opCloseWrite},
	"mode":        {run: opMode, free: true},
	"info":        {run: opInfo, yields: true},
	"peer":        {run: opPeer, yields: true},
	"name":        {run: opName, yields: true},
}

// invocation is one operation under way in an agent.
type invocation struct {
	ctx     context.Context
	backend *Backend
	scope   *scope
	actor   string
	call    Call
}

// Result is what an operation gave.
type Result struct {
	Code   int               // Win32 error number; -1 for an error that has none
	Error  string            // its text
	Data   []byte            // what was read or peeked
	Fields map[string]string // everything else that a script can state
}

func resultOf(err error) Result {
	r := Result{Code: codeOf(err)}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

// codeOf is the Win32 number of err. An ended context counts as a cancelled operation; an error without a number is -1, so
// that it is never taken for success.
func codeOf(err error) int {
	n := anypipe.Win32Code(err)
	switch {
	case err == nil || n != 0:
		return n
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return 995
	}
	return -1
}

// unusable is the result of a step that the agent can't carry out: the script is wrong.
func unusable(format string, args ...any) Result {
	return Result{Code: -1, Error: "script: " + fmt.Sprintf(format, args...)}
}

func (in *invocation) name() string { return in.call.Opts["name"] }

// option returns a numeric or worded option, translated by parse, or zero if it is not given.
func option[T any](in *invocation, key string, parse func(string) (T, error)) (v T, err error) {
	text, ok := in.call.Opts[key]
	if !ok {
		return v, nil
	}
	if v, err = parse(text); err != nil {
		return v, fmt.Errorf("option %s=%s: %w", key, text, err)
	}
	return v, nil
}

func parseMode(s string) (anypipe.Mode, error) {
	switch s {
	case "byte":
		return anypipe.Byte, nil
	case "message":
		return anypipe.Message, nil
	}
	n, err := strconv.ParseUint(s, 10, 8) // numbers that no mode has, for the cases about bad values
	return anypipe.Mode(n), err
}

func parseDirection(s string) (anypipe.Direction, error) {
	for _, d := range []anypipe.Direction{anypipe.Duplex, anypipe.Inbound, anypipe.Outbound} {
		if d.String() == s {
			return d, nil
		}
	}
	return 0, errors.New("want duplex, inbound or outbound")
}

func parseAccess(s string) (anypipe.Access, error) {
	if a, ok := accessWords[s]; ok {
		return a, nil
	}
	n, err := strconv.ParseUint(s, 0, 32)
	return anypipe.Access(n), err
}

// parseQuota translates a buffer size, in which the configuration's zero means the default.
func parseQuota(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if n == 0 && err == nil {
		n = anypipe.Unbuffered
	}
	return n, err
}

func (in *invocation) flag(word string) bool { return slices.Contains(in.call.Words, word) }

// data gives the received bytes their place in a result.
func received(p []byte, err error) Result {
	r := resultOf(err)
	r.Data = p
	r.Fields = map[string]string{"n": strconv.Itoa(len(p))}
	return r
}

func (in *invocation) number() int {
	n, _ := strconv.Atoi(in.call.Words[0]) // the parser has checked it
	return n
}

func opRead(in *invocation) Result {
	return in.withConn(func(c *anypipe.Conn) Result {
		p := make([]byte, in.number())
		n, err := c.Read(p)
		return received(p[:n], err)
	})
}

func opReadMessage(in *invocation) Result {
	return in.withConn(func(c *anypipe.Conn) Result { return received(c.ReadMessage()) })
}

func opWrite(in *invocation) Result {
	return in.withConn(func(c *anypipe.Conn) Result {
		n, err := c.Write(in.call.Data.Bytes())
		r := resultOf(err)
		r.Fields = map[string]string{"n": strconv.Itoa(n)}
		return r
	})
}

func opPeek(in *invocation) Result {
	return in.withConn(func(c *anypipe.Conn) Result {
		p := make([]byte, in.number())
		k, err := c.Peek(p)
		r := received(p[:min(max(k.Read, 0), len(p))], err)
		r.Fields = map[string]string{
			"read": strconv.Itoa(k.Read), "avail": strconv.Itoa(k.Available), "left": strconv.Itoa(k.Left),
			"messages": strconv.Itoa(k.Messages), "length": strconv.Itoa(k.Length), "state": k.State.String(),
		}
		return r
	})
}

func opTransact(in *invocation) Result {
	return in.withConn(func(c *anypipe.Conn) Result { return received(c.Transact(in.call.Data.Bytes())) })
}

func opFlush(in *invocation) Result {
	return in.withConn(func(c *anypipe.Conn) Result { return resultOf(c.Flush()) })
}

func opCloseWrite(in *invocation) Result {
	return in.withConn(func(c *anypipe.Conn) Result { return resultOf(c.CloseWrite()) })
}

// opMode sets both modes, as SetNamedPipeHandleState does: mode byte|message [nowait].
func opMode(in *invocation) Result {
	if len(in.call.Words) == 0 {
		return unusable("mode byte or message?")
	}
	mode, err := parseMode(in.call.Words[0])
	if err != nil {
		return unusable("mode: %v", err)
	}
	return in.withConn(func(c *anypipe.Conn) Result {
		return resultOf(c.SetModes(anypipe.Modes{Read: mode, NoWait: in.flag("nowait")}))
	})
}

func opInfo(in *invocation) Result {
	return in.withConn(func(c *anypipe.Conn) Result {
		i, err := c.Info()
		r := resultOf(err)
		r.Fields = map[string]string{
			"type": i.Type.String(), "dir": i.Direction.String(), "state": i.State.String(), "read": i.Modes.Read.String(),
			"max": strconv.Itoa(i.MaxInstances), "instances": strconv.Itoa(i.Instances),
			"in": strconv.Itoa(i.InQuota), "out": strconv.Itoa(i.OutQuota), "nowait": strconv.FormatBool(i.Modes.NoWait),
			"server": strconv.FormatBool(i.Server), "readable": strconv.Itoa(i.Readable), "writequota": strconv.Itoa(i.WriteQuota),
		}
		return r
	})
}

func opPeer(in *invocation) Result {
	return in.withConn(func(c *anypipe.Conn) Result {
		p, err := c.Peer()
		r := resultOf(err)
		r.Fields = map[string]string{"pid": strconv.Itoa(p.PID), "uid": strconv.Itoa(p.UID)}
		return r
	})
}

func opName(in *invocation) Result {
	return in.withConn(func(c *anypipe.Conn) Result {
		return Result{Fields: map[string]string{"local": c.LocalAddr().String(), "remote": c.RemoteAddr().String()}}
	})
}

func opImpersonate(in *invocation) Result {
	return in.withConn(func(c *anypipe.Conn) Result { return resultOf(c.RunAsClient(func() error { return nil })) })
}

func parseDuration(s string) (time.Duration, error) {
	switch s {
	case "default":
		return anypipe.UseDefaultWait, nil
	case "forever":
		return anypipe.WaitForever, nil
	}
	return time.ParseDuration(s)
}
