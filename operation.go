package anypipe

import (
	"context"
	"sync"

	"github.com/anypipe/anypipe/internal/local"
)

// The words of operations that are started and waited for later.
type (
	// Work is what a [Request] asks for: [ReadWork] and so on.
	Work = local.Work
	// Request describes an operation to start. Its buffers belong to the operation until it is over. Its fields:
	//
	//	Work  Work
	//	In    []byte // what a write or transact sends
	//	Out   []byte // where a read or transact puts what comes
	//	Whole bool   // the read appends one whole message to Out, growing it
	//	Limit int    // with Whole: at most so many bytes; 0 is no limit
	Request = local.Request
	// Pending is an operation of an Endpoint that was started. Done and Wait are not called concurrently; Cancel may be:
	//
	//	Done() bool // whether it is over, so that Wait won't wait; never waits itself
	//	// Wait waits until it is over and returns what it counted, what it read if the request said Whole, and how it ended. When
	//	// ctx is done it cancels the operation with ctx's error. It is called once.
	//	Wait(ctx context.Context) (n int, out []byte, err error)
	//	// Cancel ends it with the reason, unless it is over by then: what has arrived counts. It reports whether it was waiting.
	//	Cancel(reason error) bool
	Pending = local.Pending
)

// What a Request asks for.
const (
	ReadWork     = local.ReadWork
	WriteWork    = local.WriteWork
	TransactWork = local.TransactWork
	FlushWork    = local.FlushWork
	ConnectWork  = local.ConnectWork
)

// Starter is what an [Endpoint] has that can start operations and cancel them. An Endpoint without it serves a [Conn] all the same, but
// the Conn's Start methods and Cancel fail with [ErrNotSupported].
type Starter interface {
	// Start begins an operation, which has its place in the order of reads or writes on return. It does not wait: what
	// can be done at once is done, and an error is the Pending's.
	Start(r *Request) Pending
	// Cancel ends every call and operation that waits, Connect too, with ErrAborted; ErrNotFound if there is none.
	Cancel() error
}

var (
	_ Starter = (*local.Instance)(nil)
	_ Starter = (*local.Client)(nil)
	_ Starter = (*local.Half)(nil)
)

// Operation is a read, write or other operation that was started and may wait: what Windows calls overlapped I/O. Several
// operations of one end may be started; they take their place in the order of reads or of writes when they are started.
// The buffers that were given belong to the operation until it is over.
//
// Wait must be called for every operation that is not Done, as it is the waiting that drives it. To do without is to hold
// up what comes after it.
type Operation struct {
	conn    *Conn // immutable, like name and pending
	name    string
	pending Pending

	mu      sync.Mutex // held while one call waits; guards below
	over    bool       // the result is there
	n       int
	message []byte
	err     error
}

// StartRead starts a [Conn.Read].
func (c *Conn) StartRead(p []byte) *Operation {
	return c.start("read", &Request{Work: ReadWork, Out: p})
}

// StartReadMessage starts a [Conn.ReadMessage]; [Operation.Message] has the message.
func (c *Conn) StartReadMessage() *Operation {
	return c.start("read", &Request{Work: ReadWork, Whole: true, Limit: c.maxMessage})
}

// StartWrite starts a [Conn.Write] of at most 2 GiB − 1 bytes.
func (c *Conn) StartWrite(p []byte) *Operation {
	return c.start("write", &Request{Work: WriteWork, In: p})
}

// StartTransact starts a TransactNamedPipe: as [Conn.Transact], but the reply is read into reply. If it is longer, the error
// is [ErrMoreData] and the next read goes on in it.
func (c *Conn) StartTransact(request, reply []byte) *Operation {
	return c.start("transact", &Request{Work: TransactWork, In: request, Out: reply})
}

// StartTransactMessage starts a [Conn.Transact]; [Operation.Message] has the reply.
func (c *Conn) StartTransactMessage(request []byte) *Operation {
	return c.start("transact", &Request{Work: TransactWork, In: request, Whole: true, Limit: c.maxMessage})
}

// StartFlush starts a [Conn.Flush].
func (c *Conn) StartFlush() *Operation { return c.start("flush", &Request{Work: FlushWork}) }

// StartConnect starts an [Instance.Connect]: the instance is LISTENING on return. The errors that mean success are the same.
func (in *Instance) StartConnect() *Operation {
	return in.start("connect", &Request{Work: ConnectWork})
}

func (c *Conn) start(name string, r *Request) *Operation {
	return &Operation{conn: c, name: name, pending: start(c.end, r)}
}

// start begins an operation of an end, which may not be able to.
func start(end Endpoint, r *Request) Pending {
	if s, ok := end.(Starter); ok {
		return s.Start(r)
	}
	return local.Ended(ErrNotSupported)
}

func cancel(end Endpoint) error {
	if s, ok := end.(Starter); ok {
		return s.Cancel()
	}
	return ErrNotSupported
}

// Cancel is CancelIoEx without an OVERLAPPED: it ends every call and operation of this end that waits, Instance.Connect too, with
// [ErrAborted]. What a write had not handed over is taken back. [ErrNotFound] if nothing waits.
func (c *Conn) Cancel() error { return c.opError("cancel", cancel(c.end)) }

// Done reports whether the operation is over, so that Wait returns at once. It never waits; while another goroutine is in
// Wait it returns false.
func (o *Operation) Done() bool {
	if !o.mu.TryLock() {
		return false
	}
	defer o.mu.Unlock()
	return o.over || o.pending.Done()
}

// Wait waits until the operation is over and returns how many bytes it transferred and how it ended, as the blocking method
// does. When ctx is done, this operation and no other is cancelled, as CancelIoEx does, and the error is ctx's; but what arrived
// before counts more. The end's deadlines, Cancel and Close end it too. A later Wait returns the same again.
func (o *Operation) Wait(ctx context.Context) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.over {
		n, message, err := o.pending.Wait(ctx)
		if message == nil && err == nil {
			message = []byte{}
		}
		o.n, o.message, o.err, o.over = n, message, o.conn.opError(o.name, err), true
	}
	return o.n, o.err
}

// Cancel is CancelIoEx: it ends this operation with [ErrAborted], unless it is over by then. What a write had not handed over is
// taken back when Cancel returns. [ErrNotFound] if the operation was not waiting any more.
func (o *Operation) Cancel() error {
	if !o.pending.Cancel(ErrAborted) {
		return o.conn.opError("cancel", ErrNotFound)
	}
	return nil
}

// Message returns the message that the operation read, once Wait has returned, if it is one that reads a whole message; of one over
// the configured MaxMessage its beginning.
func (o *Operation) Message() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.message
}
