package soak

import (
	"bufio"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anypipe/anypipe"
)

// The rounds of the four kinds are 200 together.
const (
	clientKills  = 70
	serverKills  = 50
	pairKills    = 40
	creatorKills = 40
)

// A fuse goes off once after a number of messages; lit again it goes off again.
type fuse struct {
	left atomic.Int64
	off  atomic.Pointer[chan struct{}]
}

// light makes the fuse go off after n messages from now.
func (f *fuse) light(n int) <-chan struct{} {
	off := make(chan struct{})
	f.off.Store(&off)
	f.left.Store(int64(n))
	return off
}

func (f *fuse) burn() {
	if f.left.Add(-1) == 0 {
		close(*f.off.Load())
	}
}

// A client is killed at any moment: within messages, while it connects, while it closes. The server's ends get io.EOF,
// ERROR_BROKEN_PIPE or ERROR_NO_DATA, see ended, no message is cut or damaged, and the next client is served.
func TestKilledClients(t *testing.T) {
	guardHoldings(t)
	useNamespace(t)
	var f fuse
	s := startServer(t, "victim", messages(), f.burn)
	random := rand.New(rand.NewPCG(1, 1))
	for i := range rounds(clientKills) {
		role, messages := "load", 1+random.IntN(3000)
		if i%3 == 0 {
			role, messages = "churn", 1+random.IntN(150)
		}
		off := f.light(messages)
		client := startAgent(t, role, "victim")
		<-off
		client.kill()
	}
	c, err := dialFor(t.Context(), "victim", "echo")
	if err != nil {
		t.Fatal(err)
	}
	if err := pingPong(c, 1, 0, 10, func() {}); err != nil {
		t.Error(err)
	}
	c.Close()
	for _, err := range s.close() {
		t.Error(err)
	}
	t.Logf("%d connections", s.served)
}

// clients starts one user of each service of a name and returns where their verdicts come when the server has gone.
func clients(t *testing.T, name string, count func()) *sync.WaitGroup {
	t.Helper()
	var all sync.WaitGroup
	for _, service := range services {
		c, err := dialFor(t.Context(), name, service)
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			defer c.Close()
			if err := ended(c, use(c, service, -1, count)); err != nil {
				t.Errorf("%s: %v", service, err)
			}
		})
	}
	return &all
}

// A server is killed. Its clients learn it, and the name can be created again at once, by anybody who may.
func TestKilledServers(t *testing.T) {
	guardHoldings(t)
	useNamespace(t)
	random := rand.New(rand.NewPCG(2, 2))
	var f fuse
	for range rounds(serverKills) {
		s := startAgent(t, "serve", "victim", 4)
		s.expect("ready")
		off := f.light(1 + random.IntN(4000))
		waiting := clients(t, "victim", f.burn)
		<-off
		s.kill()
		once := anypipe.Dialer{NoBusyWait: true}
		if _, err := once.Dial(t.Context(), "victim"); !errors.Is(err, anypipe.ErrNotExist) {
			t.Errorf("open after the server was killed: %v", err)
		}
		next := messages()
		next.First = true
		in, err := next.Create(t.Context(), "victim")
		if err != nil {
			t.Fatalf("create after the server was killed: %v", err)
		}
		c, err := once.Dial(t.Context(), "victim")
		if err != nil {
			t.Fatalf("open the new server: %v", err)
		}
		c.Close()
		waiting.Wait()
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Of two servers of one name one is killed. The other's connections go on as if nothing had happened, new clients are served
// at once, and another server joins.
func TestKilledServerOfTwo(t *testing.T) {
	guardHoldings(t)
	useNamespace(t)
	random := rand.New(rand.NewPCG(3, 3))
	a, b := startAgent(t, "serve", "victim", 4), startAgent(t, "serve", "victim", 4)
	a.expect("ready")
	b.expect("ready")
	for range rounds(pairKills) {
		toA, toB := dialAt(t, a), dialAt(t, b)
		var f fuse
		off := f.light(1 + random.IntN(2000))
		var both sync.WaitGroup
		both.Go(func() {
			if err := ended(toA, pingPong(toA, 1, 0, 1<<30, f.burn)); err != nil {
				t.Error(err)
			}
		})
		stop := make(chan struct{})
		both.Go(func() {
			seq := uint64(0)
			for ; !closed(stop); seq++ {
				if err := pingPong(toB, 2, seq, 1, f.burn); err != nil {
					t.Errorf("the other server's connection: %v", err)
					return
				}
			}
		})
		<-off
		a.kill()
		dialAt(t, b).Close()
		a = startAgent(t, "serve", "victim", 4)
		a.expect("ready")
		close(stop)
		both.Wait()
		toA.Close()
		toB.Close()
		a, b = b, a
	}
	for _, s := range []*agent{a, b} {
		s.in.Close()
		s.expect("closed")
		s.expect("gone")
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// dialAt opens the pipe until it is served by the agent.
func dialAt(t *testing.T, server *agent) *anypipe.Conn {
	t.Helper()
	for range polls(t, "an instance of the process") {
		c, err := dialFor(background, "victim", "echo")
		if err != nil {
			t.Fatal(err)
		}
		peer, err := c.Peer()
		if err != nil {
			t.Fatal(err)
		}
		if peer.PID == server.pid() {
			return c
		}
		c.Close()
	}
	t.FailNow()
	return nil
}

// agentCreate NAME: a server that creates the name and closes it again, until it is killed.
func agentCreate(args []string, _ *bufio.Scanner) error {
	for {
		in, err := messages().Create(background, args[0])
		if err != nil {
			return err
		}
		say("created")
		if err := in.Close(); err != nil {
			return err
		}
		say("closed")
	}
}

// A server is killed while it creates or closes its instances, alone or beside another. The name can be created at once, and
// nothing stays of it.
func TestKilledCreators(t *testing.T) {
	guardHoldings(t)
	useNamespace(t)
	random := rand.New(rand.NewPCG(4, 4))
	for i := range rounds(creatorKills) {
		a := startAgent(t, "create", "victim")
		for range 1 + random.IntN(40) {
			a.line()
			if i%2 == 0 {
				continue
			}
			in, err := messages().Create(t.Context(), "victim")
			if err != nil {
				t.Fatalf("create beside the other: %v", err)
			}
			if err := in.Close(); err != nil {
				t.Error(err)
			}
		}
		a.kill()
		first := messages()
		first.First = true
		in, err := first.Create(t.Context(), "victim")
		if err != nil {
			t.Fatalf("create after the other was killed: %v", err)
		}
		c, err := anypipe.Dial(t.Context(), "victim")
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.Close(), in.Close()); err != nil {
			t.Error(err)
		}
	}
}
