{ AnyPipe: Windows named pipes for Delphi and Free Pascal, with the same behaviour on every system: on Windows they are the
  kernel's pipes, elsewhere libanypipe's. This unit has the client; AnyPipeServer has the server.

  A program with a window or a loop of its own gives OnMessage and OnDisconnect to a TPipeClient and calls Connect: a thread
  reads, and the events come in the main thread. A console program without such a loop calls CheckSynchronize now and
  then, or sets Delivery to pdReadingThread, or leaves the events alone and calls Receive.

  Times are milliseconds; PIPE_FOREVER waits without limit. Everything that fails raises EPipeError, with the Win32 number.
  On Unix the program needs threads: cthreads, which this unit brings, or let it be the first unit of the program. }
unit AnyPipe;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}

interface

uses
  AnyPipeHandles, AnyPipeErrors, AnyPipeThreads, SysUtils, Classes, SyncObjs;

const
  PIPE_FOREVER = AnyPipeHandles.PIPE_FOREVER;
  PIPE_DEFAULT_WAIT = AnyPipeHandles.PIPE_DEFAULT_WAIT;

type
  EPipeError = AnyPipeErrors.EPipeError;
  TPipeMode = AnyPipeHandles.TPipeMode;
  TPipeDelivery = AnyPipeThreads.TPipeDelivery;

const
  pmByte = AnyPipeHandles.pmByte;
  pmMessage = AnyPipeHandles.pmMessage;
  pdMainThread = AnyPipeThreads.pdMainThread;
  pdReadingThread = AnyPipeThreads.pdReadingThread;

