package wine

import (
	"errors"
	"io"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/anypipe/anypipe"
)

const leftBehind = "left behind"

// comeAndGo is a client that writes and has closed when this returns.
func comeAndGo(t *testing.T, name string) {
	t.Helper()
	c, err := anypipe.Dial(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, leftBehind); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// readLeft reads what a client left and then the end.
func readLeft(t *testing.T, r io.Reader) {
	t.Helper()
	if got, err := io.ReadAll(r); err != nil || string(got) != leftBehind {
		t.Errorf("%q, %v; want %q and the end", got, err, leftBehind)
	}
}

// Clients that came, wrote and went before anybody accepts are served all the same, each with its data.
func TestClientsGoneBeforeAccept(t *testing.T) {
	name := pipeName(t)
	l, err := anypipe.Listen(name)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 2 { // as many as listen ahead
		comeAndGo(t, name)
	}
	for range 2 {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		readLeft(t, c)
		c.Close()
	}
}

// Connect says that the client has gone; what it wrote is there.
func TestClientGoneBeforeConnect(t *testing.T) {
	name := pipeName(t)
	in, err := new(anypipe.ListenConfig).Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	comeAndGo(t, name)
	if err := in.Connect(t.Context()); !errors.Is(err, anypipe.ErrNoData) {
		t.Errorf("connect: %v, want ErrNoData", err)
	}
	readLeft(t, in)
}

// connected returns both ends of a pipe.
func connected(t *testing.T, d *anypipe.Dialer) (*anypipe.Instance, *anypipe.Conn) {
	t.Helper()
	name := pipeName(t)
	in, err := new(anypipe.ListenConfig).Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	c, err := d.Dial(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := in.Connect(t.Context()); !errors.Is(err, anypipe.ErrPipeConnected) {
		t.Fatalf("connect: %v, want ErrPipeConnected", err)
	}
	return in, c
}

// ourSID is who this process runs as.
func ourSID(t *testing.T) string {
	t.Helper()
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	return user.User.Sid.String()
}

// Both ends can name the other's process and user.
func TestPeers(t *testing.T) {
	in, c := connected(t, new(anypipe.Dialer))
	for who, ask := range map[string]func() (anypipe.Peer, error){"client": in.Peer, "server": c.Peer} {
		p, err := ask()
		if err != nil || p.PID != os.Getpid() || p.SID != ourSID(t) || p.User == "" {
			t.Errorf("the %s is %+v, %v; want pid %d and %s", who, p, err, os.Getpid(), ourSID(t))
		}
	}
}

// A client that insists on an owner gets the pipe of that owner and no other.
func TestExpectOwner(t *testing.T) {
	connected(t, &anypipe.Dialer{ExpectOwner: ourSID(t)})
	name := pipeName(t) + "-other"
	l, err := anypipe.Listen(name)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	stranger := &anypipe.Dialer{ExpectOwner: "S-1-5-7"}
	if _, err := stranger.Dial(t.Context(), name); !errors.Is(err, anypipe.ErrAccessDenied) {
		t.Errorf("another owner: %v, want ErrAccessDenied", err)
	}
}

// threadToken says whom this thread acts as, and how far; ERROR_NO_TOKEN if as its process.
func threadToken() (sid string, level uint32, err error) {
	var token windows.Token
	if err := windows.OpenThreadToken(windows.CurrentThread(), windows.TOKEN_QUERY, true, &token); err != nil {
		return "", 0, err
	}
	defer token.Close()
	user, err := token.GetTokenUser()
	if err != nil {
		return "", 0, err
	}
	var size uint32
	err = windows.GetTokenInformation(token, windows.TokenImpersonationLevel, (*byte)(unsafe.Pointer(&level)), 4, &size)
	return user.User.Sid.String(), level, err
}

// The function of RunAsClient runs with a token of the client's user, and nothing else does. Our clients allow identification
// only; Wine 8 gives full impersonation whatever a client allows, C programs' too.
func TestRunAsClient(t *testing.T) {
	in, c := connected(t, new(anypipe.Dialer))
	if _, err := c.Write([]byte("x")); err != nil { // Windows wants something read first
		t.Fatal(err)
	}
	if _, err := in.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	err := in.RunAsClient(func() error {
		sid, level, err := threadToken()
		if err != nil || sid != ourSID(t) || level < windows.SecurityIdentification {
			t.Errorf("acts as %q at level %d, %v; want %s, identification at least", sid, level, err, ourSID(t))
		}
		return io.ErrNoProgress
	})
	if !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("the function's error came back as %v", err)
	}
	if sid, _, err := threadToken(); !errors.Is(err, windows.ERROR_NO_TOKEN) {
		t.Errorf("afterwards acts as %q, %v", sid, err)
	}
}
