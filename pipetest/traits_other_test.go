//go:build !windows

package pipetest

// systemTraits: our engine has none by nature.
func systemTraits() []string { return nil }
