package local

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/anypipe/anypipe/internal/winerr"
)

// On Windows the kernel's NPFS is the engine. It is called through the NT functions that Win32's own are made of, as they give
// the NTSTATUS, which tells conditions with the same Win32 number apart, and names without Win32's translation.
var (
	ntdll                   = windows.NewLazySystemDLL("ntdll.dll")
	procFsControlFile       = ntdll.NewProc("NtFsControlFile")
	procReadFile            = ntdll.NewProc("NtReadFile")
	procWriteFile           = ntdll.NewProc("NtWriteFile")
	procFlushBuffersFile    = ntdll.NewProc("NtFlushBuffersFile")
	procRemoveIoCompletion  = ntdll.NewProc("NtRemoveIoCompletion")
	procQueryDirectoryFile  = ntdll.NewProc("NtQueryDirectoryFile")
	procCancelSynchronousIo = windows.NewLazySystemDLL("kernel32.dll").NewProc("CancelSynchronousIo")
	procImpersonateClient   = windows.NewLazySystemDLL("advapi32.dll").NewProc("ImpersonateNamedPipeClient")
)

// The control codes of pipes (FSCTL_PIPE_*).
const (
	fsctlDisconnect = 0x110004
	fsctlListen     = 0x110008
	fsctlPeek       = 0x11400C
	fsctlWait       = 0x110018
	fsctlTransceive = 0x11C017
)

// The information classes that pipes have.
const (
	fileDirectoryInformation = 1
	filePipeInformation      = 23
	filePipeLocalInformation = 24
)

// success is STATUS_SUCCESS.
const success windows.NTStatus = 0

// failed reports whether status is an error. Warnings, such as STATUS_BUFFER_OVERFLOW, come with a result.
func failed(status windows.NTStatus) bool { return status>>30 == 3 }

// condition returns the pipe condition that status stands for, nil for success, or the Win32 error if pipes don't know it.
func condition(status windows.NTStatus) error {
	if status == success {
		return nil
	}
	if e := winerr.FromStatus(uint32(status)); e != nil {
		return e
	}
	return win32Condition(status.Errno())
}

// win32Condition is condition for calls that tell the Win32 number only. Of conditions that share a number it picks the first.
func win32Condition(err error) error {
	code, ok := errors.AsType[syscall.Errno](err)
	if !ok {
		return err
	}
	for _, e := range winerr.All {
		if e.Code == uint32(code) {
			return e
		}
	}
	return err
}

// statusOf returns the NTSTATUS that an NT function of package windows returned as error.
func statusOf(err error) windows.NTStatus {
	status, _ := errors.AsType[windows.NTStatus](err)
	return status
}

// pipePath returns the NT path of a pipe. Behind the prefix NPFS takes every character as it is.
func pipePath(server, pipe string) string {
	if server == "." {
		return `\??\pipe\` + pipe
	}
	return `\??\UNC\` + server + `\pipe\` + pipe
}

// attributes describes a pipe by its path, for NtCreateFile and NtCreateNamedPipeFile.
func attributes(path string) (*windows.OBJECT_ATTRIBUTES, error) {
	name, err := windows.NewNTUnicodeString(path)
	if err != nil {
		return nil, winerr.InvalidName
	}
	oa := &windows.OBJECT_ATTRIBUTES{ObjectName: name, Attributes: windows.OBJ_CASE_INSENSITIVE}
	oa.Length = uint32(unsafe.Sizeof(*oa))
	return oa, nil
}

// start returns a pointer to the first byte of p, nil if there is none.
func start(p []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(p))) }
