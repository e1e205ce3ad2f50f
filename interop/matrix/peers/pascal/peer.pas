{ The matrix's peer in Pascal; ../../README.md says what a peer does. One source for both systems. }
program peer;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}{$IFDEF MSWINDOWS}{$APPTYPE CONSOLE}{$ENDIF}

uses
  {$IFDEF UNIX}cthreads,{$ENDIF} SysUtils, Classes, AnyPipe, AnyPipeServer;

const
  FLOOD_COUNT = 1000;
  CLIENT_SALT = 0;
  SERVER_SALT = 128;
  LARGEST = 1 shl 24; // more than any message of the matrix

type
  EUsage = class(Exception);

  { The messages of one connection. On a byte pipe it puts them together from what comes. }
  TMessages = class
  private
    FEnd: TPipeEnd;
    FMode: TPipeMode;
    FRest: TBytes; // bytes that are no whole message yet
  public
    constructor Create(PipeEnd: TPipeEnd; Mode: TPipeMode);
    procedure Send(const Message: TBytes);
    procedure Add(const Data: TBytes);
    function Next(out Message: TBytes): Boolean;
    function Receive: TBytes;
  end;

  { Sends one side's flood. }
  TFlooder = class(TThread)
  private
    FMessages: TMessages;
    FSalt: Byte;
    FError: string; // valid when the thread has ended
  protected
    procedure Execute; override;
  public
    constructor Create(Messages: TMessages; Salt: Byte);
  end;

  { One client of the server. }
  TConversation = class
  private
    FMessages: TMessages;
    FFlooder: TFlooder; // not nil during a flood
    FMissing: Integer;  // messages that the flood still brings
    FHash: UInt64;
    procedure Answer(Client: TPipeServerEnd; const Message: TBytes);
    procedure Flooded(const Message: TBytes);
  public
    constructor Create(Client: TPipeServerEnd; Mode: TPipeMode);
    destructor Destroy; override;
  end;

  TEchoServer = class(TPipeServer)
    procedure Came(Server: TPipeServer; Client: TPipeServerEnd);
    procedure Got(Server: TPipeServer; Client: TPipeServerEnd; const Data: TBytes);
    procedure Left(Server: TPipeServer; Client: TPipeServerEnd; ErrorCode: Cardinal);
  end;

procedure Say(const Line: string);
begin
  WriteLn(Line);
  Flush(Output);
end;

function TypeOf(const Word: string): TPipeMode;
begin
  if Word = 'byte' then
    Exit(pmByte);
  if Word <> 'message' then
    raise EUsage.Create(Word);
  Result := pmMessage;
end;

function FloodMessage(I: Integer; Salt: Byte): TBytes;
var
  J: Integer;
begin
  Result := nil;
  SetLength(Result, I * 37 mod 2000);
  for J := 0 to High(Result) do
    Result[J] := (I + J + Salt) and 255;
end;

{ The hash is FNV-1a with 64 bits; products wrap around. }
const
  FNV_START = UInt64($CBF29CE484222325);

{$OVERFLOWCHECKS OFF}{$RANGECHECKS OFF}
procedure Mix(var Hash: UInt64; Value: Byte);
begin
  Hash := (Hash xor Value) * UInt64($100000001B3);
end;

procedure MixMessage(var Hash: UInt64; const Message: TBytes);
var
  I: Integer;
begin
  for I := 0 to 3 do
    Mix(Hash, (Length(Message) shr (8 * I)) and 255);
  for I := 0 to High(Message) do
    Mix(Hash, Message[I]);
end;

function Expected(Salt: Byte): UInt64;
var
  I: Integer;
begin
  Result := FNV_START;
  for I := 0 to FLOOD_COUNT - 1 do
    MixMessage(Result, FloodMessage(I, Salt));
end;

function HashLine(Hash: UInt64): string;
begin
  Result := 'HASH ' + LowerCase(IntToHex(Int64(Hash), 16));
end;

constructor TMessages.Create(PipeEnd: TPipeEnd; Mode: TPipeMode);
begin
  FEnd := PipeEnd;
  FMode := Mode;
end;

procedure TMessages.Send(const Message: TBytes);
var
  Framed: TBytes;
  I: Integer;
begin
  if FMode = pmMessage then
  begin
    FEnd.Send(Message);
    Exit;
  end;
  Framed := nil;
  SetLength(Framed, 4 + Length(Message));
  for I := 0 to 3 do
    Framed[I] := (Length(Message) shr (8 * I)) and 255;
  if Message <> nil then
    Move(Message[0], Framed[4], Length(Message));
  FEnd.Send(Framed);
end;

procedure TMessages.Add(const Data: TBytes);
var
  Before: Integer;
begin
  Before := Length(FRest);
  SetLength(FRest, Before + Length(Data));
  if Data <> nil then
    Move(Data[0], FRest[Before], Length(Data));
end;

{ Next takes a whole message out of what was added to a byte pipe's bytes. }
function TMessages.Next(out Message: TBytes): Boolean;
var
  Size: Cardinal;
begin
  Result := False;
  if Length(FRest) < 4 then
    Exit;
  Size := FRest[0] or FRest[1] shl 8 or FRest[2] shl 16 or Cardinal(FRest[3]) shl 24;
  if Size > LARGEST then
    raise Exception.CreateFmt('a message of %d bytes', [Size]);
  Result := Cardinal(Length(FRest)) >= 4 + Size;
  if not Result then
    Exit;
  Message := Copy(FRest, 4, Size);
  FRest := Copy(FRest, 4 + Size, Length(FRest));
end;

function TMessages.Receive: TBytes;
begin
  if FMode = pmMessage then
    Exit(FEnd.Receive);
  while not Next(Result) do
    Add(FEnd.Receive);
end;

constructor TFlooder.Create(Messages: TMessages; Salt: Byte);
begin
  FMessages := Messages;
  FSalt := Salt;
  inherited Create(False);
end;

procedure TFlooder.Execute;
var
  I: Integer;
begin
  try
    for I := 0 to FLOOD_COUNT - 1 do
      FMessages.Send(FloodMessage(I, FSalt));
  except
    on E: Exception do
      FError := E.Message;
  end;
end;

constructor TConversation.Create(Client: TPipeServerEnd; Mode: TPipeMode);
begin
  FMessages := TMessages.Create(Client, Mode);
end;

destructor TConversation.Destroy;
begin
  FFlooder.Free; // the connection has ended, so it ends
  FMessages.Free;
  inherited;
end;

procedure TConversation.Answer(Client: TPipeServerEnd; const Message: TBytes);
var
  Text: string;
begin
  if FFlooder <> nil then
  begin
    Flooded(Message);
    Exit;
  end;
  Text := '';
  if Length(Message) < 8 then
    Text := BytesToText(Message);
  if Text = 'BYE' then
    Client.Disconnect
  else if Text = 'FLOOD' then
  begin
    FMissing := FLOOD_COUNT;
    FHash := FNV_START;
    FFlooder := TFlooder.Create(FMessages, SERVER_SALT);
  end
  else
    FMessages.Send(Message);
end;

procedure TConversation.Flooded(const Message: TBytes);
begin
  MixMessage(FHash, Message);
  Dec(FMissing);
  if FMissing > 0 then
    Exit;
  FFlooder.WaitFor;
  FreeAndNil(FFlooder);
  FMessages.Send(TextToBytes(HashLine(FHash)));
end;

procedure TEchoServer.Came(Server: TPipeServer; Client: TPipeServerEnd);
begin
  Client.Data := TConversation.Create(Client, PipeType);
end;

procedure TEchoServer.Got(Server: TPipeServer; Client: TPipeServerEnd; const Data: TBytes);
var
  Conversation: TConversation;
  Message: TBytes;
begin
  Conversation := TConversation(Client.Data);
  if PipeType = pmMessage then
  begin
    Conversation.Answer(Client, Data);
    Exit;
  end;
  Conversation.FMessages.Add(Data);
  while Conversation.FMessages.Next(Message) do
    Conversation.Answer(Client, Message);
end;

procedure TEchoServer.Left(Server: TPipeServer; Client: TPipeServerEnd; ErrorCode: Cardinal);
begin
  TConversation(Client.Data).Free;
end;

procedure Serve(const Name, Kind: string; Instances: Integer);
var
  Server: TEchoServer;
begin
  Server := TEchoServer.Create(Name);
  try
    Server.PipeType := TypeOf(Kind);
    Server.MaxInstances := Instances;
    Server.Backlog := Instances;
    Server.Delivery := pdReadingThread;
    Server.OnConnect := Server.Came;
    Server.OnMessage := Server.Got;
    Server.OnDisconnect := Server.Left;
    Server.Start;
    Say('ready');
    while not Eof(Input) do
      ReadLn;
    Server.Stop;
  finally
    Server.Free;
  end;
end;

function Patterned(Size: Integer): TBytes;
var
  J: Integer;
begin
  Result := nil;
  SetLength(Result, Size);
  for J := 0 to Size - 1 do
    Result[J] := (Size + J) mod 251;
end;

procedure CheckEcho(Messages: TMessages; const Message: TBytes);
var
  Got: TBytes;
begin
  Messages.Send(Message);
  Got := Messages.Receive;
  if (Length(Got) <> Length(Message)) or ((Got <> nil) and not CompareMem(@Got[0], @Message[0], Length(Got))) then
    raise Exception.CreateFmt('sent %d bytes, got %d others back', [Length(Message), Length(Got)]);
end;

procedure CheckFlood(Messages: TMessages);
var
  Flooder: TFlooder;
  Hash: UInt64;
  I: Integer;
  Answer: string;
begin
  Messages.Send(TextToBytes('FLOOD'));
  Flooder := TFlooder.Create(Messages, CLIENT_SALT);
  try
    Hash := FNV_START;
    for I := 1 to FLOOD_COUNT do
      MixMessage(Hash, Messages.Receive);
    Flooder.WaitFor;
    if Flooder.FError <> '' then
      raise Exception.Create(Flooder.FError);
  finally
    Flooder.Free;
  end;
  if Hash <> Expected(SERVER_SALT) then
    raise Exception.Create('received ' + HashLine(Hash) + ', want ' + HashLine(Expected(SERVER_SALT)));
  Answer := BytesToText(Messages.Receive);
  if Answer <> HashLine(Expected(CLIENT_SALT)) then
    raise Exception.Create('the server says ' + Answer + ', want ' + HashLine(Expected(CLIENT_SALT)));
end;

{ SayEnd reads and says which error the read failed with. }
procedure SayEnd(Messages: TMessages);
begin
  try
    Messages.Receive;
    Say('ok');
  except
    on E: EPipeError do
      Say(Format('error %d', [E.ErrorCode]));
  end;
end;

{ Talk is the client, or if Hold is set the one that waits for its server's end. }
procedure Talk(const Name, Kind: string; Hold: Boolean);
const
  SIZES: array[0..5] of Integer = (1, 64, 1000, 65537, 0, 1 shl 20);
var
  Client: TPipeClient;
  Messages: TMessages;
  I: Integer;
begin
  Client := TPipeClient.Create(Name);
  Messages := TMessages.Create(Client, TypeOf(Kind));
  try
    Client.ReadMode := TypeOf(Kind);
    Client.Connect;
    if Hold then
    begin
      CheckEcho(Messages, TextToBytes('hold'));
      Say('connected');
      SayEnd(Messages);
      Exit;
    end;
    for I := Low(SIZES) to High(SIZES) do
      CheckEcho(Messages, Patterned(SIZES[I]));
    Say('echo ok');
    CheckFlood(Messages);
    Say('flood ok');
    Messages.Send(TextToBytes('BYE'));
    SayEnd(Messages);
    Say('done');
  finally
    Messages.Free;
    Client.Free;
  end;
end;

procedure Open(const Name: string);
var
  Client: TPipeClient;
begin
  Client := TPipeClient.Create(Name);
  try
    Client.ReadMode := pmByte;
    Client.Connect(0);
    Say('ok');
  finally
    Client.Free;
  end;
end;

{ Run does what the arguments say. An error of the pipe is a result for open and wait, and a failure for the others. }
procedure Run;
var
  Verb: string;
begin
  Verb := ParamStr(1);
  if (Verb = 'serve') and (ParamCount = 4) then
    Serve(ParamStr(2), ParamStr(3), StrToInt(ParamStr(4)))
  else if ((Verb = 'client') or (Verb = 'hold')) and (ParamCount = 3) then
    Talk(ParamStr(2), ParamStr(3), Verb = 'hold')
  else if (Verb = 'open') and (ParamCount = 2) then
    Open(ParamStr(2))
  else if (Verb = 'wait') and (ParamCount = 3) then
  begin
    WaitForPipe(ParamStr(2), StrToInt(ParamStr(3)));
    Say('ok');
  end
  else
    raise EUsage.Create('');
end;

begin
  try
    Run;
  except
    on E: EPipeError do
    begin
      if (ParamStr(1) = 'open') or (ParamStr(1) = 'wait') then
        Say(Format('error %d', [E.ErrorCode]))
      else
      begin
        Say(E.Message);
        ExitCode := 1;
      end;
    end;
    on E: Exception do
      if (E is EUsage) or (E is EConvertError) then
      begin
        WriteLn(ErrOutput, 'usage: peer serve NAME TYPE MAX | client NAME TYPE | hold NAME TYPE | open NAME | wait NAME MS');
        WriteLn(ErrOutput, 'TYPE is byte or message');
        ExitCode := 2;
      end
      else
      begin
        Say(E.Message);
        ExitCode := 1;
      end;
  end;
end.
