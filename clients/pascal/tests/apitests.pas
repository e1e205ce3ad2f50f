{ ApiTests: messages, bytes, many clients. }
unit ApiTests;

{$mode objfpc}{$H+}{$modeswitch nestedprocvars}

interface

procedure RunApiTests;

implementation

uses
  SysUtils, Classes, AnyPipe, AnyPipeServer, Testing, Echo;

procedure Messages;
const
  SIZES: array[0..6] of Integer = (1, 0, 64, 1000, 65537, 1 shl 20, 0);
var
  Server: TEchoServer;
  Client: TPipeClient;
  Size: Integer;
begin
  Server := Serve(NewName);
  Client := Connected(Server.Name);
  try
    for Size in SIZES do
    begin
      Client.Send(Pattern(Size));
      CheckSame(Client.Receive, Pattern(Size), Format('message of %d bytes', [Size]));
    end;
    Client.SendText('héllo');
    Check(BytesToText(Client.Receive) = 'héllo', 'text');
  finally
    Client.Free;
    Server.Free;
  end;
end;

procedure LongNameForms;
var
  Server: TEchoServer;
  Client: TPipeClient;
begin
  Server := Serve('\\.\pipe\' + NewName);
  Client := Connected('//./pipe/' + UpperCase(Copy(Server.Name, 10, 100)));
  try
    Client.Send(Pattern(5));
    CheckSame(Client.Receive, Pattern(5), 'by another spelling');
  finally
    Client.Free;
    Server.Free;
  end;
end;

procedure Bytes;
var
  Server: TEchoServer;
  Client: TPipeClient;
  Got: TBytes = nil;
  Part: TBytes;
  Before: Integer;
begin
  Server := Serve(NewName, pmByte);
  Client := Connected(Server.Name, pmByte);
  try
    Client.Send(Pattern(100000));
    while Length(Got) < 100000 do
    begin
      Part := Client.Receive;
      Before := Length(Got);
      SetLength(Got, Before + Length(Part));
      Move(Part[0], Got[Before], Length(Part));
    end;
    CheckSame(Got, Pattern(100000), 'bytes');
  finally
    Client.Free;
    Server.Free;
  end;
end;

type
  { Sends 1,000 messages. }
  TSender = class(TThread)
    Client: TPipeClient;
    procedure Execute; override;
  end;

procedure TSender.Execute;
var
  I: Integer;
begin
  for I := 0 to 999 do
    Client.Send(Pattern(I * 37 mod 2000));
end;

procedure ThousandBothWays;
var
  Server: TEchoServer;
  Client: TPipeClient;
  Sender: TSender;
  I: Integer;
begin
  Server := Serve(NewName);
  Client := Connected(Server.Name);
  Sender := TSender.Create(True);
  try
    Sender.Client := Client;
    Sender.Start;
    for I := 0 to 999 do
      CheckSame(Client.Receive, Pattern(I * 37 mod 2000), Format('message %d', [I]));
    Sender.WaitFor;
    Check(Sender.FatalException = nil, 'the sender failed');
  finally
    Client.Close;
    Sender.Free;
    Client.Free;
    Server.Free;
  end;
end;

procedure Transact;
var
  Server: TEchoServer;
  Client: TPipeClient;
begin
  Server := Serve(NewName);
  Client := Connected(Server.Name);
  try
    CheckSame(Client.Transact(Pattern(300)), Pattern(300), 'answer');
    CheckSame(Client.Transact(Pattern(200000), 60000), Pattern(200000), 'long answer');
    CheckSame(CallPipe(Server.Name, Pattern(70), 60000), Pattern(70), 'answer of a call');
  finally
    Client.Free;
    Server.Free;
  end;
end;

type
  { Opens the pipe, sends a message, checks the answer, closes. }
  TVisitor = class(TThread)
    Name: string;
    Number: Integer;
    procedure Execute; override;
  end;

procedure TVisitor.Execute;
var
  Client: TPipeClient;
begin
  Client := Connected(Name);
  try
    Client.Send(Pattern(Number));
    CheckSame(Client.Receive, Pattern(Number), Format('answer to client %d', [Number]));
  finally
    Client.Free;
  end;
end;

{ Twenty clients at once want the three instances; each gets its turn. }
procedure ManyClients;
var
  Server: TEchoServer;
  Visitors: array[0..19] of TVisitor;
  Trouble: string = '';
  I: Integer;
begin
  Server := Serve(NewName, pmMessage, 3);
  for I := Low(Visitors) to High(Visitors) do
  begin
    Visitors[I] := TVisitor.Create(True);
    Visitors[I].Name := Server.Name;
    Visitors[I].Number := I;
    Visitors[I].Start;
  end;
  for I := Low(Visitors) to High(Visitors) do
  begin
    Visitors[I].WaitFor;
    if Visitors[I].FatalException <> nil then
      Trouble := Exception(Visitors[I].FatalException).Message;
    Visitors[I].Free;
  end;
  Server.Stop;
  CheckEqual(Server.Came, Length(Visitors), 'clients that came');
  CheckEqual(Server.Left, Length(Visitors), 'clients that left');
  Server.Free;
  Check(Trouble = '', Trouble);
end;

{ More clients than instances wait at a time, without a limit. }
procedure ManyAtATime;
var
  Server: TEchoServer;
  Clients: array[0..29] of TPipeClient;
  I: Integer;
begin
  Server := Serve(NewName);
  for I := Low(Clients) to High(Clients) do
    Clients[I] := Connected(Server.Name);
  for I := Low(Clients) to High(Clients) do
    CheckSame(Clients[I].Transact(Pattern(I)), Pattern(I), 'answer');
  CheckEqual(Server.ClientCount, Length(Clients), 'clients');
  CheckEqual(Server.Broadcast(Pattern(9)), Length(Clients), 'clients that got it');
  for I := Low(Clients) to High(Clients) do
    CheckSame(Clients[I].Receive, Pattern(9), 'to all');
  for I := Low(Clients) to High(Clients) do
    Clients[I].Free;
  Server.Free;
end;

procedure FlushAndPeer;
var
  Server: TEchoServer;
  Client: TPipeClient;
begin
  Server := Serve(NewName);
  Client := Connected(Server.Name);
  try
    CheckEqual(Client.PeerProcessId, GetProcessID, 'the server''s process');
    Client.Send(Pattern(10));
    Client.Flush; // the server has read it
    CheckSame(Client.Receive, Pattern(10), 'answer');
  finally
    Client.Free;
    Server.Free;
  end;
end;

procedure RestartedServer;
var
  Server: TEchoServer;
  Client: TPipeClient;
  Round: Integer;
begin
  Server := Serve(NewName);
  for Round := 1 to 3 do
  begin
    Client := Connected(Server.Name);
    CheckSame(Client.Transact(Pattern(3)), Pattern(3), 'answer');
    Server.Stop;
    Client.Free;
    Server.Start;
    Server.Start;
  end;
  Server.Free;
end;

procedure RunApiTests;
begin
  Run('messages, empty and of 1 MiB too', @Messages);
  Run('all spellings of a name', @LongNameForms);
  Run('byte type', @Bytes);
  Run('1,000 messages both ways at once', @ThousandBothWays);
  Run('transact and call', @Transact);
  Run('twenty clients for three instances', @ManyClients);
  Run('thirty clients at a time, and a broadcast', @ManyAtATime);
  Run('flush, and who is there', @FlushAndPeer);
  Run('a server that stops and starts', @RestartedServer);
end;

end.
