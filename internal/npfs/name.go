package npfs

import (
	"strings"
	"unicode"
)

// FoldName returns the form of a pipe name under which names are compared: each UTF-16 unit upper-cased by the
// simple one-to-one table, no normalisation, no locale.
func FoldName(name string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xFFFF {
			return r // two UTF-16 units, which the table leaves alone
		}
		if u := unicode.ToUpper(r); u <= 0xFFFF {
			return u
		}
		return r
	}, name)
}
