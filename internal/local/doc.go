// Package local is this machine's pipes. On Unix it is the engine: the namespace directory, the door at which clients
// open a name, the shared region of each connection with internal/npfs over it, and the waiting. On Windows the kernel is the
// engine, and this is the way to it. Package anypipe adapts it as the nil Transport.
package local
