// Package semantics holds the behaviour scripts: what a named pipe does, one numbered case after the other. Package
// pipetest explains their language and runs them.
package semantics

import "embed"

// Scripts are the script files and left-out.txt, which says why a numbered case has no script.
//
//go:embed *.txt
var Scripts embed.FS
