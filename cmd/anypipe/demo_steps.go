package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/anypipe/anypipe"
)

// The sizes of the demo and the Win32 errors that it expects.
const (
	demoBuffer  = 4 << 10
	demoBig     = 1 << 20
	errPipeBusy = 231
	errMoreData = 234
	errNoPipe   = 2
	errCut      = 233 // ERROR_PIPE_NOT_CONNECTED
)

// createInstances makes the server's instances one by one, as CreateNamedPipe does; Listen would keep making more.
func (d *demo) createInstances() error {
	config := anypipe.ListenConfig{
		Type: anypipe.Message, ReadMode: anypipe.Message, MaxInstances: 2, InBuffer: demoBuffer, OutBuffer: demoBuffer,
	}
	for i := range config.MaxInstances {
		each := config
		each.First = i == 0 // nobody else's pipe of this name
		in, err := each.Create(d.ctx, d.name)
		if err != nil {
			return err
		}
		d.instances = append(d.instances, in)
		if err := d.bind(in); err != nil {
			return err
		}
	}
	if _, err := config.Create(d.ctx, d.name); !errors.Is(err, anypipe.ErrPipeBusy) {
		return fmt.Errorf("a third instance of two gave %v", err)
	}
	return errors.Join(d.step("A server makes a pipe: a name, and instances that clients can open"),
		d.tell("server", `creates \\.\pipe\%s: message type, both ways, at most 2 instances, %d byte buffers`, d.name, demoBuffer),
		d.tell("", "each instance serves one client at a time; a third one is refused"))
}

// bind bounds every wait of an instance.
func (d *demo) bind(in *anypipe.Instance) error {
	end, ok := d.ctx.Deadline()
	if !ok {
		return errors.New("the demo has no deadline")
	}
	return in.SetDeadline(end)
}

// openInstances starts the clients in turn, so that the third surely is the one too many. It is left waiting: its
// answer comes in the chapter waiting.
func (d *demo) openInstances() error {
	if err := d.step("Three client processes want in, but there are two instances"); err != nil {
		return err
	}
	for i, who := range []string{"client A", "client B", "client C"} {
		c, err := d.newClient(who)
		if err != nil {
			return err
		}
		want := 0
		if i >= len(d.instances) {
			want = errPipeBusy
		}
		a, err := c.do(want, "open", nil, 0)
		if err != nil {
			return err
		}
		outcome := "has an instance of its own"
		if want != 0 {
			outcome = a.Error
		}
		if err := d.tell(who, "opens the pipe: %s", outcome); err != nil {
			return err
		}
	}
	for _, in := range d.instances {
		if err := d.connected(in); err != nil {
			return err
		}
	}
	if err := d.clients[2].order("wait", nil, 0); err != nil {
		return err
	}
	return d.tell("client C", "waits for a free instance (WaitNamedPipe)")
}

// connected is ConnectNamedPipe, for which a client that came before is a success too.
func (d *demo) connected(in *anypipe.Instance) error {
	if err := in.Connect(d.ctx); err != nil && !errors.Is(err, anypipe.ErrPipeConnected) {
		return err
	}
	return nil
}

// whoIsThere compares what the pipe says with the process ids that we know, as we started the clients.
func (d *demo) whoIsThere() error {
	if err := d.step("The system vouches for who is at the other end"); err != nil {
		return err
	}
	for i, in := range d.instances {
		peer, err := in.Peer()
		if err != nil {
			return err
		}
		if want := d.clients[i].cmd.Process.Pid; peer.PID != want {
			return fmt.Errorf("%s has pid %d, but the pipe says %d", d.clients[i].who, want, peer.PID)
		}
		if err := d.tell("server", "%s is pid %d, user %s", d.clients[i].who, peer.PID, printable(peer.User)); err != nil {
			return err
		}
	}
	return nil
}

