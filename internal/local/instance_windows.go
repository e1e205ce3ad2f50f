package local

import (
	"context"
	"errors"
	"sync"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// An Instance is a server end with the life cycle that CreateNamedPipe's handle has. It is LISTENING from the start.
type Instance struct {
	*end
	pipe   string
	config npfs.CreateConfig

	acceptor *Acceptor // that keeps the name alive when this is closed; nil if none does

	mu     sync.Mutex // guards client
	client person     // as far as it is known; of the client that is connected
}

// Connect is ConnectNamedPipe. When ctx ends it, the instance stays LISTENING.
func (in *Instance) Connect(ctx context.Context) error {
	if err := in.enter(); err != nil {
		return err
	}
	defer in.leave()
	op := newOperation(in.handle)
	defer op.free()
	op.code = fsctlListen
	_, _, err := in.runUntil(ctx, in.listens, op, submitControl)
	return err
}

// Disconnect is DisconnectNamedPipe.
func (in *Instance) Disconnect() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	_, err := in.control(fsctlDisconnect, nil, nil)
	if err == nil {
		in.client = person{}
	}
	return err
}

// Another makes one more instance of the same pipe with the same configuration.
func (in *Instance) Another(ctx context.Context) (*Instance, error) {
	later := in.config
	later.First = false
	return Create(ctx, in.pipe, &later)
}

// Replace closes the instance and puts a new one in its place, so that neither the limit nor the name's existence is in
// question. The kernel can do that only by Disconnect, which would take from a client what it has not read; so it is not
// supported while the client is there. The new one listens from its first Connect on.
func (in *Instance) Replace() (*Instance, error) {
	info, err := in.Info()
	if err != nil {
		return nil, err
	}
	if info.State != npfs.Closing {
		return nil, winerr.NotSupported
	}
	if err := in.finish(true); err != nil {
		return nil, err
	}
	e := endOf(in.handle)
	e.typ, e.server, e.reject, e.modes = in.typ, true, in.reject, in.config.Modes
	fresh := &Instance{end: e, pipe: in.pipe, config: in.config}
	if err = fresh.Disconnect(); err == nil && info.Modes != e.modes {
		err = fresh.SetModes(e.modes)
	}
	if err != nil {
		return nil, errors.Join(err, fresh.Close())
	}
	return fresh, nil
}

// Close ends the instance. A second Close returns net.ErrClosed.
func (in *Instance) Close() error {
	if in.acceptor != nil {
		return in.acceptor.release(in)
	}
	return in.end.Close()
}

// Peer tells who the client is; the kernel remembers it until Disconnect.
func (in *Instance) Peer() (npfs.Peer, error) {
	if err := in.enter(); err != nil {
		return npfs.Peer{}, err
	}
	defer in.leave()
	in.mu.Lock()
	defer in.mu.Unlock()
	pid, err := clientProcess(in.handle)
	if err != nil {
		return npfs.Peer{}, err
	}
	if !in.client.known() {
		in.client = in.askClient(pid)
	}
	return in.client.peer(pid), nil
}
