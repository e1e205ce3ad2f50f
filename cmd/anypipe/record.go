package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"sync"
	"time"
	"unicode/utf8"
)

// record is one line of listen --json and connect --json.
type record struct {
	Time   time.Time `json:"time"`
	Event  string    `json:"event"` // listening, connected, data, disconnected
	Name   string    `json:"name,omitempty"`
	Client int64     `json:"client,omitempty"`
	PID    int       `json:"pid,omitempty"`
	User   string    `json:"user,omitempty"`
	Size   *int      `json:"size,omitempty"`
	Text   *string   `json:"text,omitempty"`   // data that is UTF-8
	Base64 *string   `json:"base64,omitempty"` // data that is not
	Error  string    `json:"error,omitempty"`
}

// recorder writes records as lines of JSON. A nil recorder writes nothing.
type recorder struct {
	mu  sync.Mutex
	enc *json.Encoder // guarded by mu
}

// newRecorder writes to w, one Write a line.
func newRecorder(w io.Writer) *recorder {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &recorder{enc: enc}
}

// write stamps and writes a record. Clients served at the same time never mix their lines.
func (r *recorder) write(rec record) error {
	if r == nil {
		return nil
	}
	rec.Time = time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.enc.Encode(rec)
}

// emitter writes what a client, or the server, sends as records.
func (r *recorder) emitter(client int64) func(p []byte) error {
	return func(p []byte) error {
		size := len(p)
		rec := record{Event: "data", Client: client, Size: &size}
		if utf8.Valid(p) {
			text := string(p)
			rec.Text = &text
		} else {
			coded := base64.StdEncoding.EncodeToString(p)
			rec.Base64 = &coded
		}
		return r.write(rec)
	}
}
