//go:build !windows

// These tests are not for Windows' kernel: there a write that is cancelled after a reader took its first part leaves that
// part with the reader, while the engine makes sure that a torn message never happened.

package anypipe_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/anypipe/anypipe"
)

// connected returns both ends of a fresh connection.
func connected(t *testing.T, config anypipe.ListenConfig) (server *anypipe.Instance, client *anypipe.Conn) {
	t.Helper()
	server, err := config.Create(t.Context(), t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	client, err = anypipe.Dial(t.Context(), t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return server, client
}

// soon returns a deadline that often passes in the middle of an operation, or none.
func soon(r *rand.Rand) time.Time {
	if r.IntN(2) == 0 {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(r.IntN(300)) * time.Microsecond)
}

// numbered returns a message of n bytes that can be checked.
func numbered(i uint32, n int) []byte {
	m := make([]byte, n)
	for k := range m {
		m[k] = byte(i) + byte(k)
	}
	binary.LittleEndian.PutUint32(m, i)
	return m
}

var testQuotas = []int{anypipe.Unbuffered, 1, 1000, 65536}

// TestMessagesUnderDeadlines writes messages of all sizes with deadlines that pass at any moment: what Write reported as
// sent arrives whole, once and in order, and nothing that arrives is torn.
func TestMessagesUnderDeadlines(t *testing.T) {
	for _, quota := range testQuotas {
		t.Run(fmt.Sprint(quota), func(t *testing.T) {
			server, client := connected(t, anypipe.ListenConfig{Type: anypipe.Message, InBuffer: quota})
			var sending sync.WaitGroup
			defer func() {
				server.Close() // unblocks the sender
				sending.Wait()
			}()
			sent := map[uint32]int{} // read after sending is done
			sending.Go(func() {
				r := rand.New(rand.NewPCG(1, uint64(quota)))
				for i := uint32(1); i < 1000; i++ {
					m := numbered(i, 4+r.IntN([]int{10, 1000, 70_000, 300_000}[r.IntN(4)]))
					client.SetWriteDeadline(soon(r))
					switch _, err := client.Write(m); {
					case err == nil:
						sent[i] = len(m)
					case !errors.Is(err, os.ErrDeadlineExceeded):
						t.Errorf("message %d: %v", i, err)
					}
				}
				client.SetWriteDeadline(time.Time{})
				if err := client.CloseWrite(); err != nil {
					t.Error(err)
				}
			})
			got := receiveNumbered(t, server)
			sending.Wait()
			for i, n := range sent {
				if got[i] != n {
					t.Errorf("message %d of %d bytes arrived with %d", i, n, got[i])
				}
			}
		})
	}
}

// receiveNumbered reads until the end and checks content and order. It returns the sizes by number.
func receiveNumbered(t *testing.T, server *anypipe.Instance) map[uint32]int {
	got := map[uint32]int{}
	last := uint32(0)
	for {
		m, err := server.ReadMessage()
		if err == io.EOF {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(m) < 4 {
			continue // what was handed to a pending read of a message that was then withdrawn
		}
		i := binary.LittleEndian.Uint32(m)
		if i <= last || !bytes.Equal(m, numbered(i, len(m))) {
			t.Fatalf("message %d of %d bytes after %d", i, len(m), last)
		}
		last, got[i] = i, len(m)
	}
}

// TestBytesUnderDeadlines streams bytes with deadlines that pass at any moment on both ends: exactly the bytes that Write
// reported arrive, in order.
func TestBytesUnderDeadlines(t *testing.T) {
	const total = 8 << 20
	at := func(pos int) byte { return byte(pos * 7 >> 3) }
	sizes := []int{1, 100, 5000, 200_000}
	for _, quota := range testQuotas {
		t.Run(fmt.Sprint(quota), func(t *testing.T) {
			server, client := connected(t, anypipe.ListenConfig{InBuffer: quota})
			var sending sync.WaitGroup
			defer func() {
				server.Close() // unblocks the sender
				sending.Wait()
			}()
			sending.Go(func() {
				r := rand.New(rand.NewPCG(2, uint64(quota)))
				for pos := 0; pos < total; {
					b := make([]byte, min(total-pos, 1+r.IntN(sizes[r.IntN(4)])))
					for k := range b {
						b[k] = at(pos + k)
					}
					client.SetWriteDeadline(soon(r))
					n, err := client.Write(b)
					if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
						t.Error(err)
						return
					}
					pos += n
				}
				client.Close()
			})
			r := rand.New(rand.NewPCG(3, uint64(quota)))
			for pos := 0; ; {
				b := make([]byte, 1+r.IntN(sizes[1+r.IntN(3)]))
				server.SetReadDeadline(soon(r))
				n, err := server.Read(b)
				for k := range n {
					if b[k] != at(pos+k) {
						t.Fatalf("byte %d is wrong", pos+k)
					}
				}
				if pos += n; err == io.EOF {
					if pos != total {
						t.Fatalf("%d bytes of %d arrived", pos, total)
					}
					break
				}
				if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal(err)
				}
			}
		})
	}
}
