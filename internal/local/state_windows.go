package local

import (
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/anypipe/anypipe/internal/npfs"
)

// pipeInformation is FILE_PIPE_INFORMATION: an end's modes.
type pipeInformation struct {
	ReadMode       uint32
	CompletionMode uint32
}

// pipeLocalInformation is FILE_PIPE_LOCAL_INFORMATION.
type pipeLocalInformation struct {
	Type, Configuration                uint32
	MaximumInstances, CurrentInstances uint32
	InboundQuota, ReadDataAvailable    uint32
	OutboundQuota, WriteQuotaAvailable uint32
	State, End                         uint32
}

// unlimited is what NPFS calls an unlimited number of instances; Win32 calls it 255.
const unlimited = 0xFFFFFFFF

// query asks for one class of information.
func query[T any](e *end, class uint32, into *T) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.leave()
	var block windows.IO_STATUS_BLOCK
	err := windows.NtQueryInformationFile(e.handle, &block, (*byte)(unsafe.Pointer(into)), uint32(unsafe.Sizeof(*into)), class)
	return condition(statusOf(err))
}

// Info is GetNamedPipeInfo and GetNamedPipeHandleState. The kernel does not tell whether an instance rejects remote clients, so
// only the process that created it knows.
func (e *end) Info() (npfs.Info, error) {
	var local pipeLocalInformation
	if err := query(e, filePipeLocalInformation, &local); err != nil {
		return npfs.Info{}, err
	}
	e.modesMu.Lock()
	modes := e.modes
	e.modesMu.Unlock()
	return npfs.Info{
		Type: npfs.Mode(local.Type & 1), Direction: direction(local.Configuration),
		MaxInstances: int(min(local.MaximumInstances, npfs.UnlimitedInstances)), Instances: int(local.CurrentInstances),
		InQuota: int(local.InboundQuota), OutQuota: int(local.OutboundQuota),
		Modes: modes, State: npfs.State(local.State), Server: e.server,
		Readable: int(local.ReadDataAvailable), WriteQuota: int(local.WriteQuotaAvailable), RejectRemote: e.reject,
	}, nil
}

// direction translates the kernel's numbering.
func direction(configuration uint32) npfs.Direction {
	switch configuration {
	case windows.FILE_PIPE_INBOUND:
		return npfs.Inbound
	case windows.FILE_PIPE_OUTBOUND:
		return npfs.Outbound
	}
	return npfs.Duplex
}

// SetModes is SetNamedPipeHandleState.
func (e *end) SetModes(m npfs.Modes) error {
	if err := e.enter(); err != nil {
		return err
	}
	defer e.leave()
	e.modesMu.Lock()
	defer e.modesMu.Unlock()
	to := m
	if e.whole {
		to.Read = npfs.Message
	}
	if m.Read > npfs.Message { // the kernel is to say whether the right or the value is wrong
		to.Read = m.Read
	}
	if err := e.setKernelModes(to); err != nil {
		return err
	}
	e.modes = m
	return nil
}

// readWhole puts the handle into message-read mode, or back to what the user wants.
func (e *end) readWhole(whole bool) error {
	e.modesMu.Lock()
	defer e.modesMu.Unlock()
	e.whole = whole
	if e.modes.Read == npfs.Message {
		return nil
	}
	m := e.modes
	if whole {
		m.Read = npfs.Message
	}
	err := e.setKernelModes(m)
	if err != nil {
		e.whole = false
	}
	return err
}

// setKernelModes sets the handle's modes. e.modesMu must be held.
func (e *end) setKernelModes(m npfs.Modes) error {
	info := pipeInformation{ReadMode: uint32(m.Read)}
	if m.NoWait {
		info.CompletionMode = windows.FILE_PIPE_COMPLETE_OPERATION
	}
	var block windows.IO_STATUS_BLOCK
	err := windows.NtSetInformationFile(e.handle, &block, (*byte)(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)),
		filePipeInformation)
	return condition(statusOf(err))
}

// learn asks the kernel for what the end has to know of itself.
func (e *end) learn() error {
	var local pipeLocalInformation
	if err := query(e, filePipeLocalInformation, &local); err != nil {
		return err
	}
	var modes pipeInformation
	if err := query(e, filePipeInformation, &modes); err != nil {
		return err
	}
	e.typ = npfs.Mode(local.Type & 1)
	e.modes = npfs.Modes{Read: npfs.Mode(modes.ReadMode & 1), NoWait: modes.CompletionMode == windows.FILE_PIPE_COMPLETE_OPERATION}
	return nil
}
