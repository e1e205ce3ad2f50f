{ AnyPipeLib: the C interface of libanypipe for Pascal, name by name. capi/anypipe.h is the contract and says what each
  function does, who owns what and which errors there are; the comments here name only what Pascal adds to it.

  Most programs want the classes of AnyPipe, or on Unix the unit Windows. Results are Win32 error numbers, 0 is success. }
unit AnyPipeLib;

{$IFDEF FPC}{$MODE DELPHI}{$PACKRECORDS C}{$ELSE}{$ALIGN 8}{$ENDIF}{$MINENUMSIZE 4}

interface

const
  { The library's name for the linker, or for the loader where there is no linker. }
{$IF DEFINED(MSWINDOWS)}
  AnyPipeLibrary = 'anypipe.dll';
{$ELSEIF DEFINED(FPC)}
  AnyPipeLibrary = 'anypipe';
{$ELSE}
  AnyPipeLibrary = 'libanypipe.so';
{$IFEND}

  { Timeouts, in milliseconds }
  ANYPIPE_FOREVER = -1;
  ANYPIPE_DEFAULT_WAIT = -2;
  { Types and read modes }
  ANYPIPE_BYTE = 0;
  ANYPIPE_MESSAGE = 1;
  { Directions, as the server sees them }
  ANYPIPE_DUPLEX = 0;
  ANYPIPE_INBOUND = 1;
  ANYPIPE_OUTBOUND = 2;
  { States }
  ANYPIPE_DISCONNECTED = 1;
  ANYPIPE_LISTENING = 2;
  ANYPIPE_CONNECTED = 3;
  ANYPIPE_CLOSING = 4;
  { Numbers of instances and quotas }
  ANYPIPE_UNLIMITED_INSTANCES = 255;
  ANYPIPE_UNBUFFERED = -1;

type
  { anypipe_handle: 0 is never one. }
  TAnyPipeHandle = UInt64;

  { anypipe_create_options. Fill with zeroes and set size first. }
  TAnyPipeCreateOptions = record
    size, pipe_type, read_mode, direction, max_instances, default_timeout_ms: Cardinal;
    in_buffer, out_buffer: Int64;
    sddl: PAnsiChar;
    first, no_wait, accept_remote, no_foreign: Byte;
    backlog: Cardinal;
    max_message: UInt64;
  end;
  PAnyPipeCreateOptions = ^TAnyPipeCreateOptions;

  { anypipe_dial_options. Fill with zeroes and set size first. }
  TAnyPipeDialOptions = record
    size, access, read_mode, no_busy_wait: Cardinal;
    expect_owner: PAnsiChar;
    max_message: UInt64;
  end;
  PAnyPipeDialOptions = ^TAnyPipeDialOptions;

  { anypipe_peeked. Set size first. }
  TAnyPipePeeked = record
    size, state: Cardinal;
    read, available: UInt64;
    left: Int64;
    messages, length: UInt64;
  end;

  { anypipe_info. Set size first. }
  TAnyPipeInfo = record
    size, pipe_type, direction, state, read_mode, no_wait, server, reject_remote, max_instances, instances: Cardinal;
    in_quota, out_quota, readable, write_quota: UInt64;
  end;

  { anypipe_peer. Set size first. }
  TAnyPipePeer = record
    size, group_count: Cardinal;
    pid, session, uid, gid: Int64;
    sid: array[0..191] of AnsiChar;
    user: array[0..255] of AnsiChar;
  end;

  { anypipe_listed }
  TAnyPipeListed = record
    size, pipe_type, direction, max_instances, instances, default_timeout_ms: Cardinal;
    owner_uid: Int64;
    name, sddl, owner, path: PAnsiChar;
  end;
  PAnyPipeListed = ^TAnyPipeListed;

  { Callbacks. Those of TAnyPipeDone and TAnyPipeMessage run on threads of the library: the program must have threads (on Unix
    the unit cthreads, and one TThread started before), and no exception may leave them. }
  TAnyPipeDone = procedure(context: Pointer; error: Integer; length: NativeUInt); cdecl;
  TAnyPipeMessage = procedure(context, data: Pointer; length: NativeUInt; error: Integer); cdecl;
  TAnyPipeVisit = function(context: Pointer; pipe: PAnyPipeListed): Integer; cdecl;
  TAnyPipeAction = function(context: Pointer): Integer; cdecl;

{ Errors and the library }
function anypipe_error_name(error: Integer): PAnsiChar; cdecl; external AnyPipeLibrary;
function anypipe_error_text(error: Integer): PAnsiChar; cdecl; external AnyPipeLibrary;
function anypipe_last_detail(buffer: PAnsiChar; size: NativeUInt): NativeUInt; cdecl; external AnyPipeLibrary;
function anypipe_abi: Cardinal; cdecl; external AnyPipeLibrary;
function anypipe_version: PAnsiChar; cdecl; external AnyPipeLibrary;
function anypipe_open_handles: NativeUInt; cdecl; external AnyPipeLibrary;
procedure anypipe_free(memory: Pointer); cdecl; external AnyPipeLibrary;
function anypipe_close(handle: TAnyPipeHandle): Integer; cdecl; external AnyPipeLibrary;

{ Servers }
function anypipe_create(name: PAnsiChar; options: PAnyPipeCreateOptions; out instance: TAnyPipeHandle): Integer; cdecl;
  external AnyPipeLibrary;
function anypipe_connect(instance: TAnyPipeHandle; timeout_ms: Int64): Integer; cdecl; external AnyPipeLibrary;
function anypipe_disconnect(instance: TAnyPipeHandle): Integer; cdecl; external AnyPipeLibrary;
function anypipe_listen(name: PAnsiChar; options: PAnyPipeCreateOptions; out listener: TAnyPipeHandle): Integer; cdecl;
  external AnyPipeLibrary;
function anypipe_accept(listener: TAnyPipeHandle; timeout_ms: Int64; out instance: TAnyPipeHandle): Integer; cdecl;
  external AnyPipeLibrary;

{ Clients }
function anypipe_dial(name: PAnsiChar; options: PAnyPipeDialOptions; timeout_ms: Int64; out client: TAnyPipeHandle): Integer; cdecl;
  external AnyPipeLibrary;
function anypipe_wait(name: PAnsiChar; timeout_ms: Int64): Integer; cdecl; external AnyPipeLibrary;
function anypipe_call(name: PAnsiChar; request: Pointer; request_size: NativeUInt; reply: Pointer; reply_size: NativeUInt;
  out length: NativeUInt; timeout_ms: Int64): Integer; cdecl; external AnyPipeLibrary;
function anypipe_call_message(name: PAnsiChar; request: Pointer; request_size: NativeUInt; out reply: Pointer;
  out length: NativeUInt; timeout_ms: Int64): Integer; cdecl; external AnyPipeLibrary;
function anypipe_pair(quota: NativeUInt; out read_end, write_end: TAnyPipeHandle): Integer; cdecl; external AnyPipeLibrary;

{ Bytes and messages }
function anypipe_read(pipe_end: TAnyPipeHandle; buffer: Pointer; size: NativeUInt; out length: NativeUInt;
  timeout_ms: Int64): Integer; cdecl; external AnyPipeLibrary;
function anypipe_write(pipe_end: TAnyPipeHandle; data: Pointer; size: NativeUInt; out length: NativeUInt;
  timeout_ms: Int64): Integer; cdecl; external AnyPipeLibrary;
function anypipe_read_message(pipe_end: TAnyPipeHandle; out message: Pointer; out length: NativeUInt;
  timeout_ms: Int64): Integer; cdecl; external AnyPipeLibrary;
function anypipe_write_message(pipe_end: TAnyPipeHandle; data: Pointer; size: NativeUInt; timeout_ms: Int64): Integer; cdecl;
  external AnyPipeLibrary;
function anypipe_peek(pipe_end: TAnyPipeHandle; buffer: Pointer; size: NativeUInt; var peeked: TAnyPipePeeked): Integer; cdecl;
  external AnyPipeLibrary;
function anypipe_transact(pipe_end: TAnyPipeHandle; request: Pointer; request_size: NativeUInt; reply: Pointer;
  reply_size: NativeUInt; out length: NativeUInt; timeout_ms: Int64): Integer; cdecl; external AnyPipeLibrary;
function anypipe_transact_message(pipe_end: TAnyPipeHandle; request: Pointer; request_size: NativeUInt; out reply: Pointer;
  out length: NativeUInt; timeout_ms: Int64): Integer; cdecl; external AnyPipeLibrary;
function anypipe_flush(pipe_end: TAnyPipeHandle; timeout_ms: Int64): Integer; cdecl; external AnyPipeLibrary;
function anypipe_close_write(pipe_end: TAnyPipeHandle): Integer; cdecl; external AnyPipeLibrary;

{ Modes, information, identity }
function anypipe_set_modes(pipe_end: TAnyPipeHandle; read_mode: Cardinal; no_wait: Integer): Integer; cdecl;
  external AnyPipeLibrary;
function anypipe_get_info(pipe_end: TAnyPipeHandle; var info: TAnyPipeInfo): Integer; cdecl; external AnyPipeLibrary;
function anypipe_get_peer(pipe_end: TAnyPipeHandle; var peer: TAnyPipePeer): Integer; cdecl; external AnyPipeLibrary;
function anypipe_get_peer_groups(pipe_end: TAnyPipeHandle; groups: PInt64; capacity: NativeUInt;
  out count: NativeUInt): Integer; cdecl;
  external AnyPipeLibrary;
function anypipe_run_as_client(instance: TAnyPipeHandle; action: TAnyPipeAction; context: Pointer;
  result: PInteger): Integer; cdecl;
  external AnyPipeLibrary;
function anypipe_list(visit: TAnyPipeVisit; context: Pointer): Integer; cdecl; external AnyPipeLibrary;

{ Event-driven programs }
function anypipe_read_start(pipe_end: TAnyPipeHandle; buffer: Pointer; size: NativeUInt; done: TAnyPipeDone; context: Pointer;
  out operation: TAnyPipeHandle; out length: NativeUInt): Integer; cdecl; external AnyPipeLibrary;
function anypipe_write_start(pipe_end: TAnyPipeHandle; data: Pointer; size: NativeUInt; done: TAnyPipeDone; context: Pointer;
  out operation: TAnyPipeHandle; out length: NativeUInt): Integer; cdecl; external AnyPipeLibrary;
function anypipe_transact_start(pipe_end: TAnyPipeHandle; request: Pointer; request_size: NativeUInt; reply: Pointer;
  reply_size: NativeUInt; done: TAnyPipeDone; context: Pointer; out operation: TAnyPipeHandle;
  out length: NativeUInt): Integer; cdecl;
  external AnyPipeLibrary;
function anypipe_flush_start(pipe_end: TAnyPipeHandle; done: TAnyPipeDone; context: Pointer;
  out operation: TAnyPipeHandle): Integer; cdecl; external AnyPipeLibrary;
function anypipe_connect_start(instance: TAnyPipeHandle; done: TAnyPipeDone; context: Pointer;
  out operation: TAnyPipeHandle): Integer; cdecl; external AnyPipeLibrary;
function anypipe_cancel(handle: TAnyPipeHandle): Integer; cdecl; external AnyPipeLibrary;
function anypipe_on_message(pipe_end: TAnyPipeHandle; on_message: TAnyPipeMessage; context: Pointer): Integer; cdecl;
  external AnyPipeLibrary;

implementation

end.
