{ echoserver: sends every message back. It ends with its standard input.

    echoserver [NAME]      default: TestC }
program echoserver;

{$mode objfpc}{$H+}{$IFDEF MSWINDOWS}{$APPTYPE CONSOLE}{$ENDIF}

uses
  {$IFDEF UNIX}cthreads,{$ENDIF} SysUtils, AnyPipe, AnyPipeServer;

type
  TEcho = class
    procedure Connected(Server: TPipeServer; Client: TPipeServerEnd);
    procedure Message(Server: TPipeServer; Client: TPipeServerEnd; const Data: TBytes);
    procedure Disconnected(Server: TPipeServer; Client: TPipeServerEnd; ErrorCode: Cardinal);
  end;

procedure Say(const Line: string);
begin
  WriteLn(Line);
  Flush(Output);
end;

procedure TEcho.Connected(Server: TPipeServer; Client: TPipeServerEnd);
begin
  Say('a client has come');
end;

procedure TEcho.Message(Server: TPipeServer; Client: TPipeServerEnd; const Data: TBytes);
begin
  Client.Send(Data);
end;

procedure TEcho.Disconnected(Server: TPipeServer; Client: TPipeServerEnd; ErrorCode: Cardinal);
begin
  Say(Format('it has left (%d)', [ErrorCode]));
end;

var
  Echo: TEcho;
  Server: TPipeServer;

begin
  Echo := TEcho.Create;
  Server := TPipeServer.Create('TestC');
  try
    if ParamCount > 0 then
      Server.Name := ParamStr(1);
    Server.Delivery := pdReadingThread; // the main thread waits for its input and runs no loop
    Server.OnConnect := @Echo.Connected;
    Server.OnMessage := @Echo.Message;
    Server.OnDisconnect := @Echo.Disconnected;
    Server.Start;
    Say('ready');
    while not Eof(Input) do
      ReadLn;
  finally
    Server.Free;
    Echo.Free;
  end;
end.
