// Command anypipe makes, lists, tests and measures named pipes as Windows defines them, on every OS.
//
// Data goes to standard output; everything that is talk goes to standard error behind "anypipe: ". Run "anypipe help"
// for the commands and "anypipe demo" for a tour.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
