package wine

import (
	"context"
	"testing"
	"time"

	"github.com/anypipe/anypipe"
)

// TestMeasure asks the kernel what no public source settles, and logs the answers. They are no expectations: on Windows they are
// the truth, in Wine they are Wine's. See docs/windows-check.md.
func TestMeasure(t *testing.T) {
	for _, m := range []struct {
		question string
		ask      func(*testing.T, string) string
	}{
		{"Disconnect while LISTENING", disconnectListening},
		{"the client's process id while LISTENING", peerListening},
		{"impersonation in DISCONNECTED", impersonateDisconnected},
		{"quotas of a later instance that asks for others", laterQuotas},
		{"message-read mode of a later instance on a byte-type pipe", laterReadMode},
		{"switching to NOWAIT while a read waits", noWaitWhileWaiting},
		{"an own blocked write, after its writer closed", blockedWriteAfterClose},
		{"no free instance and the wrong direction", busyOrDirection},
		{"a read of 0 bytes of a queued empty message", emptyRead},
	} {
		t.Logf("%s: %s", m.question, m.ask(t, pipeName(t)+"-"+t.Name()[:4]+m.question[:3]))
	}
}

// said puts an outcome into words.
func said(err error) string {
	if err == nil {
		return "succeeds"
	}
	return err.Error()
}

func create(t *testing.T, cfg anypipe.ListenConfig, name string) *anypipe.Instance {
	t.Helper()
	in, err := cfg.Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return in
}

func open(t *testing.T, name string) *anypipe.Conn {
	t.Helper()
	c, err := (&anypipe.Dialer{NoBusyWait: true}).Dial(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func disconnectListening(t *testing.T, name string) string {
	return said(create(t, anypipe.ListenConfig{}, name).Disconnect())
}

func peerListening(t *testing.T, name string) string {
	_, err := create(t, anypipe.ListenConfig{}, name).Peer()
	return said(err)
}

func impersonateDisconnected(t *testing.T, name string) string {
	in := create(t, anypipe.ListenConfig{}, name)
	open(t, name)
	if err := in.Disconnect(); err != nil {
		return said(err)
	}
	return said(in.RunAsClient(func() error { return nil }))
}

func laterQuotas(t *testing.T, name string) string {
	create(t, anypipe.ListenConfig{InBuffer: 1000, OutBuffer: 1000}, name)
	later := create(t, anypipe.ListenConfig{InBuffer: 2000, OutBuffer: 2000}, name)
	if info, err := later.Info(); err != nil || info.InQuota == 2000 {
		return "its own (" + said(err) + ")"
	}
	return "the first creator's"
}

func laterReadMode(t *testing.T, name string) string {
	create(t, anypipe.ListenConfig{}, name)
	later, err := (&anypipe.ListenConfig{Type: anypipe.Message, ReadMode: anypipe.Message}).Create(t.Context(), name)
	if err != nil {
		return said(err)
	}
	defer later.Close()
	info, err := later.Info()
	return info.Type.String() + " type, " + info.Modes.Read.String() + "-read mode, info " + said(err)
}

func noWaitWhileWaiting(t *testing.T, name string) string {
	in := create(t, anypipe.ListenConfig{}, name)
	c := open(t, name)
	read := make(chan error, 1)
	go func() { _, err := in.Read(make([]byte, 1)); read <- err }()
	for pending := false; !pending; { // a waiting read lowers the other end's write quota, where that is counted
		info, err := c.Info()
		pending = err != nil || info.WriteQuota < info.InQuota
	}
	answer := said(in.SetModes(anypipe.Modes{NoWait: true}))
	in.SetReadDeadline(time.Unix(1, 0))
	return answer + "; the read: " + said(<-read)
}

func blockedWriteAfterClose(t *testing.T, name string) string {
	in := create(t, anypipe.ListenConfig{InBuffer: 10}, name)
	c := open(t, name)
	wrote := make(chan error, 1)
	go func() { _, err := c.Write(make([]byte, 100)); wrote <- err }()
	for avail := 0; avail == 0; {
		p, err := in.Peek(nil)
		if err != nil {
			return said(err)
		}
		avail = p.Available
	}
	c.Close()
	<-wrote
	_, err := in.Read(make([]byte, 200))
	return "a read then " + said(err) + " (our Close cancels the write first)"
}

func busyOrDirection(t *testing.T, name string) string {
	create(t, anypipe.ListenConfig{Direction: anypipe.Inbound}, name)
	d := &anypipe.Dialer{Access: anypipe.GenericWrite, NoBusyWait: true}
	c, err := d.Dial(context.Background(), name)
	if err != nil {
		return said(err)
	}
	defer c.Close()
	_, err = (&anypipe.Dialer{Access: anypipe.GenericRead, NoBusyWait: true}).Dial(context.Background(), name)
	return said(err)
}

func emptyRead(t *testing.T, name string) string {
	in := create(t, anypipe.ListenConfig{Type: anypipe.Message}, name)
	c := open(t, name)
	if _, err := in.Write(nil); err != nil {
		return said(err)
	}
	if _, err := c.Read(nil); err != nil {
		return said(err)
	}
	c.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil {
		return "leaves the message"
	}
	return "takes the message"
}
