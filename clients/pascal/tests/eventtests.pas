{ EventTests: where events come, in which order, and what may be done in them. }
unit EventTests;

{$mode objfpc}{$H+}{$modeswitch nestedprocvars}

interface

procedure RunEventTests;

implementation

uses
  SysUtils, Classes, SyncObjs, AnyPipe, AnyPipeServer, Testing, Echo;

type
  { Records the events of a client. }
  TRecorder = class
    Sizes: array of Integer; // of the messages, in order
    Code: Cardinal;          // of the disconnect
    Disconnects: Integer;
    Elsewhere: Integer;      // events that came on another thread than the main one
    Done: TEvent;            // set at the disconnect
    Reconnect, FreeIt, CloseIt: Boolean; // what to do in an event
    constructor Create;
    destructor Destroy; override;
    procedure Message(Sender: TObject; const Data: TBytes);
    procedure Disconnected(Sender: TObject; ErrorCode: Cardinal);
  end;

constructor TRecorder.Create;
begin
  Done := TEvent.Create(nil, True, False, '');
end;

destructor TRecorder.Destroy;
begin
  Done.Free;
  inherited;
end;

procedure TRecorder.Message(Sender: TObject; const Data: TBytes);
begin
  SetLength(Sizes, Length(Sizes) + 1);
  Sizes[High(Sizes)] := Length(Data);
  if GetCurrentThreadId <> MainThreadID then
    Inc(Elsewhere);
  if CloseIt then
    TPipeClient(Sender).Close;
  if FreeIt then
    Sender.Free;
  if Length(Data) = 16 then
    raise Exception.Create('of the event');
end;

procedure TRecorder.Disconnected(Sender: TObject; ErrorCode: Cardinal);
begin
  Code := ErrorCode;
  Inc(Disconnects);
  if GetCurrentThreadId <> MainThreadID then
    Inc(Elsewhere);
  if Reconnect then
  begin
    Reconnect := False;
    TPipeClient(Sender).Connect;
  end
  else
    Done.SetEvent;
end;

{ A client with events. }
function Recorded(const Name: string; Recorder: TRecorder; Delivery: TPipeDelivery): TPipeClient;
begin
  Result := TPipeClient.Create(Name);
  Result.OnMessage := @Recorder.Message;
  Result.OnDisconnect := @Recorder.Disconnected;
  Result.Delivery := Delivery;
  Result.Connect;
end;

procedure InMainThread;
var
  Server: TEchoServer;
  Client: TPipeClient;
  Recorder: TRecorder;
  I: Integer;
begin
  Server := Serve(NewName);
  Recorder := TRecorder.Create;
  Client := Recorded(Server.Name, Recorder, pdMainThread);
  for I := 0 to 99 do
    Client.Send(Pattern(20 + I));
  while Length(Recorder.Sizes) < 100 do
    CheckSynchronize(1000);
  for I := 0 to 99 do
    CheckEqual(Recorder.Sizes[I], 20 + I, 'order');
  Client.SendText('disconnect');
  while Recorder.Disconnects = 0 do
    CheckSynchronize(1000);
  CheckEqual(Recorder.Code, 233, 'code');
  CheckEqual(Recorder.Elsewhere, 0, 'events on other threads');
  Check(not Client.IsOpen, 'still open');
  Client.Free;
  CheckEqual(Recorder.Disconnects, 1, 'disconnects');
  Recorder.Free;
  Server.Free;
end;

procedure OnReadingThread;
var
  Server: TEchoServer;
  Client: TPipeClient;
  Recorder: TRecorder;
begin
  Server := Serve(NewName);
  Recorder := TRecorder.Create;
  Client := Recorded(Server.Name, Recorder, pdReadingThread);
  Client.Send(Pattern(20));
  Client.Send(Pattern(0));
  Client.SendText('close');
  Recorder.Done.WaitFor(INFINITE);
  CheckEqual(Recorder.Code, 109, 'code');
  CheckEqual(Length(Recorder.Sizes), 2, 'messages');
  CheckEqual(Recorder.Elsewhere, 3, 'events on the reading thread');
  Client.Connect;
  Client.Send(Pattern(16)); // the event raises
  Recorder.Done.ResetEvent;
  Recorder.Done.WaitFor(INFINITE);
  CheckEqual(Recorder.Code, 1359, 'code after an exception');
  Client.Free;
  Recorder.Free;
  Server.Free;
