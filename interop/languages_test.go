package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// languagesDoc is the page whose programs the tests run as they stand there.
const languagesDoc = "../docs/other-languages.md"

// languages are the programs of the page: how each is started with where the pipe is, and what it prints.
var languages = []struct {
	file    string
	start   []string // the interpreter and its arguments; the file and the pipe's path follow
	install string   // the Debian packages that it needs
	prints  string
}{
	{"client.js", []string{"node"}, "nodejs", "hello from Node"},
	{"Client.java", []string{"java"}, "default-jdk-headless", "hello from Java"},
	{"client.py", []string{"python3"}, "python3", "hello from Python"},
	{"client.rb", []string{"ruby"}, "ruby", "hello from Ruby"},
	{"client.pl", []string{"perl"}, "perl", "hello from Perl"},
	{"client.php", []string{"php"}, "php-cli", "hello from PHP"},
	{"client.sh", []string{"sh"}, "socat", "hello from the shell"},
}

// snippets returns the page's programs by their file name, which stands behind the language.
func snippets(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile(languagesDoc)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, block := range regexp.MustCompile("(?ms)^```[a-z]+ (\\S+)\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		found[block[1]] = block[2]
	}
	if fences := strings.Count(string(page), "\n```"); fences != 2*len(found) {
		t.Fatalf("%s has %d fences, but %d programs with a file name: %v", languagesDoc, fences, len(found), found)
	}
	return found
}

// write puts a program of the page into a file of its name.
func write(t *testing.T, name, source string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// prints runs a program and checks its output.
func prints(t *testing.T, want string, command ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("%s printed %q instead of %q: %v\n%s", cmd, out, want, err, &stderr)
	}
}

func TestOtherLanguages(t *testing.T) {
	found := snippets(t)
	path := echo(t, pipeName("languages"))
	for _, l := range languages {
		source, ok := found[l.file]
		if !ok {
			t.Errorf("%s has no %s", languagesDoc, l.file)
			continue
		}
		delete(found, l.file)
		t.Run(l.file, func(t *testing.T) {
			interpreter := program(t, l.start[0], l.install)
			prints(t, l.prints, append(append([]string{interpreter}, l.start[1:]...), write(t, l.file, source), path)...)
		})
	}
	delete(found, "Client.cs") // below, as they take the name
	delete(found, "path.sh")
	for name := range found {
		t.Errorf("no test runs %s of %s", name, languagesDoc)
	}
}

// .NET takes the name instead of the path, and a compiler.
func TestOtherLanguagesDotNet(t *testing.T) {
	compiler := program(t, "mcs", "mono-mcs libmono-system-core4.0-cil")
	mono := program(t, "mono", "mono-runtime")
	source := write(t, "Client.cs", snippets(t)["Client.cs"])
	exe := strings.TrimSuffix(source, ".cs") + ".exe"
	if out, err := exec.CommandContext(t.Context(), compiler, source, "-r:System.Core", "-out:"+exe).CombinedOutput(); err != nil {
		t.Fatalf("mcs: %v\n%s", err, out)
	}
	name := pipeName("languages-net")
	echo(t, name)
	prints(t, "hello from .NET", mono, exe, name)
}

// The command line that the page gives for the socket's path prints what the listing has.
func TestOtherLanguagesPath(t *testing.T) {
	folder := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", folder, "./cmd/anypipe")
	build.Dir = ".." // the command's own module has what it imports
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build, err, out)
	}
	name := pipeName("path")
	want := echo(t, name)
	source := strings.ReplaceAll(snippets(t)["path.sh"], " Test ", " "+name+" ")
	t.Setenv("PATH", fmt.Sprintf("%s%c%s", folder, os.PathListSeparator, os.Getenv("PATH")))
	prints(t, want, "sh", write(t, "path.sh", source))
}
