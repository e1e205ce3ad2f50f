package work

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/anypipe/anypipe/bench/internal/spec"
)

// script is a link that receives the given messages and records what is sent.
type script struct {
	in   [][]byte
	sent [][]byte
}

func (s *script) Send(p []byte) error {
	s.sent = append(s.sent, bytes.Clone(p))
	return nil
}

func (s *script) Receive([]byte) ([]byte, error) {
	if len(s.in) == 0 {
		return nil, io.EOF
	}
	m := s.in[0]
	s.in = s.in[1:]
	return bytes.Clone(m), nil
}

func (s *script) Close() error { return nil }

// messages makes n messages to count and the question how many they were.
func messages(s *spec.Spec, n int) (all [][]byte) {
	w := newWriter(s)
	for range n {
		all = append(all, bytes.Clone(w.next(askCount)))
	}
	return append(all, bytes.Clone(w.next(askTotal)))
}

func TestTheServerAcknowledgesWhatItGot(t *testing.T) {
	s := &spec.Spec{Size: 64, Verify: true}
	link := &script{in: messages(s, 3)}
	want := counter{verify: true}
	want.reset()
	for _, m := range link.in[:3] {
		if err := want.add(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := serve(link, s); err != nil {
		t.Fatal(err)
	}
	if len(link.sent) != 1 {
		t.Fatalf("%d answers", len(link.sent))
	}
	if err := acknowledged(&want, link.sent[0], s); err != nil {
		t.Error(err)
	}
}

func TestWhatIsLostOrChangedIsNoticed(t *testing.T) {
	s := &spec.Spec{Size: 64, Verify: true}
	lost := &script{in: append(messages(s, 3)[:1], messages(s, 3)[2:]...)}
	if err := serve(lost, s); err == nil || !strings.Contains(err.Error(), "message 2 came where 1 was next") {
		t.Errorf("lost: %v", err)
	}
	swapped := messages(s, 2)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	if err := serve(&script{in: swapped}, s); err == nil {
		t.Error("a wrong order is not noticed")
	}
	changed := &script{in: messages(s, 1)}
	want := counter{verify: true}
	want.reset()
	if err := want.add(changed.in[0]); err != nil {
		t.Fatal(err)
	}
	changed.in[0][40]++
	if err := serve(changed, s); err != nil {
		t.Fatal(err)
	}
	if err := acknowledged(&want, changed.sent[0], s); err == nil {
		t.Error("a changed byte is not noticed")
	}
}

func TestAnEchoMustBeTheSame(t *testing.T) {
	s := &spec.Spec{Size: 64, Verify: true}
	right := bytes.Clone(newWriter(s).next(askEcho))
	if err := newWriter(s).roundTrip(&script{in: [][]byte{right}}, nil); err != nil {
		t.Error(err)
	}
	for _, at := range []int{0, numberAt, 63} {
		wrong := bytes.Clone(right)
		wrong[at]++
		if err := newWriter(s).roundTrip(&script{in: [][]byte{wrong}}, nil); err == nil {
			t.Errorf("byte %d changed unnoticed", at)
		}
	}
	if err := newWriter(s).roundTrip(&script{in: [][]byte{right[:63]}}, nil); err == nil {
		t.Error("a short echo is not noticed")
	}
}
