package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"
)

// result collects the rounds of one measurement.
type result struct {
	job
	times    histogram     // rtt
	messages int64         // stream
	elapsed  time.Duration // stream
	warm     bool
}

// warmUp is how many messages pass before anything is measured.
const warmUp = 1000

// measure adds one round of the given length. ctx closes the link, which ends the waiting calls.
func (r *result) measure(ctx context.Context, l link, length time.Duration) error {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	if r.Mode == "rtt" {
		return r.roundTrips(l, length)
	}
	return r.stream(l, length)
}

// roundTrips allocates nothing and reads the clock once per round trip.
func (r *result) roundTrips(l link, length time.Duration) error {
	msg, buf := make([]byte, r.Size), make([]byte, r.Size)
	msg[0] = askEcho
	trip := func() error {
		if err := l.send(msg); err != nil {
			return err
		}
		back, err := l.receive(buf)
		if err == nil && len(back) != len(msg) {
			err = fmt.Errorf("%d bytes came back, sent were %d", len(back), len(msg))
		}
		return err
	}
	if !r.warm {
		for range warmUp {
			if err := trip(); err != nil {
				return err
			}
		}
		r.warm = true
	}
	begin := time.Now()
	for last := begin; last.Sub(begin) < length; {
		if err := trip(); err != nil {
			return err
		}
		now := time.Now()
		r.times.add(now.Sub(last))
		last = now
	}
	return nil
}

// stream sends for the given length and then asks the receiver how many messages it got; the time ends with its answer.
func (r *result) stream(l link, length time.Duration) error {
	msg, buf := make([]byte, r.Size), make([]byte, max(r.Size, 8))
	msg[0] = askCount
	begin := time.Now()
	var sent int64
	for batch := 0; batch == 0 || time.Since(begin) < length; batch++ {
		for range 32 { // so that the clock costs nothing
			if err := l.send(msg); err != nil {
				return err
			}
		}
		sent += 32
	}
	if err := l.send([]byte{askTotal}); err != nil {
		return err
	}
	total, err := l.receive(buf)
	if err != nil {
		return err
	}
	r.elapsed += time.Since(begin)
	if len(total) != 8 || int64(binary.BigEndian.Uint64(total)) != sent {
		return fmt.Errorf("sent %d messages, the receiver answers %x", sent, total)
	}
	r.messages += sent
	return nil
}
