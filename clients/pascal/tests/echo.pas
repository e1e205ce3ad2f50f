{ Echo: the server of the tests, which sends every message back and obeys some. }
unit Echo;

{$mode objfpc}{$H+}

interface

uses
  SysUtils, SyncObjs, AnyPipe, AnyPipeServer;

type
  { Answers on the client's thread. 'disconnect', 'close' and 'fail' are what it does then; 'flood' sends 1,000 messages. }
  TEchoServer = class(TPipeServer)
  public
    { What happened, and the last code of OnDisconnect. }
    Came, Left: Integer;
    LastCode: Cardinal;
    { Set when a client has left. }
    ClientLeft: TEvent;
    constructor Create(const AName: string; AType: TPipeMode; AMax: Cardinal);
    destructor Destroy; override;
    procedure DoConnect(Server: TPipeServer; Client: TPipeServerEnd);
    procedure DoMessage(Server: TPipeServer; Client: TPipeServerEnd; const Data: TBytes);
    procedure DoDisconnect(Server: TPipeServer; Client: TPipeServerEnd; ErrorCode: Cardinal);
  end;

{ An echo server that has been started. }
function Serve(const Name: string; AType: TPipeMode = pmMessage; AMax: Cardinal = 255): TEchoServer;

{ A client that has connected. }
function Connected(const Name: string; Mode: TPipeMode = pmMessage): TPipeClient;

implementation

constructor TEchoServer.Create(const AName: string; AType: TPipeMode; AMax: Cardinal);
begin
  inherited Create(AName);
  PipeType := AType;
  MaxInstances := AMax;
  Delivery := pdReadingThread;
  ClientLeft := TEvent.Create(nil, True, False, '');
  OnConnect := @DoConnect;
  OnMessage := @DoMessage;
  OnDisconnect := @DoDisconnect;
end;

destructor TEchoServer.Destroy;
begin
  inherited;
  ClientLeft.Free;
end;

procedure TEchoServer.DoConnect(Server: TPipeServer; Client: TPipeServerEnd);
begin
  InterlockedIncrement(Came);
end;

procedure TEchoServer.DoMessage(Server: TPipeServer; Client: TPipeServerEnd; const Data: TBytes);
var
  Text: string = '';
begin
  if Length(Data) < 16 then
    Text := BytesToText(Data);
  case Text of
    'disconnect': Client.Disconnect;
    'close': Client.Close;
    'fail': raise Exception.Create('as told');
  else
    Client.Send(Data);
  end;
end;

procedure TEchoServer.DoDisconnect(Server: TPipeServer; Client: TPipeServerEnd; ErrorCode: Cardinal);
begin
  LastCode := ErrorCode;
  InterlockedIncrement(Left);
  ClientLeft.SetEvent;
end;

function Serve(const Name: string; AType: TPipeMode; AMax: Cardinal): TEchoServer;
begin
  Result := TEchoServer.Create(Name, AType, AMax);
  Result.Start;
end;

function Connected(const Name: string; Mode: TPipeMode): TPipeClient;
begin
  Result := TPipeClient.Create(Name);
  Result.ReadMode := Mode;
  Result.Connect(60000);
end;

end.
