package main

import (
	"context"
	"os"
	"os/exec"
	"time"
)

// self prepares a child process of this same binary. It is killed with ctx.
func self(ctx context.Context, args ...string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = time.Second
	return cmd, nil
}
