{ Win32Tests: the unit Windows, on either system: what source written for it needs, to the last error. }
unit Win32Tests;

{$mode delphi}

interface

procedure RunWin32Tests;

implementation

uses
  Windows, SysUtils, Classes, Testing;

const
  LINES: array[0..1] of AnsiString = ('[test data, from client]', 'and more');

type
  { One instance and the thread that serves it. }
  TInstance = record
    Pipe: HWND;
    Received: AnsiString;
    Error: DWORD; // which ended the reading
  end;
  PInstance = ^TInstance;

function FullName: string;
begin
  Result := '\\.\pipe\' + NewName;
end;

{ Serve is the tutorial's server thread; it sends back what it gets, until the client has left. }
function Serve(p: Pointer): DWORD; stdcall;
var
  Instance: PInstance;
  Buffer: array[0..1023] of AnsiChar;
  Count, Written: DWORD;
  Part: AnsiString;
begin
  Instance := p;
  Result := 1;
  if not ConnectNamedPipe(Instance.Pipe, nil) and (GetLastError <> ERROR_PIPE_CONNECTED) then
    Exit;
  while ReadFile(Instance.Pipe, Buffer, SizeOf(Buffer), Count, nil) do
  begin
    SetString(Part, PAnsiChar(@Buffer[0]), Count);
    Instance.Received := Instance.Received + Part + '|'; // memory of Pascal's, on a thread that isn't
    if Part = 'disconnect' then
      DisconnectNamedPipe(Instance.Pipe)
    else
      WriteFile(Instance.Pipe, Buffer, Count, Written, nil);
  end;
  Instance.Error := GetLastError;
  Result := 42;
end;

function NewInstance(const Name: string; out Instance: TInstance): HWND;
var
  Id: DWORD;
begin
  Instance.Received := '';
  Instance.Pipe := CreateNamedPipe(PChar(Name), PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE or PIPE_READMODE_MESSAGE or PIPE_WAIT, 1, 4096,
    4096, 1000, nil);
  Check(Instance.Pipe <> INVALID_HANDLE_VALUE, Format('CreateNamedPipe failed with error %d', [GetLastError]));
  Result := CreateThread(nil, 0, @Serve, @Instance, 0, Id);
  Check(Result <> 0, 'CreateThread');
end;

{ The tutorial's client as it stands there: an overlapped handle, and no OVERLAPPED in the calls. }
procedure TutorialClient;
var
  pipeHandle: HWND;
  pipeNameStr: string;
  threadHandle: HWND;
  bytesWrite, bytesRead, Code: DWORD;
  buffer: array[0..1023] of AnsiChar;
  Instance: TInstance;
  I: Integer;
begin
  IsMultiThread := True;
  pipeNameStr := FullName;
  threadHandle := NewInstance(pipeNameStr, Instance);
  if (WaitNamedPipe(pchar(pipeNameStr), NMPWAIT_WAIT_FOREVER) = FALSE) then
    raise Exception.Create(format('WaitNamedPipe failed with error %d', [GetLastError()]));
  pipeHandle := CreateFile(pchar(pipeNameStr), GENERIC_READ or GENERIC_WRITE, FILE_SHARE_WRITE, nil, OPEN_EXISTING,
    FILE_ATTRIBUTE_NORMAL or FILE_FLAG_OVERLAPPED, 0);
  if pipeHandle = INVALID_HANDLE_VALUE then
    raise Exception.Create(format('CreateFile failed with error %d', [GetLastError()]));
  for I := Low(LINES) to High(LINES) do
  begin
    if WriteFile(pipeHandle, pansichar(LINES[I])^, length(LINES[I]), bytesWrite, nil) = False then
      raise Exception.Create(format('WriteFile failed with error %d', [GetLastError()]));
    CheckEqual(bytesWrite, Length(LINES[I]), 'written');
    if ReadFile(pipeHandle, buffer, sizeof(buffer), bytesRead, nil) = FALSE then
      raise Exception.Create(format('ReadFile failed with error %d', [GetLastError()]));
    CheckEqual(bytesRead, Length(LINES[I]), 'read');
  end;
  CloseHandle(pipeHandle);
  CheckEqual(WaitForSingleObject(threadHandle, INFINITE), WAIT_OBJECT_0, 'wait for the thread');
  Check(GetExitCodeThread(threadHandle, Code) and (Code = 42), 'the thread''s code');
  Check(Instance.Received = LINES[0] + '|' + LINES[1] + '|', string(Instance.Received));
  CheckEqual(Instance.Error, ERROR_BROKEN_PIPE, 'the end, as the server sees it');
  CloseHandle(threadHandle);
  CloseHandle(Instance.Pipe);
end;

{ Names as WideChar, which the functions of a newer Delphi take also without the W. }
procedure WideNames;
var
  Name: UnicodeString;
  Pipe, Client: THandle;
begin
  Name := UnicodeString(FullName) + WideChar($00E9) + WideChar($4E2D);
  Pipe := CreateNamedPipeW(PWideChar(Name), PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 255, 0, 0, 0, nil);
  Check(Pipe <> THandle(INVALID_HANDLE_VALUE), 'CreateNamedPipe');
  Check(WaitNamedPipeW(PWideChar(Name), 1000), 'WaitNamedPipe');
  Client := CreateFileW(PWideChar(Name), GENERIC_READ, 0, nil, OPEN_EXISTING, 0, 0);
  Check(Client <> THandle(INVALID_HANDLE_VALUE), 'CreateFile');
  CloseHandle(Client);
  CloseHandle(Pipe);
end;

procedure LastErrors;
var
  Name: string;
  Instance: TInstance;
  Thread, Client: HWND;
  Count: DWORD;
  Buffer: array[0..15] of AnsiChar;
begin
  Name := FullName;
  Check(not WaitNamedPipe(PChar(Name), 100), 'wait for nothing');
  CheckEqual(GetLastError, ERROR_FILE_NOT_FOUND, 'wait for nothing');
  Check(CreateFile(PChar(Name), GENERIC_READ, 0, nil, OPEN_EXISTING, 0, 0) = INVALID_HANDLE_VALUE, 'open nothing');
  CheckEqual(GetLastError, ERROR_FILE_NOT_FOUND, 'open nothing');
  Thread := NewInstance(Name, Instance);
  Client := CreateFile(PChar(Name), GENERIC_READ or GENERIC_WRITE, 0, nil, OPEN_EXISTING, 0, 0);
  Check(Client <> INVALID_HANDLE_VALUE, 'open');
  Check(CreateFile(PChar(Name), GENERIC_READ, 0, nil, OPEN_EXISTING, 0, 0) = INVALID_HANDLE_VALUE, 'open a busy pipe');
  CheckEqual(GetLastError, ERROR_PIPE_BUSY, 'open a busy pipe');
  Check(not WaitNamedPipe(PChar(Name), 50), 'wait for a busy pipe');
  CheckEqual(GetLastError, ERROR_SEM_TIMEOUT, 'wait for a busy pipe');
  Check(WriteFile(Client, PAnsiChar('disconnect')^, 10, Count, nil), 'write');
  Check(not ReadFile(Client, Buffer, SizeOf(Buffer), Count, nil), 'read after a disconnect');
  CheckEqual(GetLastError, ERROR_PIPE_NOT_CONNECTED, 'read after a disconnect');
  WaitForSingleObject(Thread, INFINITE);
  CloseHandle(Client);
  CloseHandle(Thread);
  CloseHandle(Instance.Pipe);
  Check(not CloseHandle(Instance.Pipe), 'close twice');
  CheckEqual(GetLastError, ERROR_INVALID_HANDLE, 'close twice');
end;

{ Overlapped: an event for each operation, message-read mode, a transaction. }
procedure Overlapped;
var
  Name: string;
  Server, Client: HWND;
  Connecting, Reading: TOverlapped;
  Count, Unused, Mode: DWORD;
  Buffer: array[0..3] of AnsiChar;
begin
  Name := FullName;
  FillChar(Connecting, SizeOf(Connecting), 0);
  Connecting.hEvent := CreateEvent(nil, True, False, nil);
  Reading := Connecting;
  Reading.hEvent := CreateEvent(nil, True, False, nil);
  Server := CreateNamedPipe(PChar(Name), PIPE_ACCESS_DUPLEX or FILE_FLAG_OVERLAPPED, PIPE_TYPE_MESSAGE or PIPE_READMODE_MESSAGE, 1,
    4096, 4096, 0, nil);
  Check(not ConnectNamedPipe(Server, @Connecting), 'nobody is there yet');
  CheckEqual(GetLastError, ERROR_IO_PENDING, 'connect');
  CheckEqual(WaitForSingleObject(Connecting.hEvent, 0), WAIT_TIMEOUT, 'the event of connect');
  Client := CreateFile(PChar(Name), GENERIC_READ or GENERIC_WRITE, 0, nil, OPEN_EXISTING, 0, 0);
  CheckEqual(WaitForSingleObject(Connecting.hEvent, INFINITE), WAIT_OBJECT_0, 'the event of connect');
  Check(GetOverlappedResult(Server, Connecting, Count, False), 'connect');
  Mode := PIPE_READMODE_MESSAGE;
  Check(SetNamedPipeHandleState(Client, Mode, nil, nil), 'message-read mode');
  Check(not ReadFile(Server, Buffer, SizeOf(Buffer), Unused, @Reading), 'nothing is there yet');
  CheckEqual(GetLastError, ERROR_IO_PENDING, 'read');
  Check(WriteFile(Client, PAnsiChar('message')^, 7, Count, nil), 'write');
  Check(not GetOverlappedResult(Server, Reading, Count, True), 'the buffer is too small');
  CheckEqual(GetLastError, ERROR_MORE_DATA, 'read');
  CheckEqual(Count, 4, 'bytes of the first part');
  Check(PeekNamedPipe(Server, nil, 0, nil, @Count, @Unused), 'peek');
  CheckEqual(Count, 3, 'available');
  CheckEqual(Unused, 3, 'left of the message');
  CloseHandle(Client);
  CloseHandle(Server);
  CloseHandle(Connecting.hEvent);
  CloseHandle(Reading.hEvent);
end;

{ Handles in memory: arrays of them, and those that calls write. }
procedure HandlesInMemory;
var
  Events: array[0..2] of THandle;
  Copy: THandle;
  I: Integer;
begin
  for I := 0 to 2 do
    Events[I] := CreateEvent(nil, True, False, nil);
  Copy := 0;
  Check(DuplicateHandle(GetCurrentProcess, Events[2], GetCurrentProcess, @Copy, 0, False, DUPLICATE_SAME_ACCESS), 'DuplicateHandle');
  CheckEqual(WaitForMultipleObjects(3, @Events, False, 0), WAIT_TIMEOUT, 'none is set');
  SetEvent(Copy);
  CheckEqual(WaitForMultipleObjects(3, @Events, False, INFINITE), WAIT_OBJECT_0 + 2, 'the third is set');
  for I := 0 to 2 do
    Check(CloseHandle(Events[I]), 'CloseHandle');
  CloseHandle(Copy);
end;

procedure AnonymousPipe;
var
  ReadEnd, WriteEnd: THandle;
  Count: DWORD;
  Buffer: array[0..15] of AnsiChar;
begin
  Check(CreatePipe(ReadEnd, WriteEnd, nil, 0), 'CreatePipe');
  Check(WriteFile(WriteEnd, PAnsiChar('bytes')^, 5, Count, nil), 'write');
  CloseHandle(WriteEnd);
  Check(ReadFile(ReadEnd, Buffer, SizeOf(Buffer), Count, nil) and (Count = 5), 'read');
  Check(not ReadFile(ReadEnd, Buffer, SizeOf(Buffer), Count, nil), 'read at the end');
  CheckEqual(GetLastError, ERROR_BROKEN_PIPE, 'read at the end');
  CloseHandle(ReadEnd);
end;

procedure RunWin32Tests;
begin
  Run('unit Windows: the tutorial''s client and server', TutorialClient);
  Run('unit Windows: wide names', WideNames);
  Run('unit Windows: last errors', LastErrors);
  Run('unit Windows: overlapped', Overlapped);
  Run('unit Windows: handles in memory', HandlesInMemory);
  Run('unit Windows: an anonymous pipe', AnonymousPipe);
end;

end.
