package contender

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"

	"github.com/anypipe/anypipe/bench/internal/spec"
)

// grpcConns is how many connections gRPC rests with; 10,000 take longer to make than the measurement is worth.
const grpcConns = 1000

// grpcUnary is one call a message over a Unix socket.
func grpcUnary() Contender {
	const noReply = "a unary call always has a reply"
	return Contender{
		Name: "grpc-unary", About: "grpc-go v1.85.0 over a unix socket, a unary call a message, bytes as they are",
		Listen: listenGRPC, Dial: dialUnary, Conns: grpcConns,
		Cannot: map[spec.Kind]string{spec.Stream: noStream, spec.OneWay: noReply, spec.Fresh: "connects when it is first used"},
	}
}

// grpcStream is one bidirectional stream a connection.
func grpcStream() Contender {
	return Contender{
		Name: "grpc-stream", About: "grpc-go v1.85.0 over a unix socket, one bidirectional stream, bytes as they are",
		Listen: listenGRPC, Dial: dialStream, Conns: grpcConns,
		Cannot: map[spec.Kind]string{spec.Stream: noStream},
	}
}

// bytesCodec carries *[]byte without protobuf.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "bytes" }

// Marshal copies, as gRPC keeps the bytes until they are written.
func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	p, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("a %T instead of *[]byte", v)
	}
	return mem.BufferSlice{mem.Copy(*p, mem.DefaultBufferPool())}, nil
}

// Unmarshal fills the caller's slice, growing it if needed.
func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	p, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("a %T instead of *[]byte", v)
	}
	if n := data.Len(); n > cap(*p) {
		*p = make([]byte, n)
	} else {
		*p = (*p)[:n]
	}
	data.CopyTo(*p)
	return nil
}

const (
	unaryMethod  = "/bench.Echo/Unary"
	streamMethod = "/bench.Echo/Stream"
)

// grpcListener turns streams into links; unary calls are echoed at once.
type grpcListener struct {
	server *grpc.Server
	done   context.Context
	stop   context.CancelFunc
	links  chan Link
	served chan error // what Serve returned
}

func listenGRPC(s *spec.Spec) (Listener, error) {
	socket, err := net.Listen("unix", socketPath(s))
	if err != nil {
		return nil, err
	}
	l := &grpcListener{server: grpc.NewServer(grpc.ForceServerCodecV2(bytesCodec{})), links: make(chan Link), served: make(chan error, 1)}
	l.done, l.stop = context.WithCancel(context.Background())
	l.server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench.Echo", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: echoUnary}},
		Streams: []grpc.StreamDesc{{StreamName: "Stream", Handler: l.accept, ServerStreams: true, ClientStreams: true}},
	}, nil)
	go func() { l.served <- l.server.Serve(socket) }()
	return l, nil
}

func echoUnary(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	message := new([]byte)
	return message, decode(message)
}

// accept gives the stream to Accept and stays until the link is closed: gRPC ends a stream when its handler returns.
func (l *grpcListener) accept(_ any, stream grpc.ServerStream) error {
	closed, finish := context.WithCancel(l.done)
	defer finish()
	select {
	case l.links <- &streamLink{stream: stream, close: func() error { finish(); return nil }}:
		<-closed.Done()
	case <-l.done.Done():
	}
	return nil
}

func (l *grpcListener) Accept() (Link, error) {
	select {
	case link := <-l.links:
		return link, nil
	case <-l.done.Done():
		return nil, net.ErrClosed
	}
}

func (l *grpcListener) Close() error {
	l.stop()
	l.server.Stop()
	return <-l.served
}

func dialGRPC(s *spec.Spec) (*grpc.ClientConn, error) {
	return grpc.NewClient("unix:"+socketPath(s), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(bytesCodec{})))
}

// unaryLink calls when a message is sent and keeps the reply for Receive.
type unaryLink struct {
	*grpc.ClientConn
	reply []byte
}

func dialUnary(s *spec.Spec) (Link, error) {
	c, err := dialGRPC(s)
	if err != nil {
		return nil, err
	}
	return &unaryLink{ClientConn: c}, nil
}

func (l *unaryLink) Send(p []byte) error {
	return l.Invoke(context.Background(), unaryMethod, &p, &l.reply)
}

func (l *unaryLink) Receive([]byte) ([]byte, error) { return l.reply, nil }

// streamLink is either side of a stream.
type streamLink struct {
	stream interface { // what the streams of both sides have
		SendMsg(any) error
		RecvMsg(any) error
	}
	close func() error
}

func dialStream(s *spec.Spec) (Link, error) {
	c, err := dialGRPC(s)
	if err != nil {
		return nil, err
	}
	description := &grpc.StreamDesc{StreamName: "Stream", ServerStreams: true, ClientStreams: true}
	stream, err := c.NewStream(context.Background(), description, streamMethod)
	if err != nil {
		c.Close()
		return nil, err
	}
	return &streamLink{stream, c.Close}, nil
}

func (l *streamLink) Send(p []byte) error { return l.stream.SendMsg(&p) }

func (l *streamLink) Receive(buf []byte) ([]byte, error) {
	err := l.stream.RecvMsg(&buf)
	return buf, err
}

func (l *streamLink) Close() error { return l.close() }
