package pipetest

import (
	"context"
	"errors"
	"strconv"

	"github.com/anypipe/anypipe"
)

// opCreate makes an instance: CreateNamedPipe.
func opCreate(in *invocation) Result {
	cfg, err := in.listenConfig()
	if err != nil {
		return unusable("%v", err)
	}
	instance, err := cfg.Create(in.ctx, in.name())
	if err != nil {
		return resultOf(err)
	}
	return in.keep(&end{conn: &instance.Conn, instance: instance})
}

func (in *invocation) listenConfig() (*anypipe.ListenConfig, error) {
	cfg := &anypipe.ListenConfig{First: in.flag("first"), NoWait: in.flag("nowait"), NoForeign: true, Transport: in.backend.Server}
	var e [9]error
	cfg.Type, e[0] = option(in, "type", parseMode)
	cfg.ReadMode, e[1] = option(in, "read", parseMode)
	cfg.Direction, e[2] = option(in, "dir", parseDirection)
	cfg.MaxInstances, e[3] = option(in, "max", strconv.Atoi)
	cfg.InBuffer, e[4] = option(in, "in", parseQuota)
	cfg.OutBuffer, e[5] = option(in, "out", parseQuota)
	cfg.DefaultTimeout, e[6] = option(in, "timeout", parseDuration)
	cfg.Security, e[7] = option(in, "sddl", anypipe.ParseSDDL)
	cfg.MaxMessage, e[8] = option(in, "limit", strconv.Atoi)
	return cfg, errors.Join(e[:]...)
}

// opOpen opens the pipe as client: "open" is CreateFile and fails at once if the pipe is busy, "dial" waits.
func opOpen(in *invocation) Result {
	dialer, err := in.dialer()
	if err != nil {
		return unusable("%v", err)
	}
	dialer.NoBusyWait = in.call.Verb == "open"
	ctx, cancel, err := in.timeout()
	if err != nil {
		return unusable("%v", err)
	}
	defer cancel()
	conn, err := dialer.Dial(ctx, in.name())
	if err != nil {
		return resultOf(err)
	}
	return in.keep(&end{conn: conn})
}

func (in *invocation) dialer() (*anypipe.Dialer, error) {
	d := &anypipe.Dialer{Transport: in.backend.Client}
	var e [3]error
	d.Access, e[0] = option(in, "access", parseAccess)
	d.ReadMode, e[1] = option(in, "read", parseMode)
	d.MaxMessage, e[2] = option(in, "limit", strconv.Atoi)
	return d, errors.Join(e[:]...)
}

// timeout puts the option timeout on the operation's context.
func (in *invocation) timeout() (context.Context, context.CancelFunc, error) {
	d, err := option(in, "timeout", parseDuration)
	if err != nil || d <= 0 {
		return in.ctx, func() {}, err
	}
	ctx, cancel := context.WithTimeout(in.ctx, d)
	return ctx, cancel, nil
}

// opWait is WaitNamedPipe: wait default|forever|DURATION.
func opWait(in *invocation) Result {
	if len(in.call.Words) != 1 {
		return unusable("wait how long?")
	}
	d, err := parseDuration(in.call.Words[0])
	if err != nil {
		return unusable("%v", err)
	}
	dialer := &anypipe.Dialer{Transport: in.backend.Client}
	return resultOf(dialer.Wait(in.ctx, in.name(), d))
}

// opCall is CallNamedPipe.
func opCall(in *invocation) Result {
	dialer, err := in.dialer()
	if err != nil {
		return unusable("%v", err)
	}
	ctx, cancel, err := in.timeout()
	if err != nil {
		return unusable("%v", err)
	}
	defer cancel()
	return received(dialer.Call(ctx, in.name(), in.call.Data.Bytes()))
}

func opConnect(in *invocation) Result {
	return in.withInstance(func(i *anypipe.Instance) Result { return resultOf(i.Connect(in.ctx)) })
}

func opDisconnect(in *invocation) Result {
	return in.withInstance(func(i *anypipe.Instance) Result { return resultOf(i.Disconnect()) })
}

// opClose closes the end; the actor may create or open again after it.
func opClose(in *invocation) Result {
	e := in.scope.take(in.actor)
	if e == nil {
		return unusable("%s has nothing to close", in.actor)
	}
	return resultOf(e.conn.Close())
}

// keep gives the actor its new end.
func (in *invocation) keep(e *end) Result {
	if err := in.scope.put(in.actor, e); err != nil {
		e.conn.Close()
		return unusable("%v", err)
	}
	return Result{}
}

func (in *invocation) withConn(f func(*anypipe.Conn) Result) Result {
	e := in.scope.end(in.actor)
	if e == nil {
		return unusable("%s has no open end", in.actor)
	}
	return f(e.conn)
}

func (in *invocation) withInstance(f func(*anypipe.Instance) Result) Result {
	e := in.scope.end(in.actor)
	if e == nil || e.instance == nil {
		return unusable("%s has no instance", in.actor)
	}
	return f(e.instance)
}