// boundaries has all three messages in the pipe before the first is read: only then the boundaries are the pipe's
// work.
func (d *demo) boundaries() error {
	if err := d.step("Messages keep their boundaries, even when several wait in the pipe"); err != nil {
		return err
	}
	words := []string{"one", "three", "seven"}
	for _, w := range words {
		if _, err := d.clients[0].do(0, "write", []byte(w), 0); err != nil {
			return err
		}
	}
	front := make([]byte, 64)
	peek, err := d.instances[0].Peek(front)
	if err != nil {
		return err
	}
	if peek.Available != 13 || string(front[:peek.Read]) != words[0] {
		return fmt.Errorf("peek saw %q of %d bytes", front[:peek.Read], peek.Available)
	}
	err = errors.Join(d.tell("client A", "writes %q", words),
		d.tell("server", "peeks: %d bytes wait, the first message is %q; nothing is taken", peek.Available, front[:peek.Read]))
	if err != nil {
		return err
	}
	for _, w := range words {
		if err := d.serverReads(0, []byte(w)); err != nil {
			return err
		}
	}
	return d.tell("server", "three reads give %q: one message each, though the buffer held them together", words)
}

// serverReads reads one message of an instance and compares it.
func (d *demo) serverReads(instance int, want []byte) error {
	got, err := d.instances[instance].ReadMessage()
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("the server read %d bytes (%.40q), expected %d (%.40q)", len(got), got, len(want), want)
	}
	return nil
}

// emptyMessage reads with plain Read, where 0 bytes without an error could be mistaken for the end.
func (d *demo) emptyMessage() error {
	if err := d.step("An empty message is a message, not the end"); err != nil {
		return err
	}
	if _, err := d.clients[1].do(0, "write", []byte{}, 0); err != nil {
		return err
	}
	n, err := d.instances[1].Read(make([]byte, 16))
	if err != nil || n != 0 {
		return fmt.Errorf("the empty message read as %d bytes, error %v", n, err)
	}
	if _, err := d.clients[1].do(0, "write", []byte("still here"), 0); err != nil {
		return err
	}
	return errors.Join(d.serverReads(1, []byte("still here")),
		d.tell("client B", "writes 0 bytes, then %q", "still here"),
		d.tell("server", "reads 0 bytes and no error, then %q", "still here"))
}

// bigMessage goes both ways. The reader has to be at work before the write can end, so the client is ordered, served,
// and asked afterwards.
func (d *demo) bigMessage() error {
	if err := d.step("A message may be far larger than the buffer"); err != nil {
		return err
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), demoBig/16)
	if err := d.clients[0].order("write", big, 0); err != nil {
		return err
	}
	if err := d.serverReads(0, big); err != nil {
		return err
	}
	if _, err := d.clients[0].expect(0, "write"); err != nil {
		return err
	}
	if err := d.clients[0].order("read", nil, demoBig); err != nil {
		return err
	}
	if _, err := d.instances[0].Write(big); err != nil {
		return err
	}
	back, err := d.clients[0].expect(0, "read")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(big)
	if sha256.Sum256(back.Data) != sum {
		return errors.New("the big message came back changed")
	}
	return errors.Join(d.tell("client A", "writes one message of %d bytes through the %d byte buffer", demoBig, demoBuffer),
		d.tell("server", "reads it as one message and sends it back; SHA-256 %x… on both sides", sum[:4]))
}

// smallBuffer reads one message in two reads.
func (d *demo) smallBuffer() error {
	if err := d.step("A read buffer that is too small loses nothing"); err != nil {
		return err
	}
	text := []byte("abcdefghijklmnopqrstuvwxyz")
	if _, err := d.instances[1].Write(text); err != nil {
		return err
	}
	first, err := d.clients[1].do(errMoreData, "read", nil, 10)
	if err != nil {
		return err
	}
	rest, err := d.clients[1].do(0, "read", nil, 100)
	if err != nil {
		return err
	}
	if string(first.Data)+string(rest.Data) != string(text) {
		return fmt.Errorf("client B read %q and %q", first.Data, rest.Data)
	}
	return errors.Join(d.tell("server", "writes a message of %d bytes", len(text)),
		d.tell("client B", "reads with room for 10: %q and ERROR_MORE_DATA (%d)", first.Data, errMoreData),
		d.tell("client B", "reads on: %q, the rest of the same message", rest.Data))
}

