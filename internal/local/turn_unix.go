//go:build linux || darwin || freebsd

package local

import "github.com/anypipe/anypipe/internal/winerr"

func (s *stream) Start(*Request) Pending { return ended{winerr.NotSupported} }
func (s *stream) Cancel() error          { return winerr.NotSupported }
