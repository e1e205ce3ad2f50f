package main

/*
#include <stdlib.h>
#include "anypipe.h"
#include "abi.h"
*/
import "C"

import (
	"context"
	"runtime/debug"
	"sync"
	"unsafe"

	"github.com/anypipe/anypipe"
)

//export libSetModes
func libSetModes(handle C.anypipe_handle, readMode C.uint32_t, noWait C.int) C.int {
	e := end(uint64(handle))
	if e == nil {
		return C.ANYPIPE_INVALID_HANDLE
	}
	if readMode > C.ANYPIPE_MESSAGE {
		return invalid("read_mode is neither ANYPIPE_BYTE nor ANYPIPE_MESSAGE")
	}
	return result(e.conn.SetModes(anypipe.Modes{Read: anypipe.Mode(readMode), NoWait: noWait != 0}))
}

func flag(b bool) C.uint32_t {
	if b {
		return 1
	}
	return 0
}

//export libGetInfo
func libGetInfo(handle C.anypipe_handle, out *C.anypipe_info) C.int {
	e := end(uint64(handle))
	if e == nil {
		return C.ANYPIPE_INVALID_HANDLE
	}
	i, err := e.conn.Info()
	if err != nil {
		return result(err)
	}
	out._type, out.direction, out.state = C.uint32_t(i.Type), C.uint32_t(i.Direction), C.uint32_t(i.State)
	out.read_mode, out.no_wait = C.uint32_t(i.Modes.Read), flag(i.Modes.NoWait)
	out.server, out.reject_remote = flag(i.Server), flag(i.RejectRemote)
	out.max_instances, out.instances = C.uint32_t(i.MaxInstances), C.uint32_t(i.Instances)
	out.in_quota, out.out_quota = C.uint64_t(i.InQuota), C.uint64_t(i.OutQuota)
	out.readable, out.write_quota = C.uint64_t(i.Readable), C.uint64_t(i.WriteQuota)
	return C.ANYPIPE_OK
}

// putText copies s into a field of a struct, cut if it is too long and ended by NUL.
func putText(field []C.char, s string) {
	n := copy(unsafe.Slice((*byte)(unsafe.Pointer(&field[0])), len(field)-1), s)
	field[n] = 0
}

//export libGetPeer
func libGetPeer(handle C.anypipe_handle, out *C.anypipe_peer) C.int {
	e := end(uint64(handle))
	if e == nil {
		return C.ANYPIPE_INVALID_HANDLE
	}
	p, err := e.conn.Peer()
	if err != nil {
		return result(err)
	}
	out.pid, out.session, out.uid, out.gid = C.int64_t(p.PID), C.int64_t(p.Session), C.int64_t(p.UID), C.int64_t(p.GID)
	out.group_count = C.uint32_t(len(p.Groups))
	putText(out.sid[:], p.SID)
	putText(out.user[:], p.User)
	return C.ANYPIPE_OK
}

//export libGetPeerGroups
func libGetPeerGroups(handle C.anypipe_handle, groups *C.int64_t, capacity C.size_t, count *C.size_t) C.int {
	e := end(uint64(handle))
	if e == nil {
		return C.ANYPIPE_INVALID_HANDLE
	}
	p, err := e.conn.Peer()
	if err != nil {
		return result(err)
	}
	*count = C.size_t(len(p.Groups))
	for i, group := range unsafe.Slice(groups, min(int(capacity), len(p.Groups))) {
		_ = group
		unsafe.Slice(groups, int(capacity))[i] = C.int64_t(p.Groups[i])
	}
	return C.ANYPIPE_OK
}

//export libRunAsClient
func libRunAsClient(handle C.anypipe_handle, action C.libanypipe_action, user C.uintptr_t, out *C.int) C.int {
	e, code := instance(handle)
	if e == nil {
		return code
	}
	return result(e.conn.RunAsClient(func() error {
		r := C.libanypipe_call_action(action, user)
		if out != nil {
			*out = r
		}
		return nil
	}))
}

//export libList
func libList(visit C.libanypipe_visit, user C.uintptr_t) C.int {
	pipes, err := anypipe.List(context.Background())
	if err != nil {
		return result(err)
	}
	for i := range pipes {
		if show(&pipes[i], visit, user) != 0 {
			break
		}
	}
	return C.ANYPIPE_OK
}

// show calls visit with one pipe.
func show(p *anypipe.PipeInfo, visit C.libanypipe_visit, user C.uintptr_t) C.int {
	listed := C.anypipe_listed{
		size: C.sizeof_anypipe_listed, _type: C.uint32_t(p.Type), direction: C.uint32_t(p.Direction),
		max_instances: C.uint32_t(p.MaxInstances), instances: C.uint32_t(p.Instances),
		default_timeout_ms: C.uint32_t(p.DefaultTimeout.Milliseconds()), owner_uid: C.int64_t(p.OwnerUID),
		name: C.CString(p.Name), sddl: C.CString(p.SDDL), owner: C.CString(p.Owner), path: C.CString(p.Path),
	}
	defer func() {
		for _, text := range []*C.char{listed.name, listed.sddl, listed.owner, listed.path} {
			C.free(unsafe.Pointer(text))
		}
	}()
	return C.libanypipe_call_visit(visit, user, &listed)
}

// version is the module's, as the build recorded it.
var version = sync.OnceValue(func() *C.char {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return C.CString(info.Main.Version)
	}
	return C.CString("(devel)")
})

//export libVersion
func libVersion() *C.char { return version() }
