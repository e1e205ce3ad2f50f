{ alltests: the tests of the Pascal client. It is also the server process that a test kills: alltests serve NAME. }
program alltests;

{$mode objfpc}{$H+}{$IFDEF MSWINDOWS}{$APPTYPE CONSOLE}{$ENDIF}

uses
  {$IFDEF UNIX}cthreads,{$ENDIF} SysUtils, Classes, Testing, Echo, ApiTests, ErrorTests, EventTests, RuntimeTests, Win32Tests;

var
  Server: TEchoServer;

begin
  if ParamStr(1) = 'serve' then
  begin
    Server := Serve(ParamStr(2));
    WriteLn('ready');
    Flush(Output);
    ReadLn;
    Server.Free;
    Exit;
  end;
  RunApiTests;
  RunErrorTests;
  RunEventTests;
  RunRuntimeTests;
  RunWin32Tests;
  Finish;
end.
