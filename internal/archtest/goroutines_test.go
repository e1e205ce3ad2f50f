package archtest

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Every place that starts a goroutine stands in the table of ARCHITECTURE.md, with the owner who joins it, and the table
// names no place that is gone. A place is `file.go:Function`, first cell of a row.
func TestEveryGoroutineHasAnOwner(t *testing.T) {
	listed := map[string]bool{}
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([^`]+\\.go:[^`]+)` \\| [^|]*[^| ][^|]* \\| [^|]*[^| ][^|]* \\|$")
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		listed[m[1]] = true
	}
	found := map[string]bool{}
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		for _, place := range starts(s) {
			found[place] = true
			if !listed[place] {
				t.Errorf("%s starts a goroutine that ARCHITECTURE.md does not list; add its row: what it does, who joins it", place)
			}
		}
	}
	for place := range listed {
		if !found[place] {
			t.Errorf("ARCHITECTURE.md lists %s, where no goroutine is started any more", place)
		}
	}
}

// starts returns the functions of a file that start goroutines: by a go statement, a Go method (sync.WaitGroup's and its
// like) or AfterFunc, whose function runs in a goroutine of its own.
func starts(s *source) (places []string) {
	for _, d := range s.file.Decls {
		name := "(package)"
		if f, ok := d.(*ast.FuncDecl); ok {
			name = functionName(f)
		}
		starting := false
		ast.Inspect(d, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.GoStmt:
				starting = true
			case *ast.CallExpr:
				if sel, ok := x.Fun.(*ast.SelectorExpr); ok && (sel.Sel.Name == "Go" || sel.Sel.Name == "AfterFunc") {
					starting = true
				}
			}
			return !starting
		})
		if starting {
			places = append(places, s.path+":"+name)
		}
	}
	return places
}
