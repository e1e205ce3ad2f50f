// Package npfs holds the rules of named pipes: states, queues, quotas, modes and message bounds, over a region of
// memory that two processes share. It does no I/O, starts no goroutine and reads no clock; whoever uses it brings the
// memory, a bell to wake the other process and a way to pause.
//
// # One connection
//
// A region is one connection. Each direction is a lane with one [writer] and one [reader]; an [End] is the reader of one
// lane and the writer of the other. Operations are started, polled and cancelled as [Op] values, like overlapped I/O:
// nothing here waits.
//
//	start ──▶ done                          the usual case
//	start ──▶ pending ──▶ Poll ──▶ done     when the other end moved (Ready tells cheaply)
//	                 └──▶ Cancel            deadline, Close
//
// # Quota
//
// The counters of a lane only grow: queued counts payload bytes of all accepted writes, also those still blocked, and
// taken those that were read. A write that ends at position e is within the quota, and so completes, when
// e − max(taken, granted) ≤ quota. Everything Windows does with quotas follows from that line.
//
// # Pending reads feed first
//
// The read that has been pending longest is announced in the lane's slot. A write that finds the ring empty and a read
// announced hands it its first bytes by a compare-and-swap: those bytes are granted, which charges nothing. A read that was
// pending is fed by one write only, as on Windows.
//
// # Trust
//
// The other process may write anything into the region at any time. Each end keeps its own counters in private memory
// and only publishes them; what it reads from the other's lines it reads once and checks. A region that makes no sense
// breaks the connection (ERROR_BROKEN_PIPE) and nothing else.
package npfs
