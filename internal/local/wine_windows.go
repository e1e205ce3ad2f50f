package local

import "sync"

// underWine reports whether the kernel is Wine, which takes the flag that rejects remote clients for the message type. It has
// no remote clients.
var underWine = sync.OnceValue(func() bool { return ntdll.NewProc("wine_get_version").Find() == nil })
