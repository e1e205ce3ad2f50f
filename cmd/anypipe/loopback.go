package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/anypipe/anypipe"
)

// The loopback address joins two relays on one machine that share nothing but files and 127.0.0.1, as one in Wine and one
// beside it. Its file, which only its owner can read, holds the port and a secret. Both sides prove that they know it, without
// telling it: whoever else gets hold of the port learns nothing and gets nowhere.
//
// After the proofs each direction is frames: a length of 4 bytes, big-endian, and as many bytes. The direction ends as TCP's does.
const (
	nonceSize    = sha256.Size
	proofTimeout = 5 * time.Second
)

// proof is what only who knows the secret can answer to a nonce. The role keeps a proof from being sent back as one's own.
func proof(secret []byte, role string, nonce []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte("anypipe relay " + role))
	m.Write(nonce)
	return m.Sum(nil)
}

var errNoProof = fmt.Errorf("the other side of the loopback port does not know the secret: %w", anypipe.ErrAccessDenied)

// prove does one side's part: it sends a nonce, answers the other's, and checks the answer to its own.
func prove(c net.Conn, secret []byte, me, other string) error {
	if err := c.SetDeadline(time.Now().Add(proofTimeout)); err != nil {
		return err
	}
	mine, theirs, answer := make([]byte, nonceSize), make([]byte, nonceSize), make([]byte, sha256.Size)
	rand.Read(mine)
	if _, err := c.Write(mine); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, theirs); err != nil {
		return err
	}
	if _, err := c.Write(proof(secret, me, theirs)); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, answer); err != nil || !hmac.Equal(answer, proof(secret, other, mine)) {
		return errNoProof
	}
	return c.SetDeadline(time.Time{})
}

// loopbackListening is a port that this process opened.
type loopbackListening struct {
	*net.TCPListener
	secret []byte
	file   string
}

// listenLoopback opens a port and writes the file, at once and whole, so that nobody reads half of it.
func listenLoopback(file string) (listening, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	secret := make([]byte, sha256.Size)
	rand.Read(secret)
	text := fmt.Sprintf("%d %s\n", l.Addr().(*net.TCPAddr).Port, hex.EncodeToString(secret))
	if err := replaceFile(file, []byte(text)); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &loopbackListening{l.(*net.TCPListener), secret, file}, nil
}

// replaceFile writes a file for its owner only.
func replaceFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func (l *loopbackListening) accept(context.Context) (func(context.Context) (channel, error), error) {
	c, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (channel, error) {
		return newFrameChannel(ctx, c, l.secret, "listener", "dialer")
	}, nil
}

func (l *loopbackListening) close() error { return errors.Join(l.Close(), os.Remove(l.file)) }
func (l *loopbackListening) single() bool { return false }

// dialLoopback reads the file and connects. A listener that was started anew is found, as the file is read each time.
func dialLoopback(ctx context.Context, file string) (channel, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	port, hexSecret, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	number, err := strconv.ParseUint(port, 10, 16)
	secret, hexErr := hex.DecodeString(hexSecret)
	if err != nil || hexErr != nil || len(secret) != sha256.Size {
		return nil, fmt.Errorf("%s is no file of loopback: want a port and a secret of %d hexadecimal digits", file, 2*sha256.Size)
	}
	c, err := new(net.Dialer).DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.FormatUint(number, 10)))
	if err != nil {
		return nil, err
	}
	return newFrameChannel(ctx, c.(*net.TCPConn), secret, "dialer", "listener")
}

// frameChannel is a loopback connection after the proofs.
type frameChannel struct {
	conn *net.TCPConn
	buf  []byte
}

// newFrameChannel makes the proofs. It owns the connection, also if it fails.
func newFrameChannel(ctx context.Context, c *net.TCPConn, secret []byte, me, other string) (channel, error) {
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(longAgo) })
	defer stop()
	if err := prove(c, secret, me, other); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &frameChannel{conn: c}, nil
}

func (f *frameChannel) receive() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(f.conn, head[:]); err != nil {
		return nil, err // io.EOF between two frames is the end
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxJoined {
		return nil, fmt.Errorf("a frame of %d bytes, allowed are %d", n, maxJoined)
	}
	// Grow with what really comes, not with what the head promises.
	buf := bytes.NewBuffer(f.buf[:0])
	if _, err := io.CopyN(buf, f.conn, int64(n)); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	f.buf = buf.Bytes()
	return f.buf, nil
}

func (f *frameChannel) send(p []byte) error {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(p)))
	_, err := (&net.Buffers{head, p}).WriteTo(f.conn)
	return err
}

func (f *frameChannel) endSend() error { return f.conn.CloseWrite() }
func (f *frameChannel) close() error   { return f.conn.Close() }
