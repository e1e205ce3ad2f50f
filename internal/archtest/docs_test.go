package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every conformance case has its place in docs/semantics.md, and what the page says of it is true: a bare number is in the
// scripts, a number in (parentheses) is left out of them.
func TestSemanticsPageMatchesScripts(t *testing.T) {
	scripted, leftOut := scriptedCases(t)
	page := read(t, "docs/semantics.md")
	mentioned := map[int]bool{}
	cell := regexp.MustCompile(`(?m)\| ([(]?\d[\d, ()]*) \|`)
	number := regexp.MustCompile(`(\()?(\d+)`)
	for _, c := range cell.FindAllStringSubmatch(page, -1) {
		for _, m := range number.FindAllStringSubmatch(c[1], -1) {
			n, _ := strconv.Atoi(m[2]) // digits only
			mentioned[n] = true
			if inParentheses := m[1] != ""; inParentheses && !leftOut[n] {
				t.Errorf("docs/semantics.md says that case %d is left out; left-out.txt doesn't", n)
			} else if !inParentheses && !scripted[n] {
				t.Errorf("docs/semantics.md says that case %d is in the scripts; it isn't", n)
			}
		}
	}
	for n := range scripted {
		if !mentioned[n] {
			t.Errorf("case %d of the scripts has no row in docs/semantics.md", n)
		}
	}
	for n := range leftOut {
		if !mentioned[n] {
			t.Errorf("case %d of left-out.txt has no row in docs/semantics.md", n)
		}
	}
}

// scriptedCases returns the numbers of the cases in the scripts and in pipetest's Go code, and of those in left-out.txt.
func scriptedCases(t *testing.T) (scripted, leftOut map[int]bool) {
	t.Helper()
	const folder = "testdata/semantics"
	files, err := filepath.Glob(filepath.Join(root, folder, "*.txt"))
	if err != nil || len(files) < 2 {
		t.Fatalf("no scripts in %s: %v", folder, err)
	}
	scripted, leftOut = map[int]bool{}, map[int]bool{}
	head := regexp.MustCompile(`(?m)^(?:case )?(\d+)\b`)
	for _, f := range files {
		into := scripted
		if filepath.Base(f) == "left-out.txt" {
			into = leftOut
		}
		collect(into, head, read(t, folder+"/"+filepath.Base(f)))
	}
	collect(scripted, regexp.MustCompile(`(?m)^\t\{(\d+), "`), read(t, "pipetest/dropin.go"))
	return scripted, leftOut
}

// collect adds the numbers that the pattern finds.
func collect(into map[int]bool, pattern *regexp.Regexp, text string) {
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1]) // digits only
		into[n] = true
	}
}

// The pages name only tests that exist, and link only to files that exist.
func TestDocumentsNameWhatExists(t *testing.T) {
	tests := testNames(t)
	pages := []string{"README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"}
	for _, pattern := range []string{"docs/*.md", "docs/adr/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			rel, _ := filepath.Rel(root, f)
			pages = append(pages, filepath.ToSlash(rel))
		}
	}
	test := regexp.MustCompile("`(Test[A-Z]\\w+)`")
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, page := range pages {
		text := read(t, page)
		for _, m := range test.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(tests, m[1]) {
				t.Errorf("%s names %s, which is no test", page, m[1])
			}
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target := filepath.Join(root, filepath.Dir(page), m[1])
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
		}
	}
}

// testNames returns the names of all test functions of the module.
func testNames(t *testing.T) (names []string) {
	t.Helper()
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.isTest() && strings.HasPrefix(f.Name.Name, "Test") {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}

func read(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The Go code on the pages parses, and the names it uses of the public package exist.
func TestDocumentsUseTheAPIAsItIs(t *testing.T) {
	exported := exportedNames(t)
	block := regexp.MustCompile("(?s)```go\n(.*?)```")
	name := regexp.MustCompile(`\banypipe\.([A-Z]\w*)`)
	for _, page := range []string{"README.md", "README.zh-CN.md"} {
		blocks := block.FindAllStringSubmatch(read(t, page), -1)
		if len(blocks) == 0 {
			t.Errorf("%s has no Go code", page)
		}
		for _, b := range blocks {
			if _, err := parser.ParseFile(token.NewFileSet(), page, "package p\nfunc f() {\n"+b[1]+"\n}", 0); err != nil {
				t.Errorf("%v\n%s", err, b[1])
			}
			for _, m := range name.FindAllStringSubmatch(b[1], -1) {
				if !exported[m[1]] {
					t.Errorf("%s uses anypipe.%s, which does not exist", page, m[1])
				}
			}
		}
	}
}

// go doc shows nothing of the struct behind an alias, so the alias's own comment lists its fields, line by line.
func TestAliasesShowTheirFields(t *testing.T) {
	aliases := read(t, "transport.go")
	structs := regexp.MustCompile(`(?ms)^type (\w+) struct \{\n(.*?)\n\}`)
	shown := 0
	for _, s := range structs.FindAllStringSubmatch(read(t, "internal/npfs/types.go"), -1) {
		alias := "\t" + s[1] + " = npfs." + s[1] + "\n"
		if !strings.Contains(aliases, alias) {
			continue
		}
		shown++
		fields := "\t//\t" + strings.ReplaceAll(s[2], "\n\t", "\n\t//\t")[1:] + "\n" + alias
		if !strings.Contains(aliases, fields) {
			t.Errorf("transport.go: the comment of %s must end with the fields as internal/npfs/types.go has them:\n%s", s[1], fields)
		}
	}
	if shown == 0 {
		t.Error("no alias of a struct was found")
	}
}

// exportedNames returns the exported names of the root package.
func exportedNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, s := range sources(t) {
		if s.pkg() != "." || s.isTest() {
			continue
		}
		for _, d := range s.file.Decls {
			switch x := d.(type) {
			case *ast.FuncDecl:
				names[x.Name.Name] = x.Name.IsExported() && x.Recv == nil || names[x.Name.Name]
			case *ast.GenDecl:
				for _, spec := range x.Specs {
					switch x := spec.(type) {
					case *ast.TypeSpec:
						names[x.Name.Name] = x.Name.IsExported()
					case *ast.ValueSpec:
						for _, n := range x.Names {
							names[n.Name] = n.IsExported()
						}
					}
				}
			}
		}
	}
	return names
}