type
  { One end of a connection: what client ends and server ends have in common. Every method may be called on every thread, for
    the same end too. }
  TPipeEnd = class
  private
    FLock: TCriticalSection; // guards FHandle, FUsers
    FHandle: IPipeHandle;    // nil when the end is not open
    FUsers: Integer;         // calls that use FHandle
    FUnused: TEvent;         // set while FUsers is 0
    FMode: TPipeMode;        // how it reads; set before FHandle is
  protected
    { Returns the handle for one call, after which comes Release. Raises EPipeError if the end is not open. }
    function Take(const What: string): IPipeHandle;
    { Take that returns False instead of raising. }
    function TryTake(out Handle: IPipeHandle): Boolean;
    procedure Release;
    { Gives the end its handle. }
    procedure Attach(const Handle: IPipeHandle; Mode: TPipeMode);
    { Takes the handle back, so that the end is not open. }
    function Detach: IPipeHandle;
    { Waits until no call uses the handle any more. Something must have ended them. }
    procedure WaitUnused;
    { Reads what OnMessage and Receive are given: a message, or on byte-read ends what has come. }
    function ReadNext(out Data: TBytes; TimeoutMs: Int64): Cardinal;
    { Raises EPipeError (ERROR_PIPE_BUSY) if a thread reads for the events, with which another reader would compete. }
    procedure CheckNoReader(const What: string); virtual;
  public
    constructor Create;
    { Closes the end. }
    destructor Destroy; override;
    { WriteFile: on a message pipe one message, of any size, also an empty one. Waits while the other end has to read first. }
    procedure Send(const Data: TBytes; TimeoutMs: Int64 = PIPE_FOREVER);
    { Send of a text, as UTF-8. }
    procedure SendText(const Text: string; TimeoutMs: Int64 = PIPE_FOREVER);
    { ReadFile: the next message, whole; in byte-read mode what has come, at most 64 KiB. For ends without events. }
    function Receive(TimeoutMs: Int64 = PIPE_FOREVER): TBytes;
    { TransactNamedPipe: sends a message and returns the answer. For ends without events, in message-read mode. }
    function Transact(const Request: TBytes; TimeoutMs: Int64 = PIPE_FOREVER): TBytes;
    { FlushFileBuffers: waits until the other end has read everything. }
    procedure Flush(TimeoutMs: Int64 = PIPE_FOREVER);
    { Ends the connection: the other end reads what was sent, and then ERROR_BROKEN_PIPE. Ends everything that waits here; the end's
      own events are not called any more. A second one does nothing. }
    procedure Close; virtual;
    { Whether the end is open. The other end may have gone all the same: a call will tell. }
    function IsOpen: Boolean;
    { The process at the other end, as the system vouches for it. }
    function PeerProcessId: Cardinal;
  end;

  { Gets a message. Sender is the client. }
  TPipeMessageEvent = procedure(Sender: TObject; const Data: TBytes) of object;

  { Gets the end of a connection: ERROR_BROKEN_PIPE (109) if the server closed or died, ERROR_PIPE_NOT_CONNECTED (233) if it
    disconnected, ERROR_INTERNAL_ERROR (1359) if an exception left OnMessage on the reading thread. }
  TPipeDisconnectEvent = procedure(Sender: TObject; ErrorCode: Cardinal) of object;

  { A client of a pipe. Set what you need, then Connect. In an event in the main thread everything is allowed, also Connect
    and Free; in one on the reading thread everything but Connect and Free. Free it where the events come. }
  TPipeClient = class(TPipeEnd)
  private
    FName: string;
    FReadMode: TPipeMode;
    FMaxMessage: Cardinal;
    FDelivery: TPipeDelivery;
    FOnMessage: TPipeMessageEvent;
    FOnDisconnect: TPipeDisconnectEvent;
    FReader: TPipeWorker; // reads while the end is open, if there is an event; belongs to the thread that connects and frees
    procedure StopReader;
  protected
    procedure CheckNoReader(const What: string); override;
  public
    { Name is with or without \\.\pipe\; forward slashes do too. }
    constructor Create(const Name: string);
    destructor Destroy; override;
    { CreateFile and, while every instance is taken, WaitNamedPipe. With a time of 0 it does not wait: ERROR_PIPE_BUSY (231).
      A pipe that does not exist is ERROR_FILE_NOT_FOUND (2) at once. Closes what was open before. }
    procedure Connect(TimeoutMs: Int64 = PIPE_FOREVER);
    procedure Close; override;
    { The pipe's name. }
    property Name: string read FName write FName;
    { pmMessage, or pmByte for byte pipes (which refuse the former with error 87) and for reading messages as a stream. }
    property ReadMode: TPipeMode read FReadMode write FReadMode default pmMessage;
    { The longest message to accept, in bytes; 0 is any. A longer one ends the connection with ERROR_MORE_DATA (234). }
    property MaxMessage: Cardinal read FMaxMessage write FMaxMessage;
    { Where the events come. Reading pauses while one runs. }
    property Delivery: TPipeDelivery read FDelivery write FDelivery default pdMainThread;
    { Each message, in order. In byte-read mode, what has come. }
    property OnMessage: TPipeMessageEvent read FOnMessage write FOnMessage;
    { The connection's end, once, unless Close ended it. }
    property OnDisconnect: TPipeDisconnectEvent read FOnDisconnect write FOnDisconnect;
  end;

{ WaitNamedPipe: waits until an instance is free. It raises EPipeError, 121 when the time is over, 2 if there is no such pipe. }
procedure WaitForPipe(const Name: string; TimeoutMs: Int64 = PIPE_DEFAULT_WAIT);

{ CallNamedPipe: opens the pipe, sends a message, returns the answer, closes. Each step has TimeoutMs. }
function CallPipe(const Name: string; const Request: TBytes; TimeoutMs: Int64 = PIPE_FOREVER): TBytes;

{ The bytes of a text in UTF-8. Where strings are made of bytes, those. }
function TextToBytes(const Text: string): TBytes;

{ The text of bytes in UTF-8. }
function BytesToText(const Data: TBytes): string;

implementation

type
  { Reads for a client. }
  TClientReader = class(TPipeWorker)
  private
    FClient: TPipeClient; // outlives the reader
    FData: TBytes;        // what the next event carries
    FCode: Cardinal;      // 0: OnMessage, else OnDisconnect
  protected
    procedure Work; override;
    procedure CallEvent; override;
  end;

procedure TClientReader.Work;
begin
  repeat
    FCode := FClient.ReadNext(FData, PIPE_FOREVER);
    if (FCode = 0) and not Deliver(FClient.Delivery) then
      FCode := ERROR_INTERNAL_ERROR;
  until FCode <> 0;
  FClient.Detach; // closes it
  Deliver(FClient.Delivery);
end;

{ CallEvent keeps the data by itself: the event may free the client, and us with it. }
procedure TClientReader.CallEvent;
var
  Data: TBytes;
begin
  Data := FData;
  if FCode <> 0 then
  begin
    if Assigned(FClient.FOnDisconnect) then
      FClient.FOnDisconnect(FClient, FCode);
  end
  else if Assigned(FClient.FOnMessage) then
    FClient.FOnMessage(FClient, Data);
end;

constructor TPipeEnd.Create;
begin
  inherited Create;
  FLock := TCriticalSection.Create;
  FUnused := TEvent.Create(nil, True, True, '');
end;

destructor TPipeEnd.Destroy;
begin
  if FLock <> nil then
    Close;
  FUnused.Free;
  FLock.Free;
  inherited;
end;

function TPipeEnd.TryTake(out Handle: IPipeHandle): Boolean;
begin
  FLock.Acquire;
  Handle := FHandle;
  Result := Handle <> nil;
  if Result then
  begin
    Inc(FUsers);
    FUnused.ResetEvent;
  end;
  FLock.Release;
end;

function TPipeEnd.Take(const What: string): IPipeHandle;
begin
  if not TryTake(Result) then
    raise EPipeError.Create(What, ERROR_INVALID_HANDLE);
end;

procedure TPipeEnd.Release;
begin
  FLock.Acquire;
  Dec(FUsers);
  if FUsers = 0 then
    FUnused.SetEvent;
  FLock.Release;
end;

procedure TPipeEnd.Attach(const Handle: IPipeHandle; Mode: TPipeMode);
begin
  FLock.Acquire;
  FMode := Mode;
  FHandle := Handle;
  FLock.Release;
end;

function TPipeEnd.Detach: IPipeHandle;
begin
  FLock.Acquire;
  Result := FHandle;
  FHandle := nil;
  FLock.Release;
end;

procedure TPipeEnd.WaitUnused;
begin
  FUnused.WaitFor(High(Cardinal));
end;

function TPipeEnd.ReadNext(out Data: TBytes; TimeoutMs: Int64): Cardinal;
var
  Handle: IPipeHandle;
begin
  FLock.Acquire;
  Handle := FHandle;
  FLock.Release;
  if Handle = nil then
    Exit(ERROR_INVALID_HANDLE);
  try
    if FMode = pmMessage then
      Result := Handle.ReadMessage(Data, TimeoutMs)
    else
      Result := Handle.Read(Data, TimeoutMs);
  except
    on EOutOfMemory do // how long a message is, the other end decides
      Result := ERROR_NOT_ENOUGH_MEMORY;
  end;
end;

procedure TPipeEnd.CheckNoReader(const What: string);
begin
end;

procedure TPipeEnd.Send(const Data: TBytes; TimeoutMs: Int64);
var
  Handle: IPipeHandle;
  Code: Cardinal;
begin
  Handle := Take('Send');
  Code := Handle.Write(Data, TimeoutMs);
  Release;
  CheckPipe('Send', Code);
end;

procedure TPipeEnd.SendText(const Text: string; TimeoutMs: Int64);
begin
  Send(TextToBytes(Text), TimeoutMs);
end;

function TPipeEnd.Receive(TimeoutMs: Int64): TBytes;
begin
  CheckNoReader('Receive');
  CheckPipe('Receive', ReadNext(Result, TimeoutMs));
end;

function TPipeEnd.Transact(const Request: TBytes; TimeoutMs: Int64): TBytes;
var
  Handle: IPipeHandle;
  Code: Cardinal;
begin
  CheckNoReader('Transact');
  Handle := Take('Transact');
  Code := Handle.Transact(Request, Result, TimeoutMs);
  Release;
  CheckPipe('Transact', Code);
end;

procedure TPipeEnd.Flush(TimeoutMs: Int64);
var
  Handle: IPipeHandle;
  Code: Cardinal;
begin
  Handle := Take('Flush');
  Code := Handle.Flush(TimeoutMs);
  Release;
  CheckPipe('Flush', Code);
end;

procedure TPipeEnd.Close;
var
  Handle: IPipeHandle;
begin
  Handle := Detach;
  if Handle <> nil then
    Handle.Close;
end;

function TPipeEnd.IsOpen: Boolean;
begin
  FLock.Acquire;
  Result := FHandle <> nil;
  FLock.Release;
end;

function TPipeEnd.PeerProcessId: Cardinal;
var
  Handle: IPipeHandle;
  Code: Cardinal;
begin
  Handle := Take('PeerProcessId');
  Code := Handle.PeerProcessId(Result);
  Release;
  CheckPipe('PeerProcessId', Code);
end;

constructor TPipeClient.Create(const Name: string);
begin
  inherited Create;
  FName := Name;
  FReadMode := pmMessage;
end;

destructor TPipeClient.Destroy;
begin
  if FLock <> nil then
    StopReader;
  inherited;
end;

procedure TPipeClient.CheckNoReader(const What: string);
begin
  if FReader <> nil then
    CheckPipe(What, ERROR_PIPE_BUSY);
end;

{ StopReader closes the end and waits for the thread that reads it. }
procedure TPipeClient.StopReader;
var
  Reader: TPipeWorker;
begin
  Close;
  FLock.Acquire;
  Reader := FReader;
  FReader := nil;
  FLock.Release;
  Reader.Free;
end;

procedure TPipeClient.Connect(TimeoutMs: Int64);
var
  Options: TPipeDialOptions;
  Handle: IPipeHandle;
  Reader: TClientReader;
begin
  StopReader;
  Options := DefaultDialOptions;
  Options.ReadMode := FReadMode;
  Options.MaxMessage := FMaxMessage;
  CheckPipe('Connect ' + FName, PipeOpen(FName, Options, TimeoutMs, Handle));
  Attach(Handle, FReadMode);
  if not Assigned(FOnMessage) and not Assigned(FOnDisconnect) then
    Exit;
  Reader := TClientReader.Create;
  Reader.FClient := Self;
  FLock.Acquire;
  FReader := Reader;
  FLock.Release;
  Reader.Start;
end;

procedure TPipeClient.Close;
begin
  inherited;
  FLock.Acquire;
  if FReader <> nil then
    FReader.Stop;
  FLock.Release;
end;

procedure WaitForPipe(const Name: string; TimeoutMs: Int64);
begin
  CheckPipe('WaitForPipe ' + Name, PipeWait(Name, TimeoutMs));
end;

function CallPipe(const Name: string; const Request: TBytes; TimeoutMs: Int64): TBytes;
var
  Client: TPipeClient;
begin
  Client := TPipeClient.Create(Name);
  try
    Client.Connect(TimeoutMs);
    Result := Client.Transact(Request, TimeoutMs);
  finally
    Client.Free;
  end;
end;

function TextToBytes(const Text: string): TBytes;
{$IFDEF UNICODE}
begin
  Result := TEncoding.UTF8.GetBytes(Text);
end;
{$ELSE}
begin
  Result := nil;
  SetLength(Result, Length(Text));
  if Text <> '' then
    Move(Text[1], Result[0], Length(Text));
end;
{$ENDIF}

function BytesToText(const Data: TBytes): string;
{$IFDEF UNICODE}
begin
  Result := TEncoding.UTF8.GetString(Data);
end;
{$ELSE}
begin
  Result := '';
  SetLength(Result, Length(Data));
  if Data <> nil then
    Move(Data[0], Result[1], Length(Data));
end;
{$ENDIF}

end.
