package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"

	"github.com/anypipe/anypipe/bench/internal/contender"
	"github.com/anypipe/anypipe/bench/internal/host"
	"github.com/anypipe/anypipe/bench/internal/run"
	"github.com/anypipe/anypipe/bench/internal/spec"
	"github.com/anypipe/anypipe/bench/internal/work"
)

// peer is this program as one of the processes of a measurement.
func peer(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%s needs a role", run.PeerFlag)
	}
	if run.Role(args[0]) == run.Hog {
		return hog()
	}
	if len(args) != 2 {
		return fmt.Errorf("%s %s needs a specification", run.PeerFlag, args[0])
	}
	s := new(spec.Spec)
	if err := json.Unmarshal([]byte(args[1]), s); err != nil {
		return err
	}
	c, err := contender.Find(s.Contender)
	if err != nil {
		return err
	}
	if err := host.RaiseFileLimit(0); err != nil {
		return err
	}
	return profiled(s, args[0], func() error { return play(run.Role(args[0]), c, s) })
}

func play(role run.Role, c contender.Contender, s *spec.Spec) error {
	switch role {
	case run.Server:
		return work.Serve(c, s, os.Stdin, os.Stdout)
	case run.Client:
		return work.Measure(c, s, os.Stdin, os.Stdout)
	}
	return fmt.Errorf("unknown role %q", role)
}

// profiled writes the CPU profile of f if the specification asks for it.
func profiled(s *spec.Spec, role string, f func() error) error {
	if s.Profile == "" {
		return f()
	}
	out, err := os.Create(s.Profile + "-" + role + ".pprof")
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return errors.Join(err, out.Close())
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, out.Close())
}

// hog computes until its input ends.
func hog() error {
	told := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin) // its end is all there is to learn
		close(told)
	}()
	fmt.Println(work.Ready)
	for n := 0; ; n++ {
		if n%(1<<20) != 0 {
			continue
		}
		select {
		case <-told:
			return nil
		default:
		}
	}
}
