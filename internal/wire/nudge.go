package wire

// Nudge tells a server process that another one has joined the name. It comes from the pipe's owner only and has no
// answer; the process sends Changed to everyone who waits at its door.
type Nudge struct{}

func (*Nudge) kind() Kind      { return KindNudge }
func (*Nudge) encode(*encoder) {}
func (*Nudge) decode(*decoder) {}

// Changed ends a wait without result: the set of server processes has changed, and the client looks again.
type Changed struct{}

func (*Changed) kind() Kind      { return KindChanged }
func (*Changed) encode(*encoder) {}
func (*Changed) decode(*decoder) {}
