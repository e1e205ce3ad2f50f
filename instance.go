package anypipe

import "context"

// Instance is the server end as CreateNamedPipe makes it, with the whole Win32 life cycle: LISTENING from the start,
// Connect waits for a client, Disconnect throws it off, Connect again serves the next. It has all that [Conn] has.
// Most servers want [Listen] instead. Close ends the instance; with the last one the name is gone.
type Instance struct {
	Conn
	server ServerEndpoint
}

// Connect is ConnectNamedPipe. It returns nil when a client came while it waited, [ErrPipeConnected] when one was
// there already and [ErrNoData] when one came and went (what it wrote is readable, and Disconnect is needed before the
// next): all three mean that there is a connection to serve. After Disconnect it makes the instance LISTENING again.
// Cancelling ctx leaves the instance LISTENING.
func (in *Instance) Connect(ctx context.Context) error {
	return in.opError("connect", in.server.Connect(ctx))
}

// Disconnect is DisconnectNamedPipe: the client's end is dead at once, everything unread in both directions is thrown
// away, waiting calls of both ends get [ErrNotConnected]. Flush first to lose nothing.
func (in *Instance) Disconnect() error { return in.opError("disconnect", in.server.Disconnect()) }
