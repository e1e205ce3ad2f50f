//go:build linux || darwin || freebsd

package local

import "github.com/anypipe/anypipe/internal/npfs"

// startRead begins a read, after a brief lull if there is one. Its frame is gone when the read waits.
func (l *link) startRead(op *npfs.Op) bool {
	var lull npfs.Lull
	done := l.end.ReadUnlessLull(op, &lull)
	if !lull.Brief {
		return done
	}
	l.linger(&lull)
	return l.end.StartRead(op)
}

// startReadMessage is to ReadMessage what startRead is to Read.
func (l *link) startReadMessage(op *npfs.Op, limit int) bool {
	var lull npfs.Lull
	done := l.end.ReadMessageUnlessLull(op, limit, &lull)
	if !lull.Brief {
		return done
	}
	l.linger(&lull)
	return l.end.StartReadMessage(op, limit)
}

// linger polls for a moment before a read begins, as what comes by then is read at much less cost: the writer need not be told, by way of
// memory that both change, that somebody waits.
func (l *link) linger(lull *npfs.Lull) {
	if l.enter() != nil {
		return
	}
	defer l.release()
	if !l.readBy.passed() {
		l.reads.linger(&lull.Mark, lull.Streaming)
	}
}

// patient reports whether the other end should get ahead before s polls for op: the first time only.
func (s *sleeper) patient(op *npfs.Op) bool {
	first := !s.looked
	s.looked = true
	return first && op.Streams()
}
