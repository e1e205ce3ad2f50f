{ client: the tutorial's Delphi client, as a console program. It sends what it is told, and a thread receives, because ReadFile
  waits; what comes is shown by the main thread, which the tutorial reaches by a window message and this program by
  TThread.Synchronize. It ends when the server does.

    client [NAME [TEXT...]]      default: \\.\pipe\TestC

  The steps are those of the tutorial: WaitNamedPipe, CreateFile, CreateThread, WriteFile, ReadFile. The handle is overlapped as
  there, but each call has an OVERLAPPED: without one, a write that ends would also end the wait of the read beside it.

  On Linux the unit Windows is the one of clients/pascal/unix. }
program client;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}{$IFDEF MSWINDOWS}{$APPTYPE CONSOLE}{$ENDIF}

uses
  Windows, SysUtils, Classes;

type
  { What the window was: its method runs in the main thread. }
  TDisplay = class
    Received: AnsiString;
    procedure Display;
  end;

var
  pipeNameStr: string;
  pipeHandle: HWND;
  threadHandle: HWND;
  threadId: Cardinal;
  display: TDisplay;
  endedBy: DWORD;     // set by the thread before it ends

procedure TDisplay.Display;
begin
  WriteLn('received: ', Received);
  Flush(Output);
end;

procedure Fail(const What: string);
begin
  WriteLn(ErrOutput, Format('%s failed with error %d', [What, GetLastError]));
  Halt(1);
end;

{ Finish waits for an operation that was started, and tells as the call itself would have, had it waited. }
function Finish(Done: BOOL; var Operation: TOverlapped; var Count: DWORD): BOOL;
begin
  if not Done and (GetLastError <> ERROR_IO_PENDING) then
    Result := False
  else
    Result := GetOverlappedResult(pipeHandle, Operation, Count, True);
end;

function NewOperation: TOverlapped;
begin
  FillChar(Result, SizeOf(Result), 0);
  Result.hEvent := CreateEvent(nil, True, False, nil);
end;

procedure SendText(const Text: AnsiString);
var
  Operation: TOverlapped;
  bytesWrite: DWORD;
begin
  Operation := NewOperation;
  bytesWrite := 0;
  if not Finish(WriteFile(pipeHandle, PAnsiChar(Text)^, Length(Text), bytesWrite, @Operation), Operation, bytesWrite) then
    Fail('WriteFile');
  CloseHandle(Operation.hEvent);
  WriteLn(Format('write %d Bytes', [bytesWrite]));
  Flush(Output);
end;

function ReadFromPipe(p: Pointer): DWORD; stdcall;
var
  Operation: TOverlapped;
  buffer: array[0..1023] of AnsiChar;
  bytesRead: DWORD;
begin
  Operation := NewOperation;
  bytesRead := 0;
  while Finish(ReadFile(pipeHandle, buffer, SizeOf(buffer), bytesRead, @Operation), Operation, bytesRead) do
  begin
    SetString(TDisplay(p).Received, PAnsiChar(@buffer[0]), bytesRead);
    TThread.Synchronize(nil, TDisplay(p).Display);
  end;
  endedBy := GetLastError;
  CloseHandle(Operation.hEvent);
  Result := 0;
end;

var
  I: Integer;

begin
  pipeNameStr := '\\.\pipe\TestC';
  if ParamCount > 0 then
    pipeNameStr := ParamStr(1);
  repeat // WaitNamedPipe reserves nothing: of all who waited one gets the instance, and the others wait again
    if WaitNamedPipe(pchar(pipeNameStr), NMPWAIT_WAIT_FOREVER) = FALSE then
      Fail('WaitNamedPipe');
    pipeHandle := CreateFile(pchar(pipeNameStr), GENERIC_READ or GENERIC_WRITE, FILE_SHARE_WRITE, nil, OPEN_EXISTING,
      FILE_ATTRIBUTE_NORMAL or FILE_FLAG_OVERLAPPED, 0);
  until (pipeHandle <> INVALID_HANDLE_VALUE) or (GetLastError <> ERROR_PIPE_BUSY);
  if pipeHandle = INVALID_HANDLE_VALUE then
    Fail('CreateFile');
  WriteLn('connected');
  Flush(Output);
  display := TDisplay.Create;
  for I := 2 to ParamCount do
    SendText(AnsiString(ParamStr(I)));
  IsMultiThread := True; // CreateThread does not tell Pascal's own library
  threadHandle := CreateThread(nil, 0, @ReadFromPipe, display, 0, threadId);
  if threadHandle = 0 then
    Fail('CreateThread');
  while WaitForSingleObject(threadHandle, 0) = WAIT_TIMEOUT do
    CheckSynchronize(10); // in a program with windows, the message loop
  WriteLn(Format('the server has left: error %d', [endedBy])); // 109: closed, 233: disconnected
  CloseHandle(threadHandle);
  CloseHandle(pipeHandle);
  display.Free;
end.
