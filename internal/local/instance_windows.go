package local

import (
	"context"
	"sync"

	"github.com/anypipe/anypipe/internal/npfs"
)

// An Instance is a server end with the life cycle that CreateNamedPipe's handle has. It is LISTENING from the start.
type Instance struct {
	*end

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
