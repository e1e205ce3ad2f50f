package sddl

import (
	"fmt"
	"strings"

	"github.com/anypipe/anypipe/internal/npfs"
)

// Words returns what the descriptor means, one line for each statement, such as "Everyone may read and write". Unix users
// and groups appear with their numbers; WordsWith can name them.
func (d *Descriptor) Words() string { return d.WordsWith(func(SID) string { return "" }) }

// WordsWith is Words with names: name returns what to call a SID, or "" to leave that to Words.
func (d *Descriptor) WordsWith(name func(SID) string) string {
	call := func(s SID) string {
		if n := name(s); n != "" {
			return n
		}
		return s.words()
	}
	var lines []string
	if !d.Owner.IsZero() {
		lines = append(lines, "the owner is "+call(d.Owner))
	}
	if !d.Group.IsZero() {
		lines = append(lines, "the group is "+call(d.Group))
	}
	lines = append(lines, d.Dacl.words(call)...)
	if d.Sacl != nil {
		for i := range d.Sacl.ACEs {
			lines = append(lines, d.Sacl.ACEs[i].words(call))
		}
	}
	return strings.Join(lines, "\n")
}

// words describes a DACL, which may be nil.
func (l *ACL) words(call func(SID) string) []string {
	switch {
	case l == nil:
		return []string{"the owner, LocalSystem and Administrators (root) may do everything, by default"}
	case l.Null:
		return []string{"Everyone may do everything: there is no access control"}
	case len(l.ACEs) == 0:
		return []string{"nobody may open it; the owner may read and change the permissions"}
	}
	var lines []string
	for i := range l.ACEs {
		lines = append(lines, l.ACEs[i].words(call))
	}
	return lines
}

func (a *ACE) words(call func(SID) string) string {
	rights := rightsWords(a.Mask.Specific())
	if a.Type == MandatoryLabel {
		rights = labelWords(a.Mask)
	}
	line := ""
	switch {
	case len(rights) == 0:
		line = "an entry without rights for " + call(a.SID) + ": no effect"
	case a.Type == Allowed:
		line = call(a.SID) + " may " + list(rights, "and")
	case a.Type == Denied:
		line = call(a.SID) + " may not " + list(denyWords(rights), "or")
	case a.Type == Audit:
		line = "on Windows it is logged when " + call(a.SID) + " asks to " + list(rights, "or") + a.auditWords()
	case a.Type == MandatoryLabel:
		line = "on Windows processes below integrity level " + call(a.SID) + " may not " + list(rights, "or")
	}
	if !a.inEffect() {
		line += " (inherit-only: no effect on a pipe)"
	}
	return line
}

func (a *ACE) auditWords() string {
	switch a.Flags & (AuditSuccess | AuditFailure) {
	case AuditSuccess:
		return " and may"
	case AuditFailure:
		return " and may not"
	case AuditSuccess | AuditFailure:
		return ""
	}
	return " (neither success nor failure: no effect)"
}

// words returns who the SID is, without asking the system.
func (s SID) words() string {
	if w := s.wellKnown(); w != nil {
		return w.words
	}
	if uid, ok := s.UID(); ok {
		return fmt.Sprintf("user %d", uid)
	}
	if gid, ok := s.GID(); ok {
		return fmt.Sprintf("group %d", gid)
	}
	return s.String()
}

const everything = "do everything"

// rightNames is in the order in which rights are listed. "read" is what opening with GENERIC_READ takes and "write"
// what opening with GENERIC_WRITE takes; the rest are single rights, named when they stand alone.
var rightNames = []struct {
	rights npfs.Access
	words  string
}{
	{npfs.GenericRead.Specific(), "read"},
	{npfs.GenericWrite.Specific() &^ npfs.CreatePipeInstance, "write"},
	{npfs.ReadData, "read data"},
	{npfs.WriteData, "write data"},
	{npfs.CreatePipeInstance, "add instances"},
	{npfs.ReadEA, "read extended attributes"},
	{npfs.WriteEA, "write extended attributes"},
	{npfs.Execute, "execute"},
	{0x40, "delete children"},
	{npfs.ReadAttributes, "read attributes"},
	{npfs.WriteAttributes, "write attributes"},
	{npfs.Delete, "delete"},
	{npfs.ReadControl, "read the permissions"},
	{npfs.WriteDAC, "change the permissions"},
	{npfs.WriteOwner, "take ownership"},
	{npfs.Synchronize, "wait for it"},
}

// rightsWords names the rights in a mask without generic rights. Each right is named once, by the first name that has it
// and of which nothing is missing.
func rightsWords(mask npfs.Access) []string {
	if all := npfs.GenericAll.Specific(); mask&all == all {
		return []string{everything}
	}
	var words []string
	var named npfs.Access
	for _, n := range rightNames {
		if mask&n.rights == n.rights && n.rights&^named != 0 {
			words = append(words, n.words)
			named |= n.rights
		}
	}
	if rest := mask &^ named; rest != 0 {
		words = append(words, fmt.Sprintf("%#x", uint32(rest)))
	}
	return words
}

func denyWords(rights []string) []string {
	if len(rights) == 1 && rights[0] == everything {
		return []string{"do anything"}
	}
	return rights
}

func labelWords(policy npfs.Access) []string {
	var words []string
	for i, w := range [...]string{"write", "read", "execute"} {
		if policy&(1<<i) != 0 {
			words = append(words, w)
		}
	}
	return words
}

// list joins words as English does: "a", "a and b", "a, b and c". There is at least one.
func list(words []string, conjunction string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}
