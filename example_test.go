package anypipe_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/anypipe/anypipe"
)

// A server that echoes messages, and a client that calls it.
func Example() {
	config := anypipe.ListenConfig{Type: anypipe.Message}
	l, err := config.Listen(context.Background(), "Example")
	if err != nil {
		log.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		c, err := l.AcceptPipe(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		defer c.Close()
		for message, err := range c.Messages() {
			if err != nil {
				log.Fatal(err)
			}
			if err := c.WriteMessage(message); err != nil {
				log.Fatal(err)
			}
		}
	})

	reply, err := anypipe.Call(context.Background(), `\\.\pipe\Example`, []byte("hello"))
	fmt.Printf("%s %v\n", reply, err)
	serving.Wait()
	l.Close()
	// Output: hello <nil>
}

// The life of an instance as Win32 programs know it.
func ExampleListenConfig_Create() {
	config := anypipe.ListenConfig{Type: anypipe.Message, MaxInstances: 1}
	in, err := config.Create(context.Background(), "Single")
	if err != nil {
		log.Fatal(err)
	}
	defer in.Close()
	for i := range 2 {
		client, err := anypipe.Dial(context.Background(), "Single")
		if err != nil {
			log.Fatal(err)
		}
		if err := in.Connect(context.Background()); !errors.Is(err, anypipe.ErrPipeConnected) {
			log.Fatal(err) // the client came before Connect, which is a success
		}
		fmt.Fprintf(client, "client %d", i)
		message, err := in.ReadMessage()
		fmt.Printf("%s %v\n", message, err)
		if err := in.Disconnect(); err != nil {
			log.Fatal(err)
		}
		_, err = client.Write([]byte("anybody?"))
		fmt.Println(anypipe.Win32Code(err), errors.Is(err, anypipe.ErrNotConnected))
		client.Close()
		if i == 0 { // make it LISTENING again; with a ctx that is done Connect does not wait
			done, cancel := context.WithCancel(context.Background())
			cancel()
			if err := in.Connect(done); !errors.Is(err, context.Canceled) {
				log.Fatal(err)
			}
		}
	}
	// Output:
	// client 0 <nil>
	// 233 true
	// client 1 <nil>
	// 233 true
}

// A message that does not fit into the buffer is read in pieces.
func ExampleConn_Read() {
	config := anypipe.ListenConfig{Type: anypipe.Message}
	in, err := config.Create(context.Background(), "Pieces")
	if err != nil {
		log.Fatal(err)
	}
	defer in.Close()
	client, err := (&anypipe.Dialer{ReadMode: anypipe.Message}).Dial(context.Background(), "Pieces")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Fprint(in, "0123456789")
	for range 2 {
		buf := make([]byte, 6)
		n, err := client.Read(buf)
		fmt.Printf("%s, more: %t\n", buf[:n], errors.Is(err, anypipe.ErrMoreData))
	}
	// Output:
	// 012345, more: true
	// 6789, more: false
}

// What the errors look like.
func ExampleDial_errors() {
	_, err := anypipe.Dial(context.Background(), "//./pipe/nobody")
	fmt.Println(err)
	fmt.Println(errors.Is(err, anypipe.ErrNotExist), anypipe.Win32Code(err))

	in, err := (&anypipe.ListenConfig{MaxInstances: 1}).Create(context.Background(), "busy")
	if err != nil {
		log.Fatal(err)
	}
	defer in.Close()
	first, err := anypipe.Dial(context.Background(), "busy")
	if err != nil {
		log.Fatal(err)
	}
	defer first.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = anypipe.Dial(ctx, "busy")
	fmt.Println(err)
	// Output:
	// open pipe \\.\pipe\nobody: no pipe of that name exists (ERROR_FILE_NOT_FOUND, 2)
	// true 2
	// open pipe \\.\pipe\busy: no instance became available in time (ERROR_SEM_TIMEOUT, 121)
}

// An anonymous pipe.
func ExamplePipe() {
	r, w, err := anypipe.Pipe(0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprint(w, "through a pipe without a name")
	w.Close()
	buf := make([]byte, 100)
	n, err := r.Read(buf)
	fmt.Printf("%s %v\n", buf[:n], err)
	_, err = r.Read(buf)
	fmt.Println(err)
	r.Close()
	// Output:
	// through a pipe without a name <nil>
	// EOF
}
