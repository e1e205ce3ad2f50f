{ Windows: the unit of that name for systems that are not Windows, so that Pascal source written for Win32 named pipes compiles
  there unchanged. The functions are libanypipe-win32's (capi/win32); they do and fail as Windows' do, to the last error.

  Only what programs with pipes use is here: pipes, files, events, overlapped operations, completion ports, threads. Names are
  those of the unit Windows of Delphi and Free Pascal, which a program uses on Windows; put this folder on the search path
  (-Fu) elsewhere. Of functions that exist in both ways, CreateFile is overloaded for PAnsiChar, which is UTF-8, and
  PWideChar.

  Differences from Windows:
  - Free Pascal's THandle has 32 bits on Unix, and SysUtils and Classes declare it so, whatever stands here. So all handles have;
    the library's fit into it.
  - GetCurrentThreadId, EnterCriticalSection and LeaveCriticalSection are the unit System's.
  - Threads need the unit cthreads before all others: let Windows be the program's first unit, or compile with -Facthreads.
  - Floating-point exceptions that the program has armed stay armed in the library. It causes none, but would of
    exPrecision, which nobody arms. }
unit Windows;

{$MODE DELPHI}{$PACKRECORDS C}

interface

uses
  cthreads;

const
  { The library's name for the linker. }
  Win32Library = 'anypipe-win32';
  { How many handles WaitForMultipleObjects waits for. }
  MAXIMUM_WAIT_OBJECTS = 64;

type
  HANDLE = System.THandle;
  { A handle as it is passed to the library, with all its bits: -1 stays -1. }
  HANDLE_IN = PtrInt;
  PHANDLE = ^HANDLE;
  LPHANDLE = PHANDLE;
  THandle = HANDLE;
  HWND = HANDLE;
  HLOCAL = Pointer;
  DWORD = Cardinal;
  PDWORD = ^DWORD;
  LPDWORD = PDWORD;
  UINT = Cardinal;
  ULONG = Cardinal;
  PULONG = ^ULONG;
  LONG = Integer;
  BOOL = LongBool;
  WINBOOL = LongBool;
  LPVOID = Pointer;
  LPCVOID = Pointer;
  LPSTR = PAnsiChar;
  LPCSTR = PAnsiChar;
  LPWSTR = PWideChar;
  LPCWSTR = PWideChar;
  ULONG_PTR = PtrUInt;
  PULONG_PTR = ^ULONG_PTR;
  SIZE_T = PtrUInt;
  FARPROC = Pointer;
  { A function (Parameter: Pointer): DWORD; stdcall }
  TFNThreadStartRoutine = FARPROC;

  SECURITY_ATTRIBUTES = record
    nLength: DWORD;
    lpSecurityDescriptor: LPVOID;
    bInheritHandle: WINBOOL;
  end;
  TSecurityAttributes = SECURITY_ATTRIBUTES;
  PSecurityAttributes = ^SECURITY_ATTRIBUTES;
  LPSECURITY_ATTRIBUTES = PSecurityAttributes;

  OVERLAPPED = record
    Internal, InternalHigh: ULONG_PTR;
    Offset, OffsetHigh: DWORD;
    hEvent: HANDLE_IN;
  end;
  TOverlapped = OVERLAPPED;
  POverlapped = ^OVERLAPPED;
  LPOVERLAPPED = POverlapped;
  TOverlappedCompletionRoutine = procedure(dwErrorCode, dwNumberOfBytesTransfered: DWORD; lpOverlapped: POverlapped); stdcall;
  LPOVERLAPPED_COMPLETION_ROUTINE = TOverlappedCompletionRoutine;
  TWOHandleArray = array[0..MAXIMUM_WAIT_OBJECTS - 1] of HANDLE;
  PWOHandleArray = ^TWOHandleArray;

const
  INVALID_HANDLE_VALUE = HANDLE(-1);
  INFINITE = DWORD($FFFFFFFF);

  GENERIC_READ = DWORD($80000000);
  GENERIC_WRITE = DWORD($40000000);
  FILE_SHARE_READ = 1;
  FILE_SHARE_WRITE = 2;
  FILE_SHARE_DELETE = 4;
  CREATE_NEW = 1;
  CREATE_ALWAYS = 2;
  OPEN_EXISTING = 3;
  OPEN_ALWAYS = 4;
  TRUNCATE_EXISTING = 5;
  FILE_ATTRIBUTE_READONLY = $0001;
  FILE_ATTRIBUTE_NORMAL = $0080;
  FILE_FLAG_WRITE_THROUGH = DWORD($80000000);
  FILE_FLAG_OVERLAPPED = $40000000;
  FILE_FLAG_FIRST_PIPE_INSTANCE = $00080000;
  SECURITY_ANONYMOUS = $00000000;
  SECURITY_IDENTIFICATION = $00010000;
  SECURITY_IMPERSONATION = $00020000;
  SECURITY_SQOS_PRESENT = $00100000;
  FILE_TYPE_UNKNOWN = 0;
  FILE_TYPE_DISK = 1;
  FILE_TYPE_CHAR = 2;
  FILE_TYPE_PIPE = 3;

  PIPE_ACCESS_INBOUND = 1;
  PIPE_ACCESS_OUTBOUND = 2;
  PIPE_ACCESS_DUPLEX = 3;
  PIPE_CLIENT_END = 0;
  PIPE_SERVER_END = 1;
  PIPE_WAIT = 0;
  PIPE_NOWAIT = 1;
  PIPE_READMODE_BYTE = 0;
  PIPE_READMODE_MESSAGE = 2;
  PIPE_TYPE_BYTE = 0;
  PIPE_TYPE_MESSAGE = 4;
  PIPE_ACCEPT_REMOTE_CLIENTS = 0;
  PIPE_REJECT_REMOTE_CLIENTS = 8;
  PIPE_UNLIMITED_INSTANCES = 255;
  NMPWAIT_WAIT_FOREVER = DWORD($FFFFFFFF);
  NMPWAIT_NOWAIT = 1;
  NMPWAIT_USE_DEFAULT_WAIT = 0;

  WAIT_OBJECT_0 = 0;
  WAIT_ABANDONED = $80;
  WAIT_IO_COMPLETION = $C0;
  WAIT_TIMEOUT = $102;
  WAIT_FAILED = DWORD($FFFFFFFF);
  STILL_ACTIVE = $103;
  CREATE_SUSPENDED = 4;
  DUPLICATE_CLOSE_SOURCE = 1;
  DUPLICATE_SAME_ACCESS = 2;
  STD_INPUT_HANDLE = DWORD(-10);
  STD_OUTPUT_HANDLE = DWORD(-11);
  STD_ERROR_HANDLE = DWORD(-12);
  FORMAT_MESSAGE_ALLOCATE_BUFFER = $100;
  FORMAT_MESSAGE_IGNORE_INSERTS = $200;
  FORMAT_MESSAGE_FROM_SYSTEM = $1000;

  ERROR_SUCCESS = 0;
  NO_ERROR = 0;
  ERROR_INVALID_FUNCTION = 1;
  ERROR_FILE_NOT_FOUND = 2;
  ERROR_PATH_NOT_FOUND = 3;
  ERROR_ACCESS_DENIED = 5;
  ERROR_INVALID_HANDLE = 6;
  ERROR_NOT_ENOUGH_MEMORY = 8;
  ERROR_HANDLE_EOF = 38;
  ERROR_NOT_SUPPORTED = 50;
  ERROR_INVALID_PARAMETER = 87;
  ERROR_BROKEN_PIPE = 109;
  ERROR_SEM_TIMEOUT = 121;
  ERROR_INVALID_NAME = 123;
  ERROR_ALREADY_EXISTS = 183;
  ERROR_FILENAME_EXCED_RANGE = 206;
  ERROR_BAD_PIPE = 230;
  ERROR_PIPE_BUSY = 231;
  ERROR_NO_DATA = 232;
  ERROR_PIPE_NOT_CONNECTED = 233;
  ERROR_MORE_DATA = 234;
  ERROR_PIPE_CONNECTED = 535;
  ERROR_PIPE_LISTENING = 536;
  ERROR_OPERATION_ABORTED = 995;
  ERROR_IO_INCOMPLETE = 996;
  ERROR_IO_PENDING = 997;
  ERROR_NOT_FOUND = 1168;
  ERROR_CANNOT_IMPERSONATE = 1368;

{$I windows_functions.inc}

implementation

{ The first thread. Free Pascal takes in threads that it has not made, as CreateThread's are, when they first touch a thread
  variable, but only once it has made one itself. }
function FirstThread(Parameter: Pointer): PtrInt;
begin
  Result := 0;
end;

{ The library's functions that write or read handles in memory, where they have 64 bits. }
function LibraryCreatePipe(out ReadEnd, WriteEnd: HANDLE_IN; Security: LPSECURITY_ATTRIBUTES; Size: DWORD): BOOL; cdecl;
  external Win32Library name 'anypipe_win32_CreatePipe';
function LibraryDuplicateHandle(SourceProcess, Source, TargetProcess: HANDLE_IN; out Target: HANDLE_IN; Access: DWORD; Inherit: BOOL;
  Options: DWORD): BOOL; cdecl; external Win32Library name 'anypipe_win32_DuplicateHandle';
function LibraryWaitForMultipleObjectsEx(Count: DWORD; Handles: Pointer; All: BOOL; Milliseconds: DWORD; Alertable: BOOL): DWORD;
  cdecl; external Win32Library name 'anypipe_win32_WaitForMultipleObjectsEx';

function CreatePipe(hReadPipe, hWritePipe: PHANDLE; lpPipeAttributes: LPSECURITY_ATTRIBUTES; nSize: DWORD): BOOL;
begin
  Result := CreatePipe(hReadPipe^, hWritePipe^, lpPipeAttributes, nSize);
end;

function CreatePipe(var hReadPipe, hWritePipe: HANDLE; lpPipeAttributes: LPSECURITY_ATTRIBUTES; nSize: DWORD): BOOL;
var
  ReadEnd, WriteEnd: HANDLE_IN;
begin
  Result := LibraryCreatePipe(ReadEnd, WriteEnd, lpPipeAttributes, nSize);
  if not Result then
    Exit;
  hReadPipe := ReadEnd;
  hWritePipe := WriteEnd;
end;

function DuplicateHandle(hSourceProcessHandle, hSourceHandle, hTargetProcessHandle: HANDLE_IN; lpTargetHandle: LPHANDLE;
  dwDesiredAccess: DWORD; bInheritHandle: BOOL; dwOptions: DWORD): BOOL;
var
  Target: HANDLE_IN;
begin
  Result := LibraryDuplicateHandle(hSourceProcessHandle, hSourceHandle, hTargetProcessHandle, Target, dwDesiredAccess, bInheritHandle,
    dwOptions);
  if Result and (lpTargetHandle <> nil) then
    lpTargetHandle^ := Target;
end;

function WaitForMultipleObjects(nCount: DWORD; lpHandles: PWOHandleArray; bWaitAll: BOOL; dwMilliseconds: DWORD): DWORD;
begin
  Result := WaitForMultipleObjectsEx(nCount, lpHandles, bWaitAll, dwMilliseconds, False);
end;

function WaitForMultipleObjectsEx(nCount: DWORD; lpHandles: PWOHandleArray; bWaitAll: BOOL; dwMilliseconds: DWORD;
  bAlertable: BOOL): DWORD;
var
  Handles: array[0..MAXIMUM_WAIT_OBJECTS - 1] of HANDLE_IN;
  I: DWORD;
begin
  if (nCount > 0) and (nCount <= MAXIMUM_WAIT_OBJECTS) then // other counts the library refuses
    for I := 0 to nCount - 1 do
      Handles[I] := lpHandles^[I];
  Result := LibraryWaitForMultipleObjectsEx(nCount, @Handles, bWaitAll, dwMilliseconds, bAlertable);
end;

procedure InitializeCriticalSection(var CriticalSection: TRTLCriticalSection);
begin
  InitCriticalSection(CriticalSection);
end;

procedure DeleteCriticalSection(var CriticalSection: TRTLCriticalSection);
begin
  DoneCriticalSection(CriticalSection);
end;

initialization
  WaitForThreadTerminate(BeginThread(FirstThread), 0);
end.
