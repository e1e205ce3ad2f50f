module github.com/anypipe/anypipe/interop

go 1.26.0

require (
	github.com/Microsoft/go-winio v0.6.4
	github.com/anypipe/anypipe v0.0.0
)

require (
	github.com/creack/pty v1.1.24
	golang.org/x/sys v0.49.0
)

replace github.com/anypipe/anypipe => ../
