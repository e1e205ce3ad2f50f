package npfs

import "slices"

// Cancel ends all pending operations of this end with err, as CancelIoEx without an OVERLAPPED does, and reports whether there
// were any. They are done on return.
func (e *End) Cancel(err error) bool {
	reads := e.in.cancelAll(err)
	writes := e.out.cancelAll(err)
	if reads || writes {
		e.config.Wake()
	}
	return reads || writes
}

func (r *reader) cancelAll(err error) (found bool) {
	r.mu.Lock()
	defer r.unlock()
	if r.closed {
		return false
	}
	r.progress(nil)
	for len(r.pending) > 0 {
		r.cancelLocked(r.pending[0], err)
		found = true
	}
	return found
}

func (w *writer) cancelAll(err error) (found bool) {
	w.mu.Lock()
	defer w.unlock()
	if w.closed {
		return false
	}
	w.progress(nil)
	for len(w.flushes) > 0 {
		w.cancelLocked(w.flushes[0], err)
		found = true
	}
	for _, op := range slices.Backward(slices.Clone(w.pending)) { // the latest first, so that withdrawing frees the ring from its end
		if len(op.data) > 0 && !op.done { // without data it only carries empty messages that were accepted
			w.cancelLocked(op, err)
			found = true
		}
	}
	return found
}
