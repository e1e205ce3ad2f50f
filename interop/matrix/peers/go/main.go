// Command peer is the matrix's peer in Go; ../../README.md says what a peer does.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/anypipe/anypipe"
)

const usage = `usage: peer serve NAME TYPE MAX | client NAME TYPE | hold NAME TYPE | open NAME | wait NAME MS
TYPE is byte or message`

func main() {
	err := errUsage
	if len(os.Args) > 2 {
		err = run(os.Args[1], os.Args[2], os.Args[3:])
	}
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	case err != nil:
		fmt.Println(err)
		os.Exit(1)
	}
}

var errUsage = errors.New("wrong arguments")

func run(verb, name string, args []string) error {
	switch {
	case verb == "serve" && len(args) == 2:
		instances, err := strconv.Atoi(args[1])
		return errors.Join(usageIf(err), serve(name, args[0], instances))
	case verb == "client" && len(args) == 1:
		return client(name, args[0])
	case verb == "hold" && len(args) == 1:
		return hold(name, args[0])
	case verb == "open" && len(args) == 0:
		return open(name)
	case verb == "wait" && len(args) == 1:
		ms, err := strconv.Atoi(args[0])
		report(anypipe.Wait(context.Background(), name, time.Duration(ms)*time.Millisecond))
		return usageIf(err)
	}
	return errUsage
}

func usageIf(err error) error {
	if err != nil {
		return errUsage
	}
	return nil
}

// report prints what a call came to.
func report(err error) {
	if err == nil {
		fmt.Println("ok")
		return
	}
	fmt.Println("error", anypipe.Win32Code(err))
}

// typeOf returns the pipe type, which is also the read mode of both ends.
func typeOf(word string) (anypipe.Mode, error) {
	switch word {
	case "byte":
		return anypipe.Byte, nil
	case "message":
		return anypipe.Message, nil
	}
	return 0, errUsage
}

// conn sends and receives the matrix's messages over an end.
type conn struct{ *anypipe.Conn }

func (c conn) send(message []byte) error {
	if c.Type() == anypipe.Byte {
		message = append(binary.LittleEndian.AppendUint32(nil, uint32(len(message))), message...)
	}
	_, err := c.Write(message)
	return err
}

// largest is more than any message of the matrix.
const largest = 1 << 24

func (c conn) receive() ([]byte, error) {
	if c.Type() == anypipe.Message {
		return c.ReadMessage()
	}
	var header [4]byte
	if _, err := io.ReadFull(c, header[:]); err != nil {
		return nil, err
	}
	size := binary.LittleEndian.Uint32(header[:])
	if size > largest {
		return nil, fmt.Errorf("a message of %d bytes", size)
	}
	message := make([]byte, size)
	_, err := io.ReadFull(c, message)
	return message, err
}

