package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/anypipe/anypipe"
)

// order is one line that the demo writes to the stdin of a client process.
type order struct {
	Do   string `json:"do"` // open, wait, write, read, transact, close
	Data []byte `json:"data,omitempty"`
	Size int    `json:"size,omitempty"`
}

// answer is the line that comes back. Code is the Win32 error, 0 for success.
type answer struct {
	Data  []byte `json:"data,omitempty"`
	Code  int    `json:"code"`
	Error string `json:"error,omitempty"`
	EOF   bool   `json:"eof,omitempty"`
}

// demoClientCommand is a client process of the demo: it opens one pipe and does with it what it is told.
func (a *app) demoClientCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "demo-client NAME",
		Short:  "Be a client of the demo",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			p := puppet{name: args[0]}
			defer p.close()
			orders, answers := json.NewDecoder(a.stdin), json.NewEncoder(a.stdout)
			for {
				var o order
				if err := orders.Decode(&o); err != nil {
					return notEOF(err)
				}
				if err := answers.Encode(p.obey(cmd.Context(), o)); err != nil {
					return err
				}
			}
		},
	}
}

// puppet is the client's state: the open pipe, or nil.
type puppet struct {
	name string
	conn *anypipe.Conn
}

// obey turns the outcome into an answer: an error is an outcome, too, and often the expected one.
func (p *puppet) obey(ctx context.Context, o order) answer {
	var a answer
	err := p.do(ctx, o, &a)
	if err != nil {
		a.Code, a.Error = anypipe.Win32Code(err), condition(err).Error()
	}
	return a
}

// condition is the error without the operation and the name, which the transcript tells anyway.
func condition(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// do carries out one order.
func (p *puppet) do(ctx context.Context, o order, a *answer) (err error) {
	switch o.Do {
	case "open":
		d := anypipe.Dialer{ReadMode: anypipe.Message, NoBusyWait: true}
		p.conn, err = d.Dial(ctx, p.name)
		return err
	case "wait":
		return anypipe.Wait(ctx, p.name, demoPatience)
	}
	if p.conn == nil {
		return fmt.Errorf("order %q needs an open pipe", o.Do)
	}
	switch o.Do {
	case "write":
		_, err = p.conn.Write(o.Data)
	case "read":
		buf := make([]byte, o.Size)
		n, readErr := p.conn.Read(buf)
		a.Data, err = buf[:n], readErr
	case "transact":
		a.Data, err = p.conn.Transact(o.Data)
	case "close":
		err = p.close()
	default:
		err = fmt.Errorf("unknown order %q", o.Do)
	}
	return err
}

// close makes the client ready to open again. Closing twice is fine.
func (p *puppet) close() error {
	if p.conn == nil {
		return nil
	}
	err := p.conn.Close()
	p.conn = nil
	return err
}
