{ client: sends texts and shows what comes back, in the main thread, until it has an answer to each or the server leaves.

    client NAME TEXT... }
program client;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}{$IFDEF MSWINDOWS}{$APPTYPE CONSOLE}{$ENDIF}

uses
  {$IFDEF UNIX}cthreads,{$ENDIF} SysUtils, Classes, AnyPipe;

type
  TShower = class
    Shown: Integer;
    Ended: Boolean;
    procedure Message(Sender: TObject; const Data: TBytes);
    procedure Disconnected(Sender: TObject; ErrorCode: Cardinal);
  end;

procedure TShower.Message(Sender: TObject; const Data: TBytes);
begin
  WriteLn('received: ', BytesToText(Data));
  Flush(Output);
  Inc(Shown);
end;

procedure TShower.Disconnected(Sender: TObject; ErrorCode: Cardinal);
begin
  WriteLn('the server has left: error ', ErrorCode);
  Flush(Output);
  Ended := True;
end;

var
  Shower: TShower;
  Pipe: TPipeClient;
  I: Integer;

begin
  Shower := TShower.Create;
  Pipe := TPipeClient.Create(ParamStr(1));
  try
    try
      Pipe.OnMessage := Shower.Message;
      Pipe.OnDisconnect := Shower.Disconnected;
      Pipe.Connect(5000);
      for I := 2 to ParamCount do
        Pipe.SendText(ParamStr(I));
      while (Shower.Shown < ParamCount - 1) and not Shower.Ended do
        CheckSynchronize(1000); // in a program with windows, the message loop
    except
      on E: EPipeError do
      begin
        WriteLn(ErrOutput, E.Message);
        ExitCode := 1;
      end;
    end;
  finally
    Pipe.Free;
    Shower.Free;
  end;
end.
