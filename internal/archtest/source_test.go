// Package archtest defends the drawing in ARCHITECTURE.md: which package may import which, where goroutines start,
// how long functions and files may be, and that what is exported is explained. It holds tests only.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// module is the path of the module, as go.mod has it.
const module = "github.com/anypipe/anypipe"

// A source is one parsed Go file of the module, whatever its build tags.
type source struct {
	path  string // relative to the module root, with slashes
	fset  *token.FileSet
	file  *ast.File
	lines int
}

// pkg returns the folder of the file relative to the module root; "." is the root package.
func (s *source) pkg() string { return path.Dir(s.path) }

func (s *source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// imports returns the import paths; those of this module as folders ("." is the root package), marked by own.
func (s *source) imports() (all []imported) {
	for _, spec := range s.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value) // the parser has checked it
		rel, own := strings.CutPrefix(p+"/", module+"/")
		if own {
			p = path.Clean(strings.TrimSuffix(rel, "/"))
		}
		all = append(all, imported{p, own})
	}
	return all
}

type imported struct {
	path string
	own  bool
}

// root is the module root as seen from this package.
const root = "../.."

// sources parses all Go files of the module. Folders with a go.mod of their own are other modules.
func sources(t *testing.T) []*source {
	t.Helper()
	var all []*source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(p, d)
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		s, err := parse(p)
		all = append(all, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("found only %d Go files under %s", len(all), root)
	}
	return all
}

// enter says whether the walk goes into a folder.
func enter(p string, d fs.DirEntry) error {
	if p == root {
		return nil
	}
	if name := d.Name(); name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func parse(p string) (*source, error) {
	s := &source{fset: token.NewFileSet()}
	var err error
	if s.file, err = parser.ParseFile(s.fset, p, nil, parser.ParseComments); err != nil {
		return nil, err
	}
	s.lines = s.fset.File(s.file.FileStart).LineCount()
	rel, err := filepath.Rel(root, p)
	s.path = filepath.ToSlash(rel)
	return s, err
}

// line returns the line number of a position.
func (s *source) line(p token.Pos) int { return s.fset.Position(p).Line }

// functionName returns Name or Receiver.Name of a declared function.
func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	return receiver(f) + "." + f.Name.Name
}

// receiver returns the name of the receiver's type without pointer and type parameters.
func receiver(f *ast.FuncDecl) string {
	typ := f.Recv.List[0].Type
	for {
		switch x := typ.(type) {
		case *ast.StarExpr:
			typ = x.X
		case *ast.IndexExpr:
			typ = x.X
		case *ast.IndexListExpr:
			typ = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