end;

procedure ExceptionInMainThread;
var
  Server: TEchoServer;
  Client: TPipeClient;
  Recorder: TRecorder;
  Raised: Boolean = False;
begin
  Server := Serve(NewName);
  Recorder := TRecorder.Create;
  Client := Recorded(Server.Name, Recorder, pdMainThread);
  Client.Send(Pattern(16));
  Client.Send(Pattern(1));
  while Length(Recorder.Sizes) < 2 do
    try
      CheckSynchronize(1000);
    except
      on E: Exception do
        Raised := E.Message = 'of the event';
    end;
  Check(Raised, 'the exception did not come out of CheckSynchronize');
  Client.Free;
  Recorder.Free;
  Server.Free;
end;

type
  { Takes what a message loop takes. }
  TLoop = class
    Taken: Integer;
    procedure HandleException(Sender: TObject);
  end;

procedure TLoop.HandleException(Sender: TObject);
begin
  Inc(Taken);
end;

{ Stop lets events come in the main thread; an exception in one does not end it. }
procedure ExceptionWhileStopping;
var
  Server: TEchoServer;
  Client: TPipeClient;
  Loop: TLoop;
begin
  Loop := TLoop.Create;
  ApplicationHandleException := @Loop.HandleException;
  Server := TEchoServer.Create(NewName, pmMessage, 255);
  Server.Delivery := pdMainThread;
  Server.Start;
  Client := Connected(Server.Name);
  while Server.Came = 0 do
    CheckSynchronize(1000);
  Client.SendText('fail');
  Client.Flush; // the message waits for its event now, or for Stop's
  Server.Stop;
  ApplicationHandleException := nil;
  CheckEqual(Loop.Taken, 1, 'exceptions');
  CheckEqual(Server.Left, 1, 'clients that left');
  Client.Free;
  Server.Free;
  Loop.Free;
end;

procedure ReconnectInEvent;
var
  Server: TEchoServer;
  Client: TPipeClient;
  Recorder: TRecorder;
begin
  Server := Serve(NewName);
  Recorder := TRecorder.Create;
  Recorder.Reconnect := True;
  Client := Recorded(Server.Name, Recorder, pdMainThread);
  Client.SendText('disconnect');
  while Recorder.Disconnects = 0 do
    CheckSynchronize(1000);
  Client.Send(Pattern(2));
  while Length(Recorder.Sizes) = 0 do
    CheckSynchronize(1000);
  CheckEqual(Recorder.Sizes[0], 2, 'after reconnecting');
  Client.Free;
  Recorder.Free;
  Server.Free;
end;

procedure FreeInEvent;
var
  Server: TEchoServer;
  Recorder: TRecorder;
begin
  Server := Serve(NewName);
  Recorder := TRecorder.Create;
  Recorder.FreeIt := True;
  Recorded(Server.Name, Recorder, pdMainThread).Send(Pattern(2));
  while Length(Recorder.Sizes) = 0 do
    CheckSynchronize(1000);
  Recorder.Free;
  Server.Free;
end;

procedure CloseInEvent(Delivery: TPipeDelivery);
var
  Server: TEchoServer;
  Client: TPipeClient;
  Recorder: TRecorder;
begin
  Server := Serve(NewName);
  Recorder := TRecorder.Create;
  Recorder.CloseIt := True;
  Client := Recorded(Server.Name, Recorder, Delivery);
  Server.ClientLeft.ResetEvent;
  Client.Send(Pattern(2));
  while Server.ClientLeft.WaitFor(1) <> wrSignaled do
    CheckSynchronize(0);
  Client.Free;
  CheckEqual(Recorder.Disconnects, 0, 'disconnects after a close of our own');
  Recorder.Free;
  Server.Free;
end;

procedure CloseInMainEvent;
begin
  CloseInEvent(pdMainThread);
end;

