// Package run starts the two processes of each measurement, bounds them, and takes turns between the contenders.
package run

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Compile makes the C programs from the files in sources with gcc and puts them into dir.
func Compile(ctx context.Context, sources embed.FS, dir string, programs []string) error {
	if err := os.CopyFS(dir, sources); err != nil {
		return err
	}
	for _, p := range programs {
		cmd := exec.CommandContext(ctx, "gcc", "-std=gnu11", "-O2", "-march=native", "-Wall", "-Wextra", "-Werror", "-pthread",
			"-o", program(dir, p), filepath.Join(dir, "c", p+".c"))
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("compile %s.c with gcc: %w\n%s", p, err, text)
		}
	}
	return nil
}

// program is where the compiled program of that name lies.
func program(dir, name string) string { return filepath.Join(dir, name) }
