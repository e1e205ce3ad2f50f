//go:build !linux && !darwin && !freebsd && !windows

package local

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"time"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// errNoEngine is what everything here fails with.
var errNoEngine = fmt.Errorf("anypipe has no pipes on this operating system yet: %w", winerr.NotSupported)

// yieldCPU lets another goroutine run.
func yieldCPU() { runtime.Gosched() }

// noEnd has the methods of an end that can't exist.
type noEnd struct{}

func (noEnd) Read([]byte) (int, error)                      { return 0, errNoEngine }
func (noEnd) ReadMessage(buf []byte, _ int) ([]byte, error) { return buf, errNoEngine }
func (noEnd) Write([]byte) (int, error)                     { return 0, errNoEngine }
func (noEnd) Peek([]byte) (npfs.Peeked, error)              { return npfs.Peeked{}, errNoEngine }
func (noEnd) Transact(_, buf []byte, _ int) ([]byte, error) { return buf, errNoEngine }
func (noEnd) Flush() error                                  { return errNoEngine }
func (noEnd) CloseWrite() error                             { return errNoEngine }
func (noEnd) SetModes(npfs.Modes) error                     { return errNoEngine }
func (noEnd) Type() npfs.Mode                               { return npfs.Byte }
func (noEnd) Info() (npfs.Info, error)                      { return npfs.Info{}, errNoEngine }
func (noEnd) Peer() (npfs.Peer, error)                      { return npfs.Peer{}, errNoEngine }
func (noEnd) SetReadDeadline(time.Time) error               { return errNoEngine }
func (noEnd) SetWriteDeadline(time.Time) error              { return errNoEngine }
func (noEnd) Close() error                                  { return errNoEngine }
func (noEnd) Start(*Request) Pending                        { return ended{errNoEngine} }
func (noEnd) Cancel() error                                 { return errNoEngine }

// A Client is a client end.
type Client struct{ noEnd }

// An Instance is a server end.
type Instance struct{ noEnd }

// Connect is ConnectNamedPipe.
func (*Instance) Connect(context.Context) error { return errNoEngine }

// Disconnect is DisconnectNamedPipe.
func (*Instance) Disconnect() error { return errNoEngine }

// RunAsClient runs f on a thread that has the client's identity.
func (*Instance) RunAsClient(func() error) error { return errNoEngine }

// Create makes one instance of the pipe.
func Create(context.Context, string, *npfs.CreateConfig) (*Instance, error) { return nil, errNoEngine }

// Open opens the pipe as its client.
func Open(context.Context, string, string, *npfs.OpenConfig) (*Client, error) {
	return nil, errNoEngine
}

// Wait is WaitNamedPipe.
func Wait(context.Context, string, string, time.Duration) error { return errNoEngine }

// List returns the live pipes.
func List(context.Context) ([]npfs.PipeInfo, error) { return nil, errNoEngine }

// Half is one end of an anonymous pipe.
type Half struct{ noEnd }

// Pair makes both ends of an anonymous pipe.
func Pair(int) (read, write *Half, err error) { return nil, nil, errNoEngine }

// Spawn starts cmd with its standard input and output connected to the returned end.
func Spawn(*exec.Cmd) (*Client, error) { return nil, errNoEngine }