// transaction is a question from client A while the server reads and answers by hand.
func (d *demo) transaction() error {
	if err := d.step("Question and answer in one call (TransactNamedPipe)"); err != nil {
		return err
	}
	if err := d.clients[0].order("transact", []byte("6 times 7?"), 0); err != nil {
		return err
	}
	if err := d.serverReads(0, []byte("6 times 7?")); err != nil {
		return err
	}
	if _, err := d.instances[0].Write([]byte("42")); err != nil {
		return err
	}
	reply, err := d.clients[0].expect(0, "transact")
	if err != nil {
		return err
	}
	if string(reply.Data) != "42" {
		return fmt.Errorf("the reply was %q", reply.Data)
	}
	return d.tell("client A", "asks %q and gets %q", "6 times 7?", reply.Data)
}

// waiting frees an instance. Connect has to run while client C's wait is answered, as only a LISTENING instance ends
// that wait.
func (d *demo) waiting() error {
	if err := d.step("A client leaves; the one that waited comes in"); err != nil {
		return err
	}
	in, c := d.instances[0], d.clients[2]
	if _, err := d.clients[0].do(0, "close", nil, 0); err != nil {
		return err
	}
	if _, err := in.ReadMessage(); anypipe.Win32Code(err) != 109 {
		return fmt.Errorf("the server read %v after client A closed", err)
	}
	if err := errors.Join(d.tell("client A", "closes; the server's read ends (ERROR_BROKEN_PIPE, 109)"), in.Disconnect()); err != nil {
		return err
	}
	connected := make(chan error, 1)
	go func() { connected <- d.connected(in) }()
	_, waitErr := c.expect(0, "wait")
	if waitErr == nil {
		_, waitErr = c.do(0, "open", nil, 0)
	}
	if waitErr != nil {
		d.cancelConnect(in)
	}
	if err := errors.Join(waitErr, <-connected, d.bind(in)); err != nil {
		return err
	}
	if _, err := c.do(0, "write", []byte("my turn"), 0); err != nil {
		return err
	}
	return errors.Join(d.serverReads(0, []byte("my turn")),
		d.tell("server", "disconnects the instance and lets it listen again"),
		d.tell("client C", "its wait returns, it opens the pipe and writes %q", "my turn"))
}

// cancelConnect ends a Connect that nobody will answer any more.
func (d *demo) cancelConnect(in *anypipe.Instance) { in.Close() }

// disconnecting cuts client B off with a message on its way: Disconnect takes back what was not read.
func (d *demo) disconnecting() error {
	if err := d.step("The server can throw a client off; what was not read is gone"); err != nil {
		return err
	}
	if _, err := d.instances[1].Write([]byte("too late")); err != nil {
		return err
	}
	if err := d.instances[1].Disconnect(); err != nil {
		return err
	}
	a, err := d.clients[1].do(errCut, "read", nil, 100)
	if err != nil {
		return err
	}
	return errors.Join(d.tell("server", "writes %q to client B and disconnects it at once", "too late"),
		d.tell("client B", "reads: %s", a.Error))
}

// ending closes the last instances and sees that the name is gone for a client.
func (d *demo) ending() error {
	if err := d.step("With its last instance the name is gone"); err != nil {
		return err
	}
	for _, in := range d.instances {
		if err := in.Close(); err != nil {
			return err
		}
	}
	a, err := d.clients[1].do(errNoPipe, "open", nil, 0)
	if err != nil {
		return err
	}
	return errors.Join(d.tell("server", "closes both instances"), d.tell("client B", "opens the pipe: %s", a.Error))
}
