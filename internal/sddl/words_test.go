package sddl

import (
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for sddl, want := range map[string]string{
		"D:":                                     "nobody may open it; the owner may read and change the permissions",
		"D:NO_ACCESS_CONTROL":                    "Everyone may do everything: there is no access control",
		"O:BA":                                   "the owner is Administrators (root)|the owner, LocalSystem and Administrators (root) may do everything, by default",
		"D:(A;;FA;;;OW)":                         "the owner may do everything",
		"D:(A;;GA;;;SY)":                         "LocalSystem (root) may do everything",
		"D:(A;;FR;;;WD)":                         "Everyone may read",
		"D:(A;;0x12019b;;;WD)":                   "Everyone may read and write",
		"D:(A;;GRGW;;;AU)":                       "Authenticated Users may read, write and add instances",
		"D:(A;;FW;;;S-1-22-2-27)":                "group 27 may write and add instances",
		"D:(A;;0x1200ff;;;WD)":                   "Everyone may read, write data, add instances, write extended attributes, execute and delete children",
		"D:(A;;RC;;;S-1-22-1-1000)":              "user 1000 may read the permissions",
		"D:(A;;CCSDWDWO;;;S-1-5-21-1-2-3-4)":     "S-1-5-21-1-2-3-4 may read data, delete, change the permissions and take ownership",
		"D:(A;;0x02100000;;;AN)":                 "Anonymous may wait for it and 0x2000000",
		"D:(A;;;;;BG)":                           "an entry without rights for Guests: no effect",
		"D:(D;;GA;;;NU)":                         "users of other machines may not do anything",
		"D:(D;;0x12019b;;;AN)":                   "Anonymous may not read or write",
		"D:(A;OICIIO;GA;;;CO)":                   "the creator may do everything (inherit-only: no effect on a pipe)",
		"O:S-1-22-1-0G:S-1-22-2-0D:(A;;FR;;;WD)": "the owner is user 0|the group is group 0|Everyone may read",
		"D:(A;;FR;;;WD)S:(ML;;NW;;;LW)":          "Everyone may read|on Windows processes below integrity level Low may not write",
		"D:(A;;FR;;;WD)S:(ML;;NWNRNX;;;ME)(ML;;0;;;HI)":    "Everyone may read|on Windows processes below integrity level Medium may not write, read or execute|an entry without rights for High: no effect",
		"D:(A;;FR;;;WD)S:(AU;SA;SD;;;WD)":                  "Everyone may read|on Windows it is logged when Everyone asks to delete and may",
		"D:(A;;FR;;;WD)S:(AU;SAFA;FA;;;WD)(AU;FA;FR;;;AN)": "Everyone may read|on Windows it is logged when Everyone asks to do everything|on Windows it is logged when Anonymous asks to read and may not",
	} {
		got := strings.ReplaceAll(mustParse(t, sddl).Words(), "\n", "|")
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", sddl, got, want)
		}
	}
}

func TestWordsWithNames(t *testing.T) {
	name := func(s SID) string {
		if uid, ok := s.UID(); ok && uid == 1000 {
			return "alice"
		}
		return ""
	}
	d := mustParse(t, "O:S-1-22-1-1000D:(A;;0x12019b;;;S-1-22-1-1000)(A;;FR;;;S-1-22-2-27)")
	if got := d.WordsWith(name); got != "the owner is alice\nalice may read and write\ngroup 27 may read" {
		t.Error(got)
	}
}