// flood sends 1,000 messages while it receives as many, and returns the hash of these.
func (c conn) flood(salt int) (string, error) {
	sent := make(chan error, 1)
	go func() {
		for i := range 1000 {
			if err := c.send(floodMessage(i, salt)); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	sum := newHash()
	for range 1000 {
		message, err := c.receive()
		if err != nil {
			return "", errors.Join(err, <-sent) // the sender fails too: the connection has ended
		}
		sum.add(message)
	}
	return sum.String(), <-sent
}

const (
	clientSalt = 0
	serverSalt = 128
)

func floodMessage(i, salt int) []byte {
	message := make([]byte, i*37%2000)
	for j := range message {
		message[j] = byte(i + j + salt)
	}
	return message
}

// expected returns the hash of the flood that has the salt.
func expected(salt int) string {
	sum := newHash()
	for i := range 1000 {
		sum.add(floodMessage(i, salt))
	}
	return sum.String()
}

type hash struct{ io.Writer }

func newHash() hash { return hash{fnv.New64a()} }

func (h hash) add(message []byte) {
	_ = binary.Write(h, binary.LittleEndian, uint32(len(message)))
	_, _ = h.Write(message)
}

func (h hash) String() string {
	return fmt.Sprintf("%016x", h.Writer.(interface{ Sum64() uint64 }).Sum64())
}

// serve serves clients with as many instances until stdin ends.
func serve(name, kind string, instances int) error {
	typ, err := typeOf(kind)
	if err != nil {
		return err
	}
	config := anypipe.ListenConfig{Type: typ, ReadMode: typ, MaxInstances: instances}
	var serving sync.WaitGroup
	var made []*anypipe.Instance
	ctx, stop := context.WithCancel(context.Background())
	for range instances {
		in, err := config.Create(ctx, name)
		if err != nil {
			stop()
			return err
		}
		made = append(made, in)
		serving.Go(func() { serveInstance(ctx, in) })
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	stop()
	for _, in := range made {
		in.Close()
	}
	serving.Wait()
	return nil
}

// serveInstance serves one client after another.
func serveInstance(ctx context.Context, in *anypipe.Instance) {
	for {
		err := in.Connect(ctx)
		if err == nil || errors.Is(err, anypipe.ErrPipeConnected) || errors.Is(err, anypipe.ErrNoData) {
			_ = converse(conn{&in.Conn})
			err = in.Disconnect()
		}
		if err != nil {
			return
		}
	}
}

// converse answers one client until it says BYE.
func converse(c conn) error {
	for {
		message, err := c.receive()
		switch {
		case err != nil || string(message) == "BYE":
			return err
		case string(message) == "FLOOD":
			var sum string
			if sum, err = c.flood(serverSalt); err == nil {
				err = c.send([]byte("HASH " + sum))
			}
		default:
			err = c.send(message)
		}
		if err != nil {
			return err
		}
	}
}

func dial(name, kind string) (conn, error) {
	typ, err := typeOf(kind)
	if err != nil {
		return conn{}, err
	}
	c, err := (&anypipe.Dialer{ReadMode: typ}).Dial(context.Background(), name)
	return conn{c}, err
}

func client(name, kind string) error {
	c, err := dial(name, kind)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, size := range []int{1, 64, 1000, 65537, 0, 1 << 20} {
		if err := c.echo(patterned(size)); err != nil {
			return err
		}
	}
	fmt.Println("echo ok")
	if err := c.checkFlood(); err != nil {
		return err
	}
	fmt.Println("flood ok")
	if err := c.send([]byte("BYE")); err != nil {
		return err
	}
	_, err = c.receive()
	report(err)
	fmt.Println("done")
	return nil
}

func patterned(size int) []byte {
	message := make([]byte, size)
	for j := range message {
		message[j] = byte((size + j) % 251)
	}
	return message
}

// echo sends a message and checks that it comes back.
func (c conn) echo(message []byte) error {
	if err := c.send(message); err != nil {
		return err
	}
	got, err := c.receive()
	if err != nil {
		return err
	}
	if !bytes.Equal(got, message) {
		return fmt.Errorf("sent %d bytes, got %d others back", len(message), len(got))
	}
	return nil
}

// checkFlood floods, and checks what both sides received.
func (c conn) checkFlood() error {
	if err := c.send([]byte("FLOOD")); err != nil {
		return err
	}
	sum, err := c.flood(clientSalt)
	if err != nil {
		return err
	}
	if want := expected(serverSalt); sum != want {
		return fmt.Errorf("received %s, want %s", sum, want)
	}
	answer, err := c.receive()
	if want := "HASH " + expected(clientSalt); err == nil && string(answer) != want {
		return fmt.Errorf("the server says %q, want %q", answer, want)
	}
	return err
}

// hold says what a read gets when its server dies.
func hold(name, kind string) error {
	c, err := dial(name, kind)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.echo([]byte("hold")); err != nil {
		return err
	}
	fmt.Println("connected")
	_, err = c.receive()
	report(err)
	return nil
}

func open(name string) error {
	c, err := (&anypipe.Dialer{NoBusyWait: true}).Dial(context.Background(), name)
	report(err)
	if err == nil {
		return c.Close()
	}
	return nil
}
