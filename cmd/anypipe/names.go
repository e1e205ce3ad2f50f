package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/anypipe/anypipe"
)

// matcher returns a test for a glob: * is any run of characters, also backslashes, as in Windows' dir \\.\pipe\a*; ?
// is any one character; letters of both cases are the same. An empty pattern matches all.
func matcher(pattern string) func(name string) bool {
	if pattern == "" {
		return func(string) bool { return true }
	}
	if n, err := anypipe.ParseName(pattern); err == nil {
		pattern = n.Pipe
	}
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(quoted)
	return regexp.MustCompile(`(?is)^(?:` + quoted + `)$`).MatchString
}

// find returns the listing of one live pipe. ErrNotExist if there is none.
func find(ctx context.Context, name string) (anypipe.PipeInfo, error) {
	n, err := anypipe.ParseName(name)
	if err != nil {
		return anypipe.PipeInfo{}, err
	}
	if !n.IsLocal() {
		return anypipe.PipeInfo{}, fmt.Errorf("%s is on another machine, which can't be listed: %w", n, anypipe.ErrNotSupported)
	}
	pipes, err := anypipe.List(ctx)
	if err != nil {
		return anypipe.PipeInfo{}, err
	}
	for _, p := range pipes {
		if n.Equal(anypipe.Name{Server: ".", Pipe: p.Name}) {
			return p, nil
		}
	}
	return anypipe.PipeInfo{}, fmt.Errorf("%s: %w", n, anypipe.ErrNotExist)
}

// completeNames offers the live pipes for the first argument, in the spelling that the user began.
func completeNames(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	pipes, err := anypipe.List(cmd.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	prefix := ""
	if strings.HasPrefix(begun, "/") {
		prefix = "//./pipe/"
	}
	var names []string
	for _, p := range pipes {
		name := prefix + strings.ReplaceAll(p.Name, `\`, "/")
		if printable(name) == name && len(name) >= len(begun) && strings.EqualFold(name[:len(begun)], begun) {
			typ, _ := traits(p)
			names = append(names, name+"\t"+typ+", "+instances(p))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// complete offers fixed values for a flag.
func complete(cmd *cobra.Command, flag string, values ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag does not exist: a mistake in this program
	}
}
