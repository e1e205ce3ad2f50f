package local

import (
	"golang.org/x/sys/windows"

	"github.com/anypipe/anypipe/internal/npfs"
)

// person is who a process acts for. The zero value is nobody known.
type person struct {
	sid, user string
}

func (p person) known() bool { return p.sid != "" }

// peer completes what is known of a process.
func (p person) peer(pid uint32) npfs.Peer {
	out := npfs.Peer{PID: int(pid), UID: -1, GID: -1, SID: p.sid, User: p.user}
	var session uint32
	if windows.ProcessIdToSessionId(pid, &session) == nil {
		out.Session = int(session)
	}
	return out
}

// clientProcess returns the id of the client's process.
func clientProcess(pipe windows.Handle) (pid uint32, err error) {
	err = windows.GetNamedPipeClientProcessId(pipe, &pid)
	return pid, win32Condition(err)
}

// serverPeer tells who the server is.
func (e *end) serverPeer() (npfs.Peer, error) {
	if err := e.enter(); err != nil {
		return npfs.Peer{}, err
	}
	defer e.leave()
	var pid uint32
	if err := windows.GetNamedPipeServerProcessId(e.handle, &pid); err != nil {
		return npfs.Peer{}, win32Condition(err)
	}
	return processPerson(pid).peer(pid), nil
}

// askClient returns who the client is: by the identity that it gave with the pipe, which holds also when the process is gone,
// else by its process.
func (in *Instance) askClient(pid uint32) person {
	var p person
	if err := in.impersonate(func() error { p = threadPerson(); return nil }); err == nil && p.known() {
		return p
	}
	return processPerson(pid)
}

// threadPerson returns who the thread acts for.
func threadPerson() person {
	var token windows.Token
	if windows.OpenThreadToken(windows.CurrentThread(), windows.TOKEN_QUERY, true, &token) != nil {
		return person{}
	}
	defer token.Close()
	return tokenPerson(token)
}

// processPerson returns who the process acts for; nobody if we may not ask or it is gone.
func processPerson(pid uint32) person {
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return person{}
	}
	defer windows.CloseHandle(process)
	var token windows.Token
	if windows.OpenProcessToken(process, windows.TOKEN_QUERY, &token) != nil {
		return person{}
	}
	defer token.Close()
	return tokenPerson(token)
}

// tokenPerson returns whom a token stands for; the user is the SID again if it has no name.
func tokenPerson(token windows.Token) person {
	user, err := token.GetTokenUser()
	if err != nil {
		return person{}
	}
	p := person{sid: user.User.Sid.String(), user: user.User.Sid.String()}
	if account, domain, _, err := user.User.Sid.LookupAccount(""); err == nil {
		p.user = account
		if domain != "" {
			p.user = domain + `\` + account
		}
	}
	return p
}

// Descriptor tells the pipe's security descriptor as text: owner, group and who may do what.
func (e *end) Descriptor() (string, error) {
	if err := e.enter(); err != nil {
		return "", err
	}
	defer e.leave()
	const told = windows.OWNER_SECURITY_INFORMATION | windows.GROUP_SECURITY_INFORMATION | windows.DACL_SECURITY_INFORMATION
	d, err := windows.GetSecurityInfo(e.handle, windows.SE_KERNEL_OBJECT, told)
	if err != nil {
		return "", win32Condition(err)
	}
	return d.String(), nil
}
