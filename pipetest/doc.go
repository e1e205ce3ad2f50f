// Package pipetest is the conformance suite: what a named pipe does, as scripts that every backend runs. The scripts stand
// in testdata/semantics, one file per subject; the numbers of their cases are those of the list of 232 facts about Windows'
// pipes that the project is built on. A backend is this machine's pipes or any [anypipe.Transport].
//
//	func TestMain(m *testing.M) { pipetest.Main(m, backend) }
//	func TestSemantics(t *testing.T) { pipetest.Run(t, backend) }
//
// # Cases
//
// A case is a line with its number and its statement, and steps below it, one a line. A ⚠ behind the number says that the
// sources disagree, or that nobody has measured Windows. A # begins a comment line.
//
//	case 104: M/m: message of 10, read 4 gives MORE_DATA, the rest follows
//	S create type=message read=message in=100 out=100
//	C open
//	C mode message
//	S write "0123456789"
//	C read 4 -> "0123" 234
//	C read 100 -> "456789"
//
// Every case runs twice: with all ends in one process, and with the server ends in one process and the client ends in
// another. Each run of a case has a pipe name of its own, $P, so cases run in parallel.
//
// # Actors
//
// S, S2, S3 … hold server ends, C, C2 … client ends, and W, W2 … wait for instances. An actor gets its end with create or
// open and loses it with close, after which it may get another. What is still open at the end of a case is closed, and all
// that waits must end then: that is checked in every case.
//
// # Steps
//
//	ACTOR VERB ARGUMENTS -> RESULT   do it, wait for the result and compare
//	&LABEL ACTOR VERB ARGUMENTS      begin it in the background
//	LABEL pends                      it is blocked now
//	LABEL -> RESULT                  wait for its result and compare
//	LABEL cancel                     cancel it: its end's deadline is put into the past, or its context is cancelled
//
// Without an arrow a step must succeed, and a write must write everything. Verbs that give something need an arrow. A
// deadline belongs to an end and a direction, so cancel ends whatever else waits there too; the deadline is taken away
// again when the operation is over.
//
// "pends" does not wait for some time and then look: it watches the operation's goroutine until it is seen blocked in the
// scheduler several times in a row, or is over. An operation that sleeps and polls never pends. Two operations that are
// to queue up in order have a "pends" between them.
//
// # Verbs
//
// Server ends: create, connect, disconnect. Client ends: open (fails if the pipe is busy), dial (waits then), wait
// default|forever|DURATION, call DATA, kill (kills the process that holds the client ends). Both: read SIZE, readmsg,
// write DATA, peek SIZE, transact DATA, flush, closewrite, mode byte|message [nowait], info, peer, name, impersonate, close.
//
// All verbs that need a name take name=…, else they use $P. create also takes first, nowait, type=, read=, in=, out=
// (quotas; 0 is unbuffered), max=, dir=, timeout=, sddl=, limit= (MaxMessage); open, dial and call take access=read|write|
// readwrite|attributes|readset or a number, read=, limit=, timeout=.
//
// # Data and results
//
// Data is a Go string in double quotes, "x"*5000 for a repetition, and + between several. A result is any of: ok or nothing
// for success, a Win32 error number, data, and fields: n=COUNT of what was read or written, read, avail, left, messages,
// length and state of peek, the fields of info (type, dir, state, read, max, instances, in, out, nowait, server, readable,
// writequota), pid and uid of peer, local and remote of name. io.EOF is 109, as in the C world; a passed deadline, an ended
// context and the own Close are 995. Only what stands in the script is compared; data that comes with an error that
// has none (all but 234) is a failure by itself.
//
// # Variables
//
// $P is the case's pipe name, $U its part after the prefix, to make up further names from; $L256 and $L257 are names of that
// length; $SPID and $CPID are the process ids of the server ends and client ends. A line "with $T byte message" before
// the first step runs the case once for each value of $T.
//
// # Exceptions
//
// A backend that is known to differ has its own steps at the end of the case:
//
//	except NAME: REASON
//
// NAME is the backend's name or one of its traits. The steps that follow replace the case's own; none means that the
// backend can't run it. [Summary] counts the exceptions. Cases that no backend can run through this API are listed in
// left-out.txt, with the reason; [CheckCoverage] sees to it that no number is missing and none is there twice.
package pipetest
