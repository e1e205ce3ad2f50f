package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
)

// listenUnix makes a Unix socket for its owner only. A socket that a dead process left behind is replaced, one that
// somebody serves is not.
func listenUnix(path string) (listening, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSocket != 0 {
		if c, err := net.Dial("unix", path); err == nil {
			return nil, errors.Join(usagef("somebody serves %s already", path), c.Close())
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &unixListening{l}, nil
}
