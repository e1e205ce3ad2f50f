//go:build !linux && !darwin && !freebsd && !windows

package local

import (
	"context"

	"github.com/anypipe/anypipe/internal/npfs"
	"github.com/anypipe/anypipe/internal/winerr"
)

// KeepsAhead says that Listen exists on this system.
const KeepsAhead = false

// An Acceptor keeps instances LISTENING ahead. There is none on this system.
type Acceptor struct{}

// Listen fails.
func Listen(context.Context, string, *npfs.CreateConfig, int) (*Acceptor, error) {
	return nil, winerr.NotSupported
}

// Accept fails.
func (*Acceptor) Accept(context.Context) (*Instance, error) { return nil, winerr.NotSupported }

// Close does nothing.
func (*Acceptor) Close() error { return nil }