procedure CloseInReadingEvent;
begin
  CloseInEvent(pdReadingThread);
end;

type
  { Closes a client after it has been told to. }
  TCloser = class(TThread)
    Client: TPipeClient;
    procedure Execute; override;
  end;

procedure TCloser.Execute;
begin
  Client.Close;
end;

{ A close on another thread ends a call that waits; one that comes before makes it fail with 6. }
procedure CloseElsewhere;
var
  Server: TEchoServer;
  Client: TPipeClient;
  Closer: TCloser;
  Code: Cardinal;
begin
  Server := Serve(NewName);
  Client := Connected(Server.Name);
  Closer := TCloser.Create(True);
  Closer.Client := Client;
  Closer.Start;
  Code := 0;
  try
    Client.Receive;
  except
    on E: EPipeError do
      Code := E.ErrorCode;
  end;
  Check((Code = 995) or (Code = 6), Format('code %d', [Code]));
  Closer.WaitFor;
  Closer.Free;
  Client.Free;
  Server.Free;
end;

{ While the events are left alone, nothing is lost and the reader waits. }
procedure NoLoop;
var
  Server: TEchoServer;
  Client: TPipeClient;
  Recorder: TRecorder;

  procedure Receive;
  begin
    Client.Receive;
  end;

begin
  Server := Serve(NewName);
  Recorder := TRecorder.Create;
  Client := Recorded(Server.Name, Recorder, pdMainThread);
  Client.Send(Pattern(3));
  CheckFails(231, @Receive, 'receive beside events');
  Client.Free; // with an event that nobody has let come
  Recorder.Free;
  Server.Free;
end;

type
  { A server with events in the main thread. }
  TMainServer = class(TEchoServer)
    Elsewhere: Integer;
    StopIt: Boolean;
    procedure DoMainMessage(Server: TPipeServer; Client: TPipeServerEnd; const Data: TBytes);
  end;

procedure TMainServer.DoMainMessage(Server: TPipeServer; Client: TPipeServerEnd; const Data: TBytes);
begin
  if GetCurrentThreadId <> MainThreadID then
    Inc(Elsewhere);
  Client.Send(Data);
  if StopIt then
    Stop;
end;

procedure ServerInMainThread;
var
  Server: TMainServer;
  Recorder: TRecorder;
  First, Second: TPipeClient;
begin
  Server := TMainServer.Create(NewName, pmMessage, 255);
  Server.Delivery := pdMainThread;
  Server.OnMessage := @Server.DoMainMessage;
  Server.Start;
  Recorder := TRecorder.Create;
  First := Recorded(Server.Name, Recorder, pdMainThread);
  Second := Recorded(Server.Name, Recorder, pdMainThread);
  First.Send(Pattern(1));
  Second.Send(Pattern(1));
  while Length(Recorder.Sizes) < 2 do
    CheckSynchronize(1000);
  Server.StopIt := True;
  First.Send(Pattern(1));
  while Recorder.Disconnects < 2 do
    CheckSynchronize(1000);
  CheckEqual(Server.Came, 2, 'clients that came');
  CheckEqual(Server.Left, 1, 'clients that left; the one whose event stops gets none');
  CheckEqual(Server.Elsewhere, 0, 'events on other threads');
  CheckEqual(Recorder.Code, 109, 'code');
  First.Free;
  Second.Free;
  Recorder.Free;
  Server.Free;
end;

procedure RunEventTests;
begin
  Run('events in the main thread', @InMainThread);
  Run('events on the reading thread', @OnReadingThread);
  Run('an exception in an event goes to the loop', @ExceptionInMainThread);
  Run('an exception in an event while the server stops', @ExceptionWhileStopping);
  Run('connect in OnDisconnect', @ReconnectInEvent);
  Run('free in OnMessage', @FreeInEvent);
  Run('close in OnMessage, main thread', @CloseInMainEvent);
  Run('close in OnMessage, reading thread', @CloseInReadingEvent);
  Run('close on another thread', @CloseElsewhere);
  Run('a program without a loop', @NoLoop);
  Run('a server''s events in the main thread', @ServerInMainThread);
end;

end.
