//go:build linux || darwin || freebsd

package local

import (
	"os"
	"sync"
	"syscall"
	"time"
)

// vigil learns when the process at the other end of a link dies, also while nobody here waits for it: a killed process
// closes nothing in the region, but the kernel closes its socket. One goroutine serves all links of the process; it
// starts with the first link and ends a moment after the last. It is package state because the descriptor that it waits on is
// worth having once per process only.
var vigil struct {
	mu      sync.Mutex
	watcher *watcher    // nil while there are no links
	closing *time.Timer // looks whether there are still no links; it runs on when one comes, as setting a timer wakes a thread
}

// vigilDelay is how long a link lives before it is watched: one that is closed before that has cost no system call here, and
// its peer's end woke nobody. What ended meanwhile is told at once when the watch begins.
const vigilDelay = 10 * time.Millisecond

// vigilLinger is how long the watcher outlives the last link at most.
const vigilLinger = time.Second

// watcher is the vigil between the first link and the last.
type watcher struct {
	file *os.File // the queue of ended sockets, an epoll or kqueue descriptor in the runtime's poller
	raw  syscall.RawConn
	done chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex // guards all below
	links   map[int]*link
	fresh   map[*link]struct{} // not watched yet
	joining *time.Timer        // calls join; nil while there are no fresh links
}

// watch begins to watch a link's socket.
func watch(l *link) error {
	vigil.mu.Lock()
	defer vigil.mu.Unlock()
	if vigil.watcher == nil {
		w, err := newWatcher()
		if err != nil {
			return err
		}
		vigil.watcher = w
		go w.run() // joined by endVigil
	}
	vigil.watcher.add(l)
	return nil
}

// unwatch ends the watch. It must be called before the socket is closed, once for each link that is watched.
func unwatch(l *link) {
	vigil.mu.Lock()
	defer vigil.mu.Unlock()
	if vigil.watcher.remove(l) == 0 && vigil.closing == nil {
		vigil.closing = time.AfterFunc(vigilLinger, endVigil)
	}
}

// endVigil ends the watcher if it still has no links, and joins its goroutine.
func endVigil() {
	vigil.mu.Lock()
	defer vigil.mu.Unlock()
	w := vigil.watcher
	vigil.closing = nil
	if w.count() > 0 {
		return // a link came; its end sets the timer again
	}
	vigil.watcher = nil
	_ = w.file.SetReadDeadline(time.Unix(1, 0))
	<-w.done
	_ = w.file.Close()
}

func newWatcher() (*watcher, error) {
	fd, err := newEndQueue()
	if err != nil {
		return nil, err
	}
	w := &watcher{file: os.NewFile(uintptr(fd), "vigil"), done: make(chan struct{}), links: make(map[int]*link), fresh: make(map[*link]struct{})}
	if w.raw, err = w.file.SyscallConn(); err != nil {
		_ = w.file.Close()
		return nil, err
	}
	return w, nil
}

func (w *watcher) add(l *link) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fresh[l] = struct{}{}
	if w.joining == nil {
		w.joining = time.AfterFunc(vigilDelay, w.join)
	}
}

// join is the timer's function: it begins to watch the fresh links. Where the system refuses, it tries again.
func (w *watcher) join() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.joining = nil
	for l := range w.fresh {
		if w.enter(l) == nil {
			delete(w.fresh, l)
		}
	}
	if len(w.fresh) > 0 {
		w.joining = time.AfterFunc(vigilDelay, w.join)
	}
}

// enter puts a link's socket into the queue. mu is held.
func (w *watcher) enter(l *link) error {
	var added error
	err := l.bell.raw.Control(func(fd uintptr) {
		l.watched = int(fd)
		if added = w.control(addToEndQueue, l.watched); added == nil {
			w.links[l.watched] = l
		}
	})
	if err == nil {
		err = added
	}
	return err
}

// count returns how many links there are.
func (w *watcher) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.links) + len(w.fresh)
}

// remove returns how many links are left.
func (w *watcher) remove(l *link) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, fresh := w.fresh[l]; fresh {
		delete(w.fresh, l)
	} else if w.links[l.watched] == l {
		delete(w.links, l.watched)
		_ = w.control(removeFromEndQueue, l.watched) // closing the socket would remove it too
	}
	return len(w.links) + len(w.fresh)
}

// control calls f with the queue's descriptor.
func (w *watcher) control(f func(queue, fd int) error, fd int) (err error) {
	if controlErr := w.raw.Control(func(queue uintptr) { err = f(int(queue), fd) }); controlErr != nil {
		return controlErr
	}
	return err
}

// run tells each link whose peer is gone. It ends with the watch.
func (w *watcher) run() {
	defer close(w.done)
	ended := make([]int, 0, endBatch)
	for {
		err := w.raw.Read(func(queue uintptr) bool {
			ended = nextEnded(int(queue), ended[:0])
			return len(ended) > 0
		})
		if err != nil {
			return // the deadline that endVigil sets
		}
		for _, fd := range ended {
			w.mu.Lock()
			// The descriptor may be another link's by now, so ask again.
			if l := w.links[fd]; l != nil && !l.bell.alive() {
				l.end.PeerGone()
				l.bell.stir()
			}
			w.mu.Unlock()
		}
	}
}

// endBatch is how many ended sockets are taken from the queue at once.
const endBatch = 64
