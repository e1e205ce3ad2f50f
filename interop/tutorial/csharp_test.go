package tutorial

import "testing"

// The C# client sends and is told of what comes by its event.
func TestCSharpClient(t *testing.T) {
	server, pipe := serve(t, "message", "2")
	client := start(t, "csharp-client", pipe, "hello from C#")
	client.wants("connected")
	server.wants("connected", "received: hello from C#")
	for _, text := range []string{"hello", "to the event"} {
		server.tell(text)
		client.wants("received: " + text)
	}
	server.end()
	client.wants("the server has left")
	client.end()
}
