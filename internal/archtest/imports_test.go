package archtest

import (
	"go/ast"
	"go/build"
	"go/build/constraint"
	"slices"
	"strings"
	"testing"
)

// A rule says what one folder (and the folders in it) may import of this module, and why no more.
type rule struct {
	folder string
	may    []string
	why    string
}

// rules are looked up from the top; the first that matches a folder holds. A package without a rule is an error, so that a
// new folder gets its place in the drawing.
var rules = []rule{
	{"internal/winerr", nil, "the error table is what everything else is made of"},
	{"internal/npfs", []string{"internal/winerr"}, "the rules of pipes know nothing of sockets, files or descriptors"},
	{"internal/sddl", []string{"internal/npfs", "internal/winerr"}, "descriptors need the access rights and the errors only"},
	{"internal/wire", []string{"internal/npfs", "internal/winerr"}, "frames are words on a wire; who sends them is internal/local's matter"},
	{"internal/local", []string{"internal/npfs", "internal/wire", "internal/sddl", "internal/winerr"}, "the machine speaks npfs; the root package adapts it, so it can't import the root"},
	{"internal/archtest", nil, "it reads the code as text"},
	{"testdata", nil, "scripts, embedded as they are"},
	{"pipetest", []string{".", "internal/winerr", "testdata/semantics"}, "conformance is judged through the public API, as every transport has it; the table lends the Win32 names"},
	{"soak", []string{".", "internal/npfs", "internal/wire"}, "attacks come from outside: through the public API, and as peers that speak the protocols wrongly"},
	{"cmd", []string{".", "console", "smb", "mesh", "pipetest"}, "a command is a user of the library: what it needs, others need"},
	{"console", []string{"."}, "the console is one http.Handler over the public API"},
	{"smb", []string{".", "smb", "internal/winerr", "internal/sddl"}, "a gateway opens pipes as every program does; only NTSTATUS is needed besides"},
	{"mesh", []string{".", "mesh", "internal/npfs", "internal/winerr"}, "a transport: it runs the rules over another carrier"},
	{"capi", []string{".", "internal/winerr"}, "the C door stands on the Go API"},
	{".", []string{"internal/local", "internal/npfs", "internal/sddl", "internal/winerr"}, "the public API adapts this machine's transport and lends its words"},
}

func ruleFor(folder string) *rule {
	for i, r := range rules {
		if within(folder, r.folder) {
			return &rules[i]
		}
	}
	return nil
}

// within reports whether folder is parent or lies in it. Nothing but the root package is within ".".
func within(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}

func TestImportsRunDownwards(t *testing.T) {
	for _, s := range sources(t) {
		r := ruleFor(s.pkg())
		if r == nil {
			t.Errorf("%s: no import rule for this folder; give it a place in rules and in ARCHITECTURE.md", s.path)
			continue
		}
		for _, im := range s.imports() {
			if im.own && !mayImport(s, r, im.path) {
				t.Errorf("%s imports %s; %s may import %v, because %s", s.path, im.path, r.folder, r.may, r.why)
			}
		}
	}
}

// mayImport adds to the rule that an external test imports its package, and that tests of the module may run the
// conformance suite.
func mayImport(s *source, r *rule, target string) bool {
	if s.isTest() && (target == s.pkg() || target == "pipetest" || target == ".") {
		return true
	}
	return slices.ContainsFunc(r.may, func(allowed string) bool { return within(target, allowed) })
}

func TestNothingImportsCommands(t *testing.T) {
	for _, s := range sources(t) {
		for _, im := range s.imports() {
			for _, top := range []string{"cmd", "capi", "clients", "interop", "bench"} {
				if im.own && within(im.path, top) {
					t.Errorf("%s imports %s: a program's own code is no library; move what is shared below it", s.path, im.path)
				}
			}
		}
	}
}

// The library itself stands on the standard library and x/sys, so that whoever imports it gets nothing else. What commands,
// gateways and tests use is their own choice.
func TestLibraryDependencies(t *testing.T) {
	for _, s := range sources(t) {
		folder := s.pkg()
		free := []string{"cmd", "console", "mesh", "smb", "pipetest"}
		if s.isTest() || slices.ContainsFunc(free, func(top string) bool { return within(folder, top) }) {
			continue
		}
		for _, im := range s.imports() {
			first, _, _ := strings.Cut(im.path, "/")
			if !im.own && strings.Contains(first, ".") && !strings.HasPrefix(im.path, "golang.org/x/sys/") {
				t.Errorf("%s imports %s: outside the standard library, the library uses golang.org/x/sys only", s.path, im.path)
			}
		}
	}
}

// The public package is the same on every OS: OS facts live in internal/local.
func TestRootHasNoBuildTags(t *testing.T) {
	for _, s := range sources(t) {
		if s.pkg() != "." || s.isTest() {
			continue
		}
		for _, group := range s.file.Comments {
			for _, c := range group.List {
				if constraint.IsGoBuild(c.Text) && c.Pos() < s.file.Package {
					t.Errorf("%s has %q: the root package is portable; put it below internal/local", s.path, c.Text)
				}
			}
		}
		for _, goos := range []string{"linux", "windows", "darwin", "plan9"} {
			ctx := build.Context{GOOS: goos, GOARCH: "amd64", Compiler: "gc"}
			if ok, err := ctx.MatchFile(root, s.path); !ok || err != nil {
				t.Errorf("%s is not built on %s (error: %v): the root package is portable", s.path, goos, err)
			}
		}
	}
}

// The rules package has no I/O, no goroutine and no clock: that is what makes it testable everywhere, and the same in
// private memory, between processes and on other carriers.
func TestNpfsIsPure(t *testing.T) {
	forbidden := []string{"os", "syscall", "io/ioutil", "os/signal", "os/exec", "context", "log", "log/slog", "golang.org/x/sys/unix", "golang.org/x/sys/windows"}
	for _, s := range sources(t) {
		if !within(s.pkg(), "internal/npfs") || s.isTest() {
			continue
		}
		for _, im := range s.imports() {
			if slices.Contains(forbidden, im.path) || strings.HasPrefix(im.path, "net/") {
				t.Errorf("%s imports %s: npfs does no I/O", s.path, im.path)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch x := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s:%d starts a goroutine: npfs has none", s.path, s.line(x.Pos()))
			case *ast.SelectorExpr:
				if isClock(x) {
					t.Errorf("%s:%d uses time.%s: npfs has no clock", s.path, s.line(x.Pos()), x.Sel.Name)
				}
				if pkg, ok := x.X.(*ast.Ident); ok && pkg.Name == "net" && x.Sel.Name != "ErrClosed" {
					t.Errorf("%s:%d uses net.%s: npfs does no I/O, it needs the sentinel net.ErrClosed only", s.path, s.line(x.Pos()), x.Sel.Name)
				}
			}
			return true
		})
	}
}

// isClock reports whether the expression is a function of package time that reads or waits for the time.
func isClock(x *ast.SelectorExpr) bool {
	pkg, ok := x.X.(*ast.Ident)
	clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}
	return ok && pkg.Name == "time" && slices.Contains(clock, x.Sel.Name)
}
