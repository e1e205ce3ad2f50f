//go:build darwin || freebsd

package local

const bytesToRead = 0x4004667F // FIONREAD

// Flush does not wait: the system does not tell when the peer has read what a socket holds.
func (s *stream) Flush() error { return s.gone(nil) }
