// Package interop talks to programs that know nothing of anypipe: .NET (mono), Node, Python, socat and nc. It is a module
// of its own because its tests need those programs; the library does not.
package interop
