package local

// peerPID returns 0: FreeBSD tells the process id in a field that not every version fills.
func peerPID(int) int { return 0 }
