//go:build darwin || freebsd

package local

import (
	"fmt"

	"github.com/anypipe/anypipe/internal/winerr"
)

// runAs is not possible here: the system gives ids to processes, not to threads.
func runAs(*identity, func() error) error {
	return fmt.Errorf("this system has no identity per thread: %w", winerr.NotSupported)
}
