package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/anypipe/anypipe"
)

// killAfter is how long a child may take to end after it was asked to.
const killAfter = 5 * time.Second

// exec runs the command for one client. The child's stdin ends when the client's data does; what the child writes goes to
// the client; when the child is through, so is the connection.
func (s *server) exec(ctx context.Context, v visit) error {
	cmd := exec.CommandContext(ctx, s.command, s.args[1:]...)
	cmd.Args[0] = s.args[0]
	cmd.Env = append(os.Environ(), "ANYPIPE_NAME="+s.name.String(),
		"ANYPIPE_PEER_PID="+strconv.Itoa(v.who.PID), "ANYPIPE_PEER_USER="+v.who.User)
	cmd.Stderr = s.stderr
	cmd.Cancel = func() error { return interrupt(cmd.Process) }
	cmd.WaitDelay = killAfter
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer bindDeadline(ctx, v.Conn)()
	fed := make(chan error, 1)
	go func() {
		var err error
		if s.config.Direction != anypipe.Outbound {
			err = s.framing.receive(v.Conn, s.framing.emitter(in))
		}
		fed <- errors.Join(err, in.Close())
	}()
	err = s.framing.split(out, func(item []byte) error {
		_, err := v.Write(item)
		return err
	})
	out.Close() // after an error: the child gets SIGPIPE instead of waiting for a reader
	waited := cmd.Wait()
	v.SetReadDeadline(longAgo)
	<-fed // its errors are the client's leaving and the child's not reading on: both regular
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(err, waited)
}
