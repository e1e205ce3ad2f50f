//go:build darwin || freebsd

package local

const bytesToRead = 0x4004667F // FIONREAD

// flush does not wait: the system does not tell when the peer has read what a socket holds.
func (s *stream) flush() error { return s.gone(nil) }

func (s *stream) flushWaits() bool { return false }
