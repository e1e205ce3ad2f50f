package work

import (
	"fmt"
	"io"

	"github.com/anypipe/anypipe/bench/internal/contender"
	"github.com/anypipe/anypipe/bench/internal/spec"
)

// Ready is the line that a server prints when clients may come.
const Ready = "ready"

// Serve is the server process: it answers clients until in ends, and returns early only if a client broke the rules.
// Goroutines of connections end with the process, which ends with Serve.
func Serve(c contender.Contender, s *spec.Spec, in io.Reader, out io.Writer) error {
	l, err := c.Listen(s)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, Ready); err != nil {
		return err
	}
	failed := make(chan error, 1)
	report := func(err error) {
		select {
		case failed <- err:
		default: // the first error is reported
		}
	}
	go accept(l, s, report)
	told := make(chan struct{})
	go func() {
		io.Copy(io.Discard, in) // the end of in is all there is to learn
		close(told)
	}()
	select {
	case err := <-failed:
		return err
	case <-told:
		return l.Close()
	}
}

func accept(l contender.Listener, s *spec.Spec, report func(error)) {
	for {
		link, err := l.Accept()
		if err != nil {
			report(fmt.Errorf("accept: %w", err))
			return
		}
		go func() {
			defer link.Close()
			if err := serve(link, s); err != nil {
				report(err)
			}
		}()
	}
}

// serve answers one client until it goes. An error of Receive is its end: the client has checked what it was owed.
func serve(l contender.Link, s *spec.Spec) error {
	buf := make([]byte, s.Size)
	counted := counter{verify: s.Verify}
	counted.reset()
	for {
		msg, err := l.Receive(buf)
		if err != nil {
			return nil
		}
		if len(msg) != s.Size {
			return fmt.Errorf("a message of %d bytes, all have %d", len(msg), s.Size)
		}
		switch msg[0] {
		case askCount:
			if err := counted.add(msg); err != nil {
				return err
			}
			continue
		case askEcho:
		case askTotal:
			counted.total(msg)
			counted.reset()
		default:
			return fmt.Errorf("a message asks for %q, which means nothing", msg[0])
		}
		if err := l.Send(msg); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
}
