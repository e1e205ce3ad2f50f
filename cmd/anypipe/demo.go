package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/anypipe/anypipe"
)

// demoPatience bounds the whole demo; it takes a fraction of a second.
const demoPatience = 30 * time.Second

// demoCommand declares demo. Its time limit is a safety net: nothing in it waits for a clock.
func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show what named pipes do, with real processes",
		Long: `Show what named pipes do: this process is the server of a message-type pipe with a few instances, and client processes of
the same binary talk to it. Each step is checked; if one goes wrong the exit code is not 0.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := a.limited(cmd.Context())
			defer cancel()
			ctx, cancel = context.WithTimeoutCause(ctx, demoPatience, &timeoutError{demoPatience})
			defer cancel()
			return a.demo(ctx)
		},
	}
}

// demo is one run: a server in this process, clients in others, and the transcript.
type demo struct {
	*app
	ctx       context.Context // bounds every wait of the run
	name      string
	instances []*anypipe.Instance
	clients   []*demoClient
	steps     int
}

// demo runs the chapters in order; each leaves the pipe as the next one expects it. The name is new for each run, so
// that two demos don't meet.
func (a *app) demo(ctx context.Context) (err error) {
	d := &demo{app: a, ctx: ctx, name: "anypipe-demo-" + strings.ToLower(rand.Text()[:8])}
	defer func() { err = errors.Join(err, d.clean()) }()
	for _, chapter := range []func() error{
		d.createInstances, d.openInstances, d.whoIsThere, d.boundaries, d.emptyMessage, d.bigMessage, d.smallBuffer,
		d.transaction, d.waiting, d.disconnecting, d.ending,
	} {
		if err := chapter(); err != nil {
			return fmt.Errorf("demo step %d: %w", d.steps, err)
		}
	}
	return d.say("\nThat is all. Next: anypipe listen greet --echo --mode message   and, elsewhere:   anypipe call greet hello\n")
}

// clean closes what is still open; the clients end with their stdin.
func (d *demo) clean() error {
	var errs []error
	for _, in := range d.instances {
		errs = append(errs, in.Close())
	}
	for _, c := range d.clients {
		errs = append(errs, c.stop())
	}
	return errors.Join(errs...)
}

// step begins a numbered chapter of the transcript.
func (d *demo) step(title string) error {
	d.steps++
	return d.say("\n%s\n", d.paint(d.stdout, bold, fmt.Sprintf("%d. %s", d.steps, title)))
}

// tell writes one line of the transcript: who does what.
func (d *demo) tell(who, format string, args ...any) error {
	return d.say("   %s %s\n", d.paint(d.stdout, dim, fmt.Sprintf("%-8s", who)), fmt.Sprintf(format, args...))
}

// say writes a piece of the transcript, which is data: it goes to stdout.
func (d *demo) say(format string, args ...any) error {
	_, err := fmt.Fprintf(d.stdout, format, args...)
	return err
}

// demoClient is a client process and the wires to it.
type demoClient struct {
	who     string
	cmd     *exec.Cmd
	orders  *json.Encoder
	answers *json.Decoder
	stdin   io.Closer
}

// newClient starts a client process.
func (d *demo) newClient(who string) (*demoClient, error) {
	cmd, err := self(d.ctx, "demo-client", d.name)
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &demoClient{who: who, cmd: cmd, orders: json.NewEncoder(in), answers: json.NewDecoder(out), stdin: in}
	d.clients = append(d.clients, c)
	return c, nil
}

// order tells the client what to do and does not wait for the answer.
func (c *demoClient) order(do string, data []byte, size int) error {
	return c.orders.Encode(order{Do: do, Data: data, Size: size})
}

// answer waits for the client's next answer. It ends with the client process, which ends with the demo's context.
func (c *demoClient) answer() (answer, error) {
	var a answer
	if err := c.answers.Decode(&a); err != nil {
		return a, fmt.Errorf("%s ended early: %w", c.who, err)
	}
	return a, nil
}

// do orders and expects an answer with the Win32 code want.
func (c *demoClient) do(want int, do string, data []byte, size int) (answer, error) {
	if err := c.order(do, data, size); err != nil {
		return answer{}, err
	}
	return c.expect(want, do)
}

// expect is answer with a check of its Win32 code; do names the order in the error.
func (c *demoClient) expect(want int, do string) (answer, error) {
	a, err := c.answer()
	if err == nil && (a.Code != want || (want == 0 && a.Error != "")) {
		err = fmt.Errorf("%s: %s gave Win32 error %d (%s), expected %d", c.who, do, a.Code, a.Error, want)
	}
	return a, err
}

// stop ends the client by ending its stdin, and joins it.
func (c *demoClient) stop() error {
	return errors.Join(c.stdin.Close(), c.cmd.Wait())
}
