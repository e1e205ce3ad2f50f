package tutorial

import "testing"

// The Delphi client sends, receives on a thread and shows what came in its main thread.
func TestDelphiClient(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			server, pipe := serve(t, kind, "2")
			client := start(t, "delphi-client", pipe, "hello from Delphi")
			client.wants("connected", "write 17 Bytes")
			server.wants("connected", "received: hello from Delphi")
			for _, text := range []string{"hello", "to the main thread"} {
				server.tell(text)
				client.wants("received: " + text)
			}
			server.end()
			client.wants("the server has left: error 233")
			client.end()
		})
	}
}
