package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/anypipe/anypipe/bench/internal/contender"
	"github.com/anypipe/anypipe/bench/internal/host"
	"github.com/anypipe/anypipe/bench/internal/spec"
	"github.com/anypipe/anypipe/bench/internal/work"
)

// Runner holds how measurements are made.
type Runner struct {
	Programs string        // where the compiled C programs are
	Warm     time.Duration // before a window
	Window   time.Duration // of a measurement
	Rest     time.Duration // how long resting connections are watched
	Conns    int           // resting connections
	Verify   bool          // checksum every byte
	Profile  string        // where Go processes put their CPU profiles; empty: nowhere
	Foreign  float64       // a measurement beside which others used more CPUs than this is repeated; 0: never
}

// patience is how long a measurement may take beyond its window before its processes are killed.
const patience = 20 * time.Second

// perConnection is what is added to it for each resting connection.
const perConnection = 10 * time.Millisecond

// pair is one measurement: its processes and its directory.
type pair struct {
	server, client *process
	hogs           []*process
	dir            string
}

// Measure makes one measurement. Its processes are gone and its directory is removed when it returns.
func (r *Runner) Measure(ctx context.Context, c contender.Contender, w spec.Work) (sample spec.Sample, err error) {
	conns := r.Conns
	if c.Conns > 0 {
		conns = min(conns, c.Conns)
	}
	limit := r.Warm + 2*r.Window + r.Rest + patience + time.Duration(conns)*perConnection
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("killed after %v", limit))
	defer cancel()
	busy, err := host.BusyTime()
	if err != nil {
		return sample, err
	}
	begin, p := time.Now(), new(pair)
	sample, err = r.runPair(ctx, p, c, w, conns)
	err = errors.Join(err, p.end(ctx))
	if err != nil {
		return sample, err
	}
	sample.Foreign, err = foreign(busy, begin, p)
	return sample, err
}

// foreign returns how many CPUs others have used.
func foreign(before time.Duration, begin time.Time, p *pair) (float64, error) {
	after, err := host.BusyTime()
	own := p.server.cpu() + p.client.cpu()
	for _, h := range p.hogs {
		own += h.cpu()
	}
	return max(0, (after-before-own).Seconds()/time.Since(begin).Seconds()), err
}

// runPair starts the processes and follows the client's words to its sample.
func (r *Runner) runPair(ctx context.Context, p *pair, c contender.Contender, w spec.Work, conns int) (sample spec.Sample, err error) {
	if p.dir, err = os.MkdirTemp("", "anypipe-bench-"); err != nil {
		return sample, err
	}
	s := &spec.Spec{Contender: c.Name, Kind: w.Kind, Size: w.Size, Warm: r.Warm, Window: r.Window, Verify: r.Verify, Conns: conns, Dir: p.dir}
	if r.Profile != "" {
		s.Profile = filepath.Join(r.Profile, c.Name+"-"+w.Key)
	}
	if err := r.startHogs(ctx, p, w); err != nil {
		return sample, err
	}
	if p.server, err = r.start(ctx, c, Server, s, w.Placement); err != nil {
		return sample, err
	}
	if err := p.server.expect(work.Ready); err != nil {
		return sample, err
	}
	s.PeerPID = p.server.cmd.Process.Pid
	if p.client, err = r.start(ctx, c, Client, s, w.Placement); err != nil {
		return sample, err
	}
	var rested *spec.Rest
	if w.Kind.Rests() {
		if rested, err = r.watch(ctx, p, conns); err != nil {
			return sample, err
		}
	}
	text, err := p.client.line()
	if err != nil {
		return sample, err
	}
	if err := json.Unmarshal([]byte(text), &sample); err != nil {
		return sample, fmt.Errorf("the client said %q: %w", text, err)
	}
	sample.Rest = rested
	return sample, nil
}

// startHogs starts what keeps CPUs busy.
func (r *Runner) startHogs(ctx context.Context, p *pair, w spec.Work) error {
	n := 0
	switch w.Placement {
	case spec.Neighbour:
		n = 1
	case spec.Saturated:
		n = runtime.NumCPU()
	}
	for range n {
		h, err := r.start(ctx, contender.Contender{}, Hog, &spec.Spec{Dir: p.dir}, spec.Free)
		if err != nil {
			return err
		}
		p.hogs = append(p.hogs, h)
		if err := h.expect(work.Ready); err != nil {
			return err
		}
	}
	return nil
}

// settle is how long processes may tidy up after the last connection before they count as resting.
const settle = time.Second

// watch measures what resting connections cost.
func (r *Runner) watch(ctx context.Context, p *pair, conns int) (*spec.Rest, error) {
	if err := p.client.expect(work.Before); err != nil {
		return nil, err
	}
	server, client := p.server.cmd.Process.Pid, p.client.cmd.Process.Pid
	before, err := host.MemoryOf(server, client)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(p.client.goOn(), p.client.expect(work.After), pause(ctx, min(settle, r.Rest))); err != nil {
		return nil, err
	}
	used, err := cpuOf(server, client)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := pause(ctx, r.Rest); err != nil {
		return nil, err
	}
	now, err := cpuOf(server, client)
	elapsed := time.Since(begin)
	if err != nil {
		return nil, err
	}
	after, err := host.MemoryOf(server, client)
	if err != nil {
		return nil, err
	}
	each := func(after, before int64) float64 { return float64(after-before) / float64(conns) }
	rested := &spec.Rest{
		Server: each(after.Server, before.Server), Client: each(after.Client, before.Client),
		Shared: each(after.Shared, before.Shared), Kernel: each(after.Kernel, before.Kernel),
		Percent: 100 * float64(now-used) / float64(elapsed),
	}
	return rested, p.client.goOn()
}

func cpuOf(server, client int) (int64, error) {
	a, err := host.CPUTime(server)
	if err != nil {
		return 0, err
	}
	b, err := host.CPUTime(client)
	return a + b, err
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// end joins the processes, the client first: the server answers it till its end. If the time was over, that is the error.
func (p *pair) end(ctx context.Context) error {
	var errs []error
	for _, child := range append([]*process{p.client, p.server}, p.hogs...) {
		if child != nil && child.cmd.Process != nil {
			errs = append(errs, child.end())
		}
	}
	if p.dir != "" {
		errs = append(errs, os.RemoveAll(p.dir))
	}
	if err := errors.Join(errs...); err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return nil
}
