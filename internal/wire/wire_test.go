package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"testing"
	"testing/iotest"

	"github.com/anypipe/anypipe/internal/npfs"
)

// samples holds every kind of frame with all fields set, and its bytes as they must be for ever.
var samples = []struct {
	message Message
	golden  string
}{
	{&Open{Access: npfs.GenericRead | npfs.GenericWrite}, "4150030108000000" + "000000c0" + "00000000"},
	{&Opened{Status: 0xC00000AC, Text: "busy", Incarnation: "ab", Access: 0x12019F, Type: npfs.Message, Direction: npfs.Outbound,
		ReadMode: npfs.Byte, MaxInstances: 3, InQuota: 5000, OutQuota: 6000, RegionSize: 1 << 20, RejectRemote: true, Keeps: true, Reused: true},
		"4150030230000000" + "ac0000c0" + "0400000062757379" + "020000006162" + "9f011200" + "01020001" + "03000000" + "88130000" + "70170000" + "0000100000000000" + "0101"},
	{&Wait{Timeout: 50}, "4150030304000000" + "32000000"},
	{&Waiting{}, "4150030400000000"},
	{&Woken{Status: 0xC00000B5}, "4150030504000000" + "b50000c0"},
	{&Changed{}, "4150030600000000"},
	{&Query{}, "4150030700000000"},
	{&Described{Name: "é", Type: npfs.Message, Direction: npfs.Inbound, MaxInstances: 255, DefaultTimeout: 50, Instances: 2,
		Listening: 1, PID: 7, SDDL: "D:", Path: "/t"},
		"4150030828000000" + "02000000c3a9" + "0101" + "ff000000" + "32000000" + "02000000" + "01000000" + "07000000" +
			"02000000443a" + "020000002f74"},
	{&Nudge{}, "4150030900000000"},
}

func TestGoldenBytes(t *testing.T) {
	for _, s := range samples {
		if got := hex.EncodeToString(Append(nil, s.message)); got != s.golden {
			t.Errorf("%T\n got %s\nwant %s", s.message, got, s.golden)
		}
		frame, _ := hex.DecodeString(s.golden)
		got, err := Read(bytes.NewReader(frame))
		if err != nil || !reflect.DeepEqual(got, s.message) {
			t.Errorf("Read = %+v, %v; want %+v", got, err, s.message)
		}
	}
	if len(samples) != int(KindNudge) {
		t.Errorf("%d samples for %d kinds", len(samples), KindNudge)
	}
}

func TestCutAtEveryByte(t *testing.T) {
	for _, s := range samples {
		frame := Append(nil, s.message)
		for n := range frame {
			want := io.ErrUnexpectedEOF
			if n == 0 {
				want = io.EOF
			}
			if _, err := Read(bytes.NewReader(frame[:n])); err != want {
				t.Errorf("%T cut at %d: %v, want %v", s.message, n, err, want)
			}
		}
		// A payload that is shorter or longer than its kind says is refused even if the header agrees with it.
		payload := frame[HeaderSize:]
		for n := range payload {
			if _, err := decode(s.message.kind(), payload[:n]); !errors.Is(err, ErrMalformed) {
				t.Errorf("%T with a payload of %d bytes: %v", s.message, n, err)
			}
		}
		if _, err := decode(s.message.kind(), append(bytes.Clone(payload), 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%T with a surplus byte: %v", s.message, err)
		}
	}
}

// TestReadLeavesTheRest defends that the doorbell's bytes are not swallowed.
func TestReadLeavesTheRest(t *testing.T) {
	for _, s := range samples {
		r := bytes.NewReader(append(Append(nil, s.message), "bell"...))
		if _, err := Read(iotest.OneByteReader(r)); err != nil {
			t.Fatal(err)
		}
		if rest, _ := io.ReadAll(r); string(rest) != "bell" {
			t.Errorf("%T: %q was left, want bell", s.message, rest)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, frame := range map[string]string{
		"magic":         "4250010400000000",
		"kind 0":        "4150030000000000",
		"kind 10":       "4150030a00000000",
		"length":        "4150030401100000",
		"long list":     "4150030801000300",
		"open flag":     "4150030108000000" + "000000c0" + "01000000",
		"type":          "4150030230000000" + "ac0000c0" + "0400000062757379" + "020000006162" + "9f011200" + "02020001" + "03000000" + "88130000" + "70170000" + "0000100000000000" + "0101",
		"byte, message": "4150030230000000" + "ac0000c0" + "0400000062757379" + "020000006162" + "9f011200" + "00020101" + "03000000" + "88130000" + "70170000" + "0000100000000000" + "0101",
		"keeps flag":    "4150030230000000" + "ac0000c0" + "0400000062757379" + "020000006162" + "9f011200" + "01020001" + "03000000" + "88130000" + "70170000" + "0000100000000000" + "0201",
		"reused flag":   "4150030230000000" + "ac0000c0" + "0400000062757379" + "020000006162" + "9f011200" + "01020001" + "03000000" + "88130000" + "70170000" + "0000100000000000" + "0102",
		"quota":         "4150030230000000" + "ac0000c0" + "0400000062757379" + "020000006162" + "9f011200" + "01020001" + "03000000" + "88130070" + "70170000" + "0000100000000000" + "0101",
		"UTF-8":         "4150030230000000" + "ac0000c0" + "04000000ff757379" + "020000006162" + "9f011200" + "01020001" + "03000000" + "88130000" + "70170000" + "0000100000000000" + "0101",
	} {
		b, err := hex.DecodeString(frame)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := Read(bytes.NewReader(b)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	if _, err := Read(bytes.NewReader([]byte("AP\x02\x04\x00\x00\x00\x00"))); !errors.Is(err, ErrVersion) {
		t.Errorf("version 2: %v", err)
	}
	if _, err := ReadAs[*Woken](bytes.NewReader(Append(nil, &Query{}))); !errors.Is(err, ErrMalformed) {
		t.Errorf("other kind: %v", err)
	}
	if err := Write(io.Discard, &Opened{Text: string(make([]byte, MaxPayload))}); !errors.Is(err, ErrMalformed) {
		t.Errorf("too long: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range samples {
		f.Add(Append(nil, s.message))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		m, err := Read(r)
		if err != nil {
			return
		}
		// Every frame that decodes has one form only.
		if again := Append(nil, m); !bytes.Equal(again, b[:len(b)-r.Len()]) {
			t.Errorf("%x decodes to %+v, which encodes to %x", b, m, again)
		}
	})
}
