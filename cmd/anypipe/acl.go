package main

import (
	"os/user"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/anypipe/anypipe"
)

// aclHelp is the text of --acl, the flag that parseACL understands.
const aclHelp = "who may open it: owner, group:NAME, everyone, everyone-read, or SDDL such as D:(A;;GRGW;;;BU)"

// parseACL turns the value of --acl into a descriptor.
func parseACL(s string) (*anypipe.Security, error) {
	group, isGroup := strings.CutPrefix(s, "group:")
	var sec *anypipe.Security
	var err error
	switch {
	case s == "owner":
		sec = anypipe.OwnerOnly()
	case s == "everyone":
		sec = anypipe.EveryoneAccess()
	case s == "everyone-read":
		sec = anypipe.EveryoneRead()
	case isGroup:
		sec, err = groupAccess(group)
	default:
		sec, err = anypipe.ParseSDDL(s)
	}
	if err != nil {
		return nil, usagef("--acl %s: %w", s, err)
	}
	return sec, nil
}

// groupAccess lets a group in, given by its name, its number or, on Windows, its SID.
func groupAccess(group string) (*anypipe.Security, error) {
	id := group
	if g, err := user.LookupGroup(group); err == nil {
		id = g.Gid
	} else if _, numeric := strconv.Atoi(group); numeric != nil && !strings.HasPrefix(group, "S-") {
		return nil, err
	}
	if gid, err := strconv.Atoi(id); err == nil {
		if gid < 0 {
			return nil, usagef("%d is not a group id", gid)
		}
		return anypipe.GroupAccess(gid), nil
	}
	const readWrite = "0x12019b" // without the right to add instances
	return anypipe.ParseSDDL("D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)(A;;" + readWrite + ";;;" + id + ")")
}

// aclWords says in a few words who may open a pipe with this descriptor: as --acl does where it has a word, else in full.
func aclWords(sddl string) string {
	if sddl == "" {
		return "-"
	}
	_, dacl, _ := strings.Cut(sddl, "D:")
	is := func(s *anypipe.Security) bool { return strings.TrimPrefix(s.SDDL(), "D:") == dacl }
	switch {
	case is(anypipe.OwnerOnly()):
		return "owner"
	case is(anypipe.EveryoneAccess()):
		return "everyone"
	case is(anypipe.EveryoneRead()):
		return "everyone may read, owner"
	}
	_, id, _ := strings.Cut(dacl, ";;;S-1-22-2-")
	if gid, err := strconv.Atoi(strings.TrimSuffix(id, ")")); err == nil && gid >= 0 && is(anypipe.GroupAccess(gid)) {
		return "group " + groupName(gid) + ", owner"
	}
	return oneLine(accessWords(sddl))
}

// groupName is what the system calls a group, or its number, as a descriptor may outlive the group.
func groupName(gid int) string {
	g, err := user.LookupGroupId(strconv.Itoa(gid))
	if err != nil {
		return strconv.Itoa(gid)
	}
	return printable(g.Name)
}

// accessWords says in full who may do what with a pipe of this descriptor, one line for each statement.
func accessWords(sddl string) string {
	s, err := anypipe.ParseSDDL(sddl)
	if err != nil {
		return sddl // of a kind that only its system understands
	}
	return s.String()
}

// oneLine puts the statements of a description behind each other, safe for a terminal.
func oneLine(s string) string {
	return printable(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' }), "; "))
}

// createFlags are the flags that describe a pipe to create.
type createFlags struct {
	mode, direction, acl string
	max                  int
	in, out              int
	first, noPolling     bool
}

// add defines the flags with their defaults, which are CreateNamedPipe's but for --acl: only the owner may open it, as
// Windows' own default, by which everyone may read, surprises people.
func (f *createFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.mode, "mode", "byte", "type of the pipe: byte or message")
	flags.StringVar(&f.direction, "direction", "duplex", "duplex, inbound (clients write) or outbound (clients read)")
	flags.IntVar(&f.max, "max", 0, "instances at most, 1 to 254; 0 is unlimited")
	flags.StringVar(&f.acl, "acl", "owner", aclHelp)
	flags.BoolVar(&f.first, "first", false, "fail if the name exists already (FILE_FLAG_FIRST_PIPE_INSTANCE)")
	flags.BoolVar(&f.noPolling, "no-polling", false, noPollingHelp)
	addBufferFlags(flags, &f.in, &f.out)
	complete(cmd, "mode", "byte", "message")
	complete(cmd, "direction", "duplex", "inbound", "outbound")
	complete(cmd, "acl", "owner", "group:", "everyone", "everyone-read")
}

// addBufferFlags shows the default as a number: what matters to the user is how much fits, not that the library has a
// default.
func addBufferFlags(flags *pflag.FlagSet, in, out *int) {
	flags.IntVar(in, "in-buffer", anypipe.DefaultBuffer, "bytes that clients may write ahead; 0 makes each write wait until it was read")
	flags.IntVar(out, "out-buffer", anypipe.DefaultBuffer, "bytes that the server may write ahead")
}

// config checks the flags and turns them into what the library takes.
func (f *createFlags) config() (*anypipe.ListenConfig, error) {
	mode, err := parseMode(f.mode)
	if err != nil {
		return nil, err
	}
	direction, err := parseDirection(f.direction)
	if err != nil {
		return nil, err
	}
	sec, err := parseACL(f.acl)
	if err != nil {
		return nil, err
	}
	if f.in < 0 || f.out < 0 {
		return nil, usagef("a buffer can't be negative")
	}
	return &anypipe.ListenConfig{
		Type: mode, Direction: direction, MaxInstances: f.max, First: f.first, Security: sec,
		InBuffer: bufferSize(f.in), OutBuffer: bufferSize(f.out), NoPolling: f.noPolling,
	}, nil
}

// bufferSize translates the flag, in which 0 is 0, to the library's field, in which 0 is the default.
func bufferSize(n int) int {
	if n == 0 {
		return anypipe.Unbuffered
	}
	return n
}

// parseMode takes the words that ls and info print.
func parseMode(s string) (anypipe.Mode, error) {
	for _, m := range []anypipe.Mode{anypipe.Byte, anypipe.Message} {
		if s == m.String() {
			return m, nil
		}
	}
	return 0, usagef("--mode is byte or message, not %q", s)
}

// parseDirection takes the words that ls and info print. As everywhere, they are seen from the server.
func parseDirection(s string) (anypipe.Direction, error) {
	for _, d := range []anypipe.Direction{anypipe.Duplex, anypipe.Inbound, anypipe.Outbound} {
		if s == d.String() {
			return d, nil
		}
	}
	return 0, usagef("--direction is duplex, inbound or outbound, not %q", s)
}
