package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"io"

	"github.com/anypipe/anypipe"
)

// framing says how a stream (stdin, stdout, a child's pipes) stands for what goes through a named pipe.
type framing int

// The framings.
const (
	raw   framing = iota // byte type: bytes as they come
	lines                // message type: a line is a message, without its line end; an empty line is an empty message
	whole                // message type with --whole: all of the stream is one message; received ones follow each other bare
)

// framingHelp explains the framings in the help of the commands that have them.
const framingHelp = `On a byte-type pipe bytes pass as they come. On a message-type pipe each line of input is one message, without its
line end (an empty line is an empty message), and each message received is written with a line end behind it. That
suits text; for binary data --whole sends all of the input as one message and writes what it receives unchanged.`

// framingFor is the framing for a pipe's mode, message or byte.
func framingFor(mode anypipe.Mode, wholeInput bool) (framing, error) {
	switch {
	case mode == anypipe.Message && wholeInput:
		return whole, nil
	case mode == anypipe.Message:
		return lines, nil
	case wholeInput:
		return raw, usagef("--whole is for messages; this pipe carries bytes, which pass unchanged anyway")
	}
	return raw, nil
}

// chunk is how much of a byte stream is moved at a time.
const chunk = 64 << 10

// split cuts a stream into what to write one by one. An item is valid until yield returns. It returns nil at the end of
// the stream.
func (f framing) split(r io.Reader, yield func(item []byte) error) error {
	switch f {
	case lines:
		return splitLines(r, yield)
	case whole:
		all, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		return yield(all)
	}
	buf := make([]byte, chunk)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if err := yield(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return notEOF(err)
		}
	}
}

// splitLines has no longest line: a message may have any size. The last line counts without a line end, too.
func splitLines(r io.Reader, yield func(item []byte) error) error {
	in := bufio.NewReaderSize(r, chunk)
	for {
		line, err := in.ReadBytes('\n')
		if err == nil || len(line) > 0 {
			if err := yield(trimLineEnd(line)); err != nil {
				return err
			}
		}
		if err != nil {
			return notEOF(err)
		}
	}
}

// trimLineEnd removes one LF or CRLF.
func trimLineEnd(line []byte) []byte {
	if cut, ok := bytes.CutSuffix(line, []byte("\n")); ok {
		return bytes.TrimSuffix(cut, []byte("\r"))
	}
	return line
}

// receive hands on what comes from the pipe until its end, bytes or messages as the framing has it.
func (f framing) receive(c *anypipe.Conn, emit func(p []byte) error) error {
	if f != raw {
		for msg, err := range c.Messages() {
			if err == nil {
				err = emit(msg)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	buf := make([]byte, chunk)
	for {
		n, err := c.Read(buf)
		if n > 0 {
			if err := emit(buf[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return notEOF(err)
		}
	}
}

// emitter writes what receive hands on, in one Write each.
func (f framing) emitter(w io.Writer) func(p []byte) error {
	var line []byte
	return func(p []byte) error {
		if f == lines {
			line = append(append(line[:0], p...), '\n')
			p = line
		}
		_, err := w.Write(p)
		return err
	}
}

// hexEmitter writes each piece as a hex dump of its own; an empty message is an empty line.
func hexEmitter(w io.Writer) func(p []byte) error {
	return func(p []byte) error {
		text := hex.Dump(p)
		if text == "" {
			text = "\n"
		}
		_, err := io.WriteString(w, text)
		return err
	}
}

// notEOF takes the regular end of a stream for success.
func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
