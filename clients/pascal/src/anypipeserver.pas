{ AnyPipeServer: a server of a pipe with many clients, each served on a thread of its own.

  Give it events and call Start. OnMessage answers with Client.Send. Events come in the main thread or on the client's thread, as
  Delivery says; there events of different clients run at the same time. }
unit AnyPipeServer;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}

interface

uses
  AnyPipe, AnyPipeHandles, AnyPipeErrors, AnyPipeThreads, SysUtils, Classes, SyncObjs;

type
  TPipeServer = class;

  { The server's end of one connection. It belongs to the server and lives until OnDisconnect has returned. }
  TPipeServerEnd = class(TPipeEnd)
  private
    FServer: TPipeServer;
    FData: Pointer;
  protected
    procedure CheckNoReader(const What: string); override;
  public
    { DisconnectNamedPipe: takes back what the client has not read; its calls fail with ERROR_PIPE_NOT_CONNECTED (233). Flush
      before it to lose nothing. }
    procedure Disconnect;
    { The server. }
    property Server: TPipeServer read FServer;
    { What the program wants to keep with the client. }
    property Data: Pointer read FData write FData;
  end;

  { A client came, which Client is. }
  TPipeConnectEvent = procedure(Server: TPipeServer; Client: TPipeServerEnd) of object;
  { A client sent a message, or on byte pipes some bytes. }
  TPipeServerMessageEvent = procedure(Server: TPipeServer; Client: TPipeServerEnd; const Data: TBytes) of object;
  { A connection ended: ERROR_BROKEN_PIPE (109) if the client closed, ERROR_PIPE_NOT_CONNECTED (233) after Disconnect,
    ERROR_OPERATION_ABORTED (995) after Client.Close or Stop, ERROR_INTERNAL_ERROR (1359) if an exception left an event on the client's
    thread. }
  TPipeServerDisconnectEvent = procedure(Server: TPipeServer; Client: TPipeServerEnd; ErrorCode: Cardinal) of object;

  { Serves a pipe. Its properties hold from the next Start. Don't call Stop or Free in an event on a client's thread. }
  TPipeServer = class
  private
    FLock: TCriticalSection; // guards what follows
    FSessions: TList;        // TPipeSession, those that run
    FEnded: TList;           // TPipeSession, those that have ended and wait to be freed
    FClients: TList;         // TPipeServerEnd, those that are connected
    FListening: Integer;     // sessions that wait for a client
    FStopping: Boolean;      // no new session, and no new instance

    FName: string;
    FOptions: TPipeOptions; // constant while sessions run
    FFirstInstance: Boolean;
    FBacklog: Integer;
    FDelivery: TPipeDelivery;
    FOnConnect: TPipeConnectEvent;
    FOnMessage: TPipeServerMessageEvent;
    FOnDisconnect: TPipeServerDisconnectEvent;
    function Add: Cardinal;
    procedure Refill;
    procedure Reap;
  public
    { Name is with or without \\.\pipe\; forward slashes do too. }
    constructor Create(const Name: string);
    { Stops. }
    destructor Destroy; override;
    { Makes the pipe: when it returns, clients can come. Does nothing if it has been started. }
    procedure Start;
    { Ends the pipe and all connections, each with its OnDisconnect (ERROR_OPERATION_ABORTED), and waits for the threads. If it is
      called in an event, that event's client gets none. }
    procedure Stop;
    { Sends a message to every client and returns how many got it. A client that does not read makes it wait, each for TimeoutMs. }
    function Broadcast(const Data: TBytes; TimeoutMs: Int64 = PIPE_FOREVER): Integer;
    { How many clients are connected now. }
    function ClientCount: Integer;
    { The pipe's name. }
    property Name: string read FName write FName;
    { pmMessage (the default) or pmByte. }
    property PipeType: TPipeMode read FOptions.PipeType write FOptions.PipeType;
    { How many clients there may be at a time, 1 to 254; 255 (the default) is any number. Further ones get ERROR_PIPE_BUSY. }
    property MaxInstances: Cardinal read FOptions.MaxInstances write FOptions.MaxInstances;
    { How many instances wait for clients at a time, if MaxInstances allows; the default is 4. }
    property Backlog: Integer read FBacklog write FBacklog;
    { Quotas in bytes: what may be unread before a writer waits. 65,536 is the default. }
    property InBuffer: Cardinal read FOptions.InBuffer write FOptions.InBuffer;
    property OutBuffer: Cardinal read FOptions.OutBuffer write FOptions.OutBuffer;
    { The longest message to accept, in bytes; 0 (the default) is any. A longer one ends its connection. }
    property MaxMessage: Cardinal read FOptions.MaxMessage write FOptions.MaxMessage;
    { True: Start fails with ERROR_ACCESS_DENIED (5) if another process has the name. }
    property FirstInstance: Boolean read FFirstInstance write FFirstInstance;
    { Who may open the pipe, as SDDL; '' (the default) is this user and the system only. }
    property Sddl: string read FOptions.Sddl write FOptions.Sddl;
    { Where the events come. Reading from a client pauses while one of its events runs. }
    property Delivery: TPipeDelivery read FDelivery write FDelivery;
    { A client has come. What it sends comes after this has returned. }
    property OnConnect: TPipeConnectEvent read FOnConnect write FOnConnect;
    { Each message of a client, in order; on byte pipes, what has come. }
    property OnMessage: TPipeServerMessageEvent read FOnMessage write FOnMessage;
    { The connection has ended; the client is freed after this. It comes once for each OnConnect. }
    property OnDisconnect: TPipeServerDisconnectEvent read FOnDisconnect write FOnDisconnect;
  end;

implementation

type
  TSessionEvent = (seConnect, seMessage, seDisconnect);

  { The life of one instance: it serves one client after another. }
  TPipeSession = class(TPipeWorker)
  private
    FServer: TPipeServer;     // outlives the session
    FInstance: IPipeHandle;   // changed under the server's lock
    FClient: TPipeServerEnd;  // nil while none is connected
    FEvent: TSessionEvent;    // the event to call, with FData or FCode
    FData: TBytes;
    FCode: Cardinal;
    function Await: Boolean;
    function Renew: Boolean;
    function Ask(Event: TSessionEvent): Boolean;
    function Serve: Boolean;
    procedure Converse;
    procedure Finish;
  protected
    procedure Work; override;
    procedure CallEvent; override;
  public
    destructor Destroy; override;
  end;

destructor TPipeSession.Destroy;
begin
  inherited; // ends the thread
  FClient.Free;
end;

procedure TPipeSession.Work;
begin
  while Await and Serve do;
  Finish;
end;

{ Await waits for the next client. There is one too if it came before, or has left again: what it wrote is readable. }
function TPipeSession.Await: Boolean;
var
  Code: Cardinal;
begin
  repeat
    Code := FInstance.Connect(PIPE_FOREVER);
  until (Code <> ERROR_INVALID_HANDLE) or not Renew;
  Result := (Code = 0) or (Code = ERROR_PIPE_CONNECTED) or (Code = ERROR_NO_DATA);
end;

{ Renew makes an instance in place of the one that the program closed with its client. }
function TPipeSession.Renew: Boolean;
var
  Made: IPipeHandle;
begin
  FServer.FLock.Acquire;
  Result := not FServer.FStopping and (PipeCreate(FServer.FName, FServer.FOptions, Made) = 0);
  if Result then
    FInstance := Made;
  FServer.FLock.Release;
end;

{ Serve talks to one client until the connection ends. False if the server has enough other instances for the next. }
function TPipeSession.Serve: Boolean;
begin
  FClient := TPipeServerEnd.Create;
  FClient.FServer := FServer;
  FClient.Attach(FInstance, FServer.FOptions.PipeType);
  FServer.FLock.Acquire;
  Dec(FServer.FListening);
  FServer.FClients.Add(FClient);
  FServer.FLock.Release;
  FServer.Refill;
  Converse;
  FServer.FLock.Acquire;
  FServer.FClients.Remove(FClient);
  FServer.FLock.Release;
  FClient.Detach;
  FInstance.Disconnect; // ends what still uses it; fails if the program has disconnected or closed it, which is as good
  FClient.WaitUnused;
  Ask(seDisconnect);
  FreeAndNil(FClient);
  FServer.FLock.Acquire;
  Result := FServer.FListening < FServer.FBacklog;
  Inc(FServer.FListening);
  FServer.FLock.Release;
end;

{ Converse delivers what the client sends. }
procedure TPipeSession.Converse;
begin
  FCode := 0;
  if not Ask(seConnect) then
    FCode := ERROR_INTERNAL_ERROR;
  while FCode = 0 do
  begin
    FCode := FClient.ReadNext(FData, PIPE_FOREVER);
    if FCode = ERROR_INVALID_HANDLE then
      FCode := ERROR_OPERATION_ABORTED // the program closed the end between two reads
    else if (FCode = 0) and not Ask(seMessage) then
      FCode := ERROR_INTERNAL_ERROR;
  end;
end;

function TPipeSession.Ask(Event: TSessionEvent): Boolean;
begin
  FEvent := Event;
  Result := Deliver(FServer.FDelivery);
end;

{ CallEvent keeps the data by itself: the event may stop the server, which frees us. }
procedure TPipeSession.CallEvent;
var
  Data: TBytes;
begin
  Data := FData;
  case FEvent of
    seConnect:
      if Assigned(FServer.FOnConnect) then
        FServer.FOnConnect(FServer, FClient);
    seMessage:
      if Assigned(FServer.FOnMessage) then
        FServer.FOnMessage(FServer, FClient, Data);
    seDisconnect:
      if Assigned(FServer.FOnDisconnect) then
        FServer.FOnDisconnect(FServer, FClient, FCode);
  end;
end;

{ Finish puts the session with those that have ended. }
procedure TPipeSession.Finish;
begin
  FServer.FLock.Acquire;
  Dec(FServer.FListening);
  if FServer.FSessions.Remove(Self) >= 0 then // else Stop has taken it and is about to free it
    FServer.FEnded.Add(Self);
  FInstance := nil;
  FServer.FLock.Release;
end;

procedure TPipeServerEnd.CheckNoReader(const What: string);
begin
  CheckPipe(What, ERROR_PIPE_BUSY); // the session reads
end;

procedure TPipeServerEnd.Disconnect;
var
  Handle: IPipeHandle;
  Code: Cardinal;
begin
  Handle := Take('Disconnect');
  Code := Handle.Disconnect;
  Release;
  CheckPipe('Disconnect', Code);
end;

constructor TPipeServer.Create(const Name: string);
begin
  FName := Name;
  FOptions := DefaultPipeOptions;
  FBacklog := 4;
  FLock := TCriticalSection.Create;
  FSessions := TList.Create;
  FEnded := TList.Create;
  FClients := TList.Create;
end;

destructor TPipeServer.Destroy;
begin
  if FClients <> nil then
    Stop;
  FClients.Free;
  FEnded.Free;
  FSessions.Free;
  FLock.Free;
  inherited;
end;

{ Add starts a session with an instance of its own. The caller holds the lock. }
function TPipeServer.Add: Cardinal;
var
  Session: TPipeSession;
  Made: IPipeHandle;
begin
  Result := PipeCreate(FName, FOptions, Made);
  if Result <> 0 then
    Exit;
  FOptions.FirstInstance := False; // the further ones can't be
  Session := TPipeSession.Create;
  Session.FServer := Self;
  Session.FInstance := Made;
  FSessions.Add(Session);
  Inc(FListening);
  Session.Start;
end;

{ Refill sees to it that enough instances wait for clients, and frees the sessions that have ended. }
procedure TPipeServer.Refill;
begin
  FLock.Acquire;
  while not FStopping and (FListening < FBacklog) and (FOptions.MaxInstances > Cardinal(FSessions.Count)) do
    if Add <> 0 then
      Break;
  FLock.Release;
  Reap;
end;

{ Reap frees the sessions that have ended. It waits for the last steps of their threads, which need no lock. }
procedure TPipeServer.Reap;
var
  Ended: TPipeSession;
begin
  repeat
    Ended := nil;
    FLock.Acquire;
    if FEnded.Count > 0 then
    begin
      Ended := TPipeSession(FEnded.Last);
      FEnded.Remove(Ended);
    end;
    FLock.Release;
    Ended.Free;
  until Ended = nil;
end;

procedure TPipeServer.Start;
var
  Code: Cardinal;
begin
  Code := 0;
  FLock.Acquire;
  FStopping := False;
  FOptions.FirstInstance := FFirstInstance;
  if FSessions.Count = 0 then
    Code := Add;
  FLock.Release;
  CheckPipe('Start ' + FName, Code);
  Refill;
end;

procedure TPipeServer.Stop;
var
  I: Integer;
  Session: TPipeSession;
begin
  FLock.Acquire;
  FStopping := True;
  for I := 0 to FSessions.Count - 1 do
    TPipeSession(FSessions[I]).FInstance.Close; // ends what the session waits for
  FLock.Release;
  repeat
    Session := nil;
    FLock.Acquire;
    if FSessions.Count > 0 then
    begin
      Session := TPipeSession(FSessions.Last);
      FSessions.Remove(Session);
    end;
    FLock.Release;
    if Session <> nil then
      Session.Join;
    Session.Free;
  until Session = nil;
  Reap;
end;

function TPipeServer.Broadcast(const Data: TBytes; TimeoutMs: Int64): Integer;
var
  Ends: array of TPipeServerEnd;
  Handles: array of IPipeHandle;
  I: Integer;
begin
  FLock.Acquire;
  SetLength(Ends, FClients.Count);
  SetLength(Handles, FClients.Count);
  for I := 0 to FClients.Count - 1 do
  begin
    Ends[I] := TPipeServerEnd(FClients[I]);
    Ends[I].TryTake(Handles[I]);
  end;
  FLock.Release;
  Result := 0;
  for I := 0 to High(Ends) do
    if Handles[I] <> nil then
    begin
      if Handles[I].Write(Data, TimeoutMs) = 0 then
        Inc(Result);
      Ends[I].Release; // the session may free the end from here on
    end;
end;

function TPipeServer.ClientCount: Integer;
begin
  FLock.Acquire;
  Result := FClients.Count;
  FLock.Release;
end;

end.
