// Package run starts the two processes of each measurement, bounds them, and takes turns between the contenders.
package run

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/anypipe/anypipe/bench/internal/contender"
)

// builder makes libanypipe; the path is from the folder of this module.
const builder = "../capi/build"

// Compile makes the contenders' C programs from the files in sources with gcc and puts them into dir.
func Compile(ctx context.Context, sources embed.FS, dir string, contenders []contender.Contender) error {
	if err := os.CopyFS(dir, sources); err != nil {
		return err
	}
	for _, c := range contenders {
		if c.Program == "" {
			continue
		}
		flags := []string{"-std=gnu11", "-O2", "-march=native", "-Wall", "-Wextra", "-Werror", "-pthread",
			"-o", program(dir, c.Program), filepath.Join(dir, "c", c.Program+".c")}
		if c.Library {
			if err := command(ctx, builder, "--out", dir); err != nil {
				return err
			}
			lib := filepath.Join(dir, "lib")
			flags = append(flags, "-I", filepath.Join(dir, "include"), "-L", lib, "-lanypipe", "-Wl,-rpath,"+lib)
		}
		if err := command(ctx, "gcc", flags...); err != nil {
			return err
		}
	}
	return nil
}

// command runs a command, and puts what it said into its error.
func command(ctx context.Context, name string, args ...string) error {
	if text, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, text)
	}
	return nil
}

// program is where the compiled program of that name lies.
func program(dir, name string) string { return filepath.Join(dir, name) }
