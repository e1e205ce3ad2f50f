package pipetest

import (
	"context"
	"net"
	"testing"

	"golang.org/x/net/nettest"
)

// runNettest runs the tests that every net.Conn must pass, on byte-type pipes, from either end.
func (s *suite) runNettest(t *testing.T) {
	for _, serverFirst := range []bool{true, false} {
		name := "client-first"
		if serverFirst {
			name = "server-first"
		}
		t.Run(name, func(t *testing.T) {
			nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) { return s.netPair(serverFirst) })
		})
	}
}

// netPair makes a connection over a Listener and Dial.
func (s *suite) netPair(serverFirst bool) (a, b net.Conn, stop func(), err error) {
	d := s.dropIn(0)
	l, err := d.config.Listen(context.Background(), d.serverName)
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	client, err := d.dialer.Dial(context.Background(), d.clientName)
	if err != nil {
		return nil, nil, nil, err
	}
	server, err := l.Accept()
	if err != nil {
		client.Close()
		return nil, nil, nil, err
	}
	stop = func() {
		client.Close()
		server.Close()
		l.Close()
	}
	if serverFirst {
		return server, client, stop, nil
	}
	return client, server, stop, nil
}
