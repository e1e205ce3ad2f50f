{ AnyPipeHandles: a pipe's handle as the classes of AnyPipe need it, with one interface for both systems: the Win32 calls on
  Windows, libanypipe elsewhere. Every function returns a Win32 error number, 0 is success, and raises nothing.

  Every method may be called on every thread at any time. Times are milliseconds; PIPE_FOREVER waits without limit, and 0
  does not wait. What a timeout ends gives ERROR_SEM_TIMEOUT (121), what Close ends ERROR_OPERATION_ABORTED (995), and
  what comes after it ERROR_INVALID_HANDLE (6). }
unit AnyPipeHandles;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}

interface

uses
  {$IFDEF UNIX}{$IFDEF FPC}cthreads,{$ENDIF}{$ENDIF} {$IFDEF MSWINDOWS}Windows, SyncObjs, Classes,{$ENDIF} SysUtils;

const
  { A time without limit. }
  PIPE_FOREVER = -1;
  { PipeWait: what the pipe's first creator chose. }
  PIPE_DEFAULT_WAIT = -2;
  { As many instances as there are clients. }
  PIPE_UNLIMITED_INSTANCES = 255;

  { The errors of pipes that programs act on, by their Win32 names. PipeErrorName of AnyPipe knows them all. }
  ERROR_FILE_NOT_FOUND = 2;
  ERROR_ACCESS_DENIED = 5;
  ERROR_INVALID_HANDLE = 6;
  ERROR_NOT_ENOUGH_MEMORY = 8;
  ERROR_BROKEN_PIPE = 109;
  ERROR_SEM_TIMEOUT = 121;
  ERROR_BAD_PIPE = 230;
  ERROR_PIPE_BUSY = 231;
  ERROR_NO_DATA = 232;
  ERROR_PIPE_NOT_CONNECTED = 233;
  ERROR_MORE_DATA = 234;
  ERROR_PIPE_CONNECTED = 535;
  ERROR_OPERATION_ABORTED = 995;
  ERROR_INTERNAL_ERROR = 1359;

type
  { The type of a pipe, and the read mode of an end. }
  TPipeMode = (pmByte, pmMessage);

  { What an instance is created with. Start from DefaultPipeOptions. }
  TPipeOptions = record
    { The type, and the read mode of the server end. }
    PipeType: TPipeMode;
    { How many instances the name may have; the first creator's number holds. }
    MaxInstances: Cardinal;
    { The quotas in bytes, client to server and back. }
    InBuffer, OutBuffer: Cardinal;
    { How long a client's WaitNamedPipe waits if it leaves the time to the pipe. }
    DefaultTimeoutMs: Cardinal;
    { The longest message that is taken whole; 0 is no limit. }
    MaxMessage: Cardinal;
    { Fail with ERROR_ACCESS_DENIED (5) if the name exists. }
    FirstInstance: Boolean;
    { The security descriptor; '' is the owner and the system only. }
    Sddl: string;
  end;

  { What a client end is opened with. Start from DefaultDialOptions. }
  TPipeDialOptions = record
    { pmMessage fails with ERROR_INVALID_PARAMETER (87) on a byte pipe. }
    ReadMode: TPipeMode;
    { The longest message that is taken whole; 0 is no limit. }
    MaxMessage: Cardinal;
  end;

  { An instance or a client end. The last reference closes it. }
  IPipeHandle = interface
    ['{6F3F3C7E-53F1-4F0B-9B0A-0D7B1B4B8C51}']
    { ConnectNamedPipe: there is a client if the result is 0, ERROR_PIPE_CONNECTED (535) or ERROR_NO_DATA (232), where it has
      left already and what it wrote is readable. }
    function Connect(TimeoutMs: Int64): Cardinal;
    { DisconnectNamedPipe: takes back what the client has not read. }
    function Disconnect: Cardinal;
    { ReadFile: what has come, at most 64 KiB. }
    function Read(out Data: TBytes; TimeoutMs: Int64): Cardinal;
    { The next message, whole. Over MaxMessage it gives so much of it and ERROR_MORE_DATA (234). }
    function ReadMessage(out Data: TBytes; TimeoutMs: Int64): Cardinal;
    { WriteFile. }
    function Write(const Data: TBytes; TimeoutMs: Int64): Cardinal;
    { TransactNamedPipe, with a reply of any size. }
    function Transact(const Request: TBytes; out Reply: TBytes; TimeoutMs: Int64): Cardinal;
    { FlushFileBuffers. }
    function Flush(TimeoutMs: Int64): Cardinal;
    { GetNamedPipeClientProcessId at the server end, GetNamedPipeServerProcessId at the client's. }
    function PeerProcessId(out Id: Cardinal): Cardinal;
    { CloseHandle. Ends everything that waits, on whatever thread. A second one does nothing. }
    procedure Close;
  end;

{ Message type, unlimited instances, quotas of 65,536 bytes, 50 ms. }
function DefaultPipeOptions: TPipeOptions;

{ Message-read mode, no limit. }
function DefaultDialOptions: TPipeDialOptions;

{ CreateNamedPipe: makes one instance, which clients can open at once. Name is with or without \\.\pipe\. }
function PipeCreate(const Name: string; const Options: TPipeOptions; out Handle: IPipeHandle): Cardinal;

{ CreateFile and, while every instance is taken, WaitNamedPipe. With a time of 0 a taken pipe is ERROR_PIPE_BUSY (231). A pipe
  that does not exist is ERROR_FILE_NOT_FOUND (2) at once. }
function PipeOpen(const Name: string; const Options: TPipeDialOptions; TimeoutMs: Int64; out Handle: IPipeHandle): Cardinal;

{ WaitNamedPipe: 0 when an instance is free, which reserves nothing; 121 when the time is over, 2 if there is no pipe. }
function PipeWait(const Name: string; TimeoutMs: Int64): Cardinal;

implementation

{$IFNDEF MSWINDOWS}
uses
  Math, AnyPipeLib;
{$ENDIF}

const
  { How much Read takes at most, and ReadMessage at a time on Windows. }
  CHUNK = 65536;

function DefaultPipeOptions: TPipeOptions;
begin
  Result.PipeType := pmMessage;
  Result.MaxInstances := PIPE_UNLIMITED_INSTANCES;
  Result.InBuffer := 65536;
  Result.OutBuffer := 65536;
  Result.DefaultTimeoutMs := 50;
  Result.MaxMessage := 0;
  Result.FirstInstance := False;
  Result.Sddl := '';
end;

function DefaultDialOptions: TPipeDialOptions;
begin
  Result.ReadMode := pmMessage;
  Result.MaxMessage := 0;
end;

{$IFDEF MSWINDOWS}
{$I anypipehandles_windows.inc}
{$ELSE}
{$I anypipehandles_unix.inc}
{$ENDIF}

end.
