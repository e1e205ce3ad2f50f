// Package anypipe brings Windows named pipes, with their exact semantics, to every operating system.
//
// A named pipe is a name, such as \\.\pipe\Test, under which a server offers instances; each instance serves one client at
// a time over its own pair of buffers. A pipe is a stream of bytes or a sequence of messages. On Windows this package calls
// the kernel; on Unix it is the kernel's part itself, over shared memory between the two processes.
//
// # Server and client
//
// Listen and Dial are shaped like package net's, and their connections are net.Conns:
//
//	l, err := anypipe.Listen("Test")          // byte type; see ListenConfig for message type
//	conn, err := l.Accept()
//
//	conn, err := anypipe.Dial(ctx, "Test")    // or `\\.\pipe\Test`, or "//./pipe/Test"
//
// A client that finds every instance taken waits, as Windows programs do with WaitNamedPipe; a name that does not exist
// fails at once with [ErrNotExist]. By default only the user who created a pipe can open it; see [Security].
//
// # Messages
//
// On a message-type pipe each Write is one message, and the reader chooses how to see it: [Conn.ReadMessage] returns a whole
// message of any size, [Conn.Messages] iterates, and [Conn.Read] goes by the read mode, with [ErrMoreData] when its buffer
// is too small in message-read mode. [Conn.Transact] and [Call] are one request and its reply.
//
// # The whole Win32 life cycle
//
// [ListenConfig.Create] makes an [Instance], CreateNamedPipe's handle, with Connect and Disconnect and everything else that
// Windows offers. The documentation of each method names the Win32 function that it follows. Errors carry the Win32 name
// and number; see [ErrNotExist] and its neighbours.
//
// # Cancellation
//
// A context bounds making connections: Dial, Wait, Create, Connect, AcceptPipe. Deadlines bound moving bytes: Read, Write,
// Flush, Transact. What is ready is returned even if the context is done or the deadline has passed, except that a Write
// past its deadline writes nothing. Close unblocks everything.
//
// # Buffers
//
// Each direction has a quota in bytes (CreateNamedPipe's nInBufferSize and nOutBufferSize), kept exactly: a write that fits
// returns at once, one that does not returns when enough has been read, and with a quota of 0 ([Unbuffered]) when all of
// it has. A message may be larger than the quota.
//
// # Limits on Unix
//
// Writes are at most 2 GiB − 1. Clients that know only Unix sockets reach byte-type pipes through a socket of their own
// ([PipeInfo].Path), without quotas. Pipes on other machines (\\server\pipe\name) need a [Transport]. Windows documents \\domain
// and \\* for mailslots only.
package anypipe
