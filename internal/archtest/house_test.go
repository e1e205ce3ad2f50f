package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"testing"
)

// The budgets, without tests and generated files. Longer is not forbidden but must be named below with its reason.
const (
	maxFunction = 60  // lines from func to the closing brace
	maxFile     = 500 // lines
)

// longer names the functions (file.go:Function) and files that may exceed the budget, and why.
var longer = map[string]string{}

func TestSizes(t *testing.T) {
	used := map[string]bool{}
	check := func(place string, lines, limit int) {
		if lines <= limit {
			return
		}
		used[place] = true
		if longer[place] == "" {
			t.Errorf("%s has %d lines, the budget is %d: split it by concern, or name it in longer with the reason", place, lines, limit)
		}
	}
	for _, s := range sources(t) {
		if s.isTest() || ast.IsGenerated(s.file) {
			continue
		}
		check(s.path, s.lines, maxFile)
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				check(s.path+":"+functionName(f), s.line(f.End())-s.line(f.Pos())+1, maxFunction)
			}
		}
	}
	for place := range longer {
		if !used[place] {
			t.Errorf("%s is excused in longer but within its budget, or gone", place)
		}
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	explained, seen := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
		seen[s.pkg()] = true
		explained[s.pkg()] = explained[s.pkg()] || s.file.Doc.Text() != ""
	}
	for folder := range seen {
		if !explained[folder] {
			t.Errorf("package in %s has no package comment", folder)
		}
	}
}

// What is exported from the packages that others import is explained.
func TestExportedNamesAreDocumented(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() || !slices.Contains([]string{".", "pipetest"}, s.pkg()) {
			continue
		}
		for _, d := range s.file.Decls {
			switch x := d.(type) {
			case *ast.FuncDecl:
				exposed := x.Name.IsExported() && (x.Recv == nil || ast.IsExported(receiver(x)))
				if exposed && x.Doc.Text() == "" {
					t.Errorf("%s:%d %s has no comment", s.path, s.line(x.Pos()), functionName(x))
				}
			case *ast.GenDecl:
				undocumented(t, s, x)
			}
		}
	}
}

// undocumented reports the exported types, constants and variables of a declaration that neither they nor their group
// explain. A type always needs its own comment.
func undocumented(t *testing.T, s *source, d *ast.GenDecl) {
	t.Helper()
	group := d.Doc.Text() != ""
	for _, spec := range d.Specs {
		switch x := spec.(type) {
		case *ast.TypeSpec:
			if x.Name.IsExported() && x.Doc.Text() == "" && (!group || d.Lparen != token.NoPos) {
				t.Errorf("%s:%d type %s has no comment", s.path, s.line(x.Pos()), x.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range x.Names {
				if name.IsExported() && !group && x.Doc.Text() == "" && x.Comment.Text() == "" {
					t.Errorf("%s:%d %s has no comment", s.path, s.line(name.Pos()), name.Name)
				}
			}
		}
	}
}

// A test that sleeps is slow or wrong. Inside testing/synctest a sleep costs nothing and is exact.
func TestNoSleeping(t *testing.T) {
	for _, s := range sources(t) {
		if !s.isTest() || slices.ContainsFunc(s.imports(), func(im imported) bool { return im.path == "testing/synctest" }) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			x, ok := n.(*ast.SelectorExpr)
			if ok && x.Sel.Name == "Sleep" {
				if pkg, ok := x.X.(*ast.Ident); ok && pkg.Name == "time" {
					t.Errorf("%s:%d sleeps; wait for what it waits for, or use testing/synctest", s.path, s.line(x.Pos()))
				}
			}
			return true
		})
	}
}
