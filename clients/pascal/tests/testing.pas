{ Testing: a small runner. A test is a procedure; what it checks raises, and what it leaves open fails it. }
unit Testing;

{$mode objfpc}{$H+}{$modeswitch nestedprocvars}

interface

uses
  SysUtils, Classes, Process, AnyPipe;

type
  TTest = procedure;
  TCall = procedure is nested;

  { A further process of this program, which runs a part of a test. }
  TChild = class
  private
    FProcess: TProcess;
  public
    { Starts it with arguments; Tests.Main decides what they mean. }
    constructor Create(const Arguments: array of string);
    { Kills it if it still runs. }
    destructor Destroy; override;
    { The next line that it prints. }
    function ReadLine: string;
    { kill -9 }
    procedure Kill;
  end;

{ Runs a test and prints its line. }
procedure Run(const Name: string; Test: TTest);
{ Prints the count and sets the exit code. }
procedure Finish;

procedure Check(Condition: Boolean; const What: string);
procedure CheckEqual(Got, Want: Int64; const What: string);
procedure CheckSame(const Got, Want: TBytes; const What: string);
{ Checks that Call raises EPipeError with the Win32 number. }
procedure CheckFails(Want: Cardinal; Call: TCall; const What: string);
{ A pipe's name that nobody else has; on any thread. }
function NewName: string;
{ Whether this is Wine and not Windows. }
function OnWine: Boolean;
{ Bytes that tell their place in the message. }
function Pattern(Size: Integer): TBytes;

implementation

uses
  {$IFDEF UNIX}BaseUnix, AnyPipeLib{$ELSE}Windows{$ENDIF};

var
  Passed, Failed, Names: Integer;

procedure Run(const Name: string; Test: TTest);
var
  Trouble: string = '';
begin
  try
    Test();
    {$IFDEF UNIX}
    CheckEqual(anypipe_open_handles, 0, 'handles left open');
    {$ENDIF}
  except
    on E: Exception do
      Trouble := E.ClassName + ': ' + E.Message;
  end;
  if Trouble = '' then
    Inc(Passed)
  else
    Inc(Failed);
  if Trouble = '' then
    WriteLn('ok    ', Name)
  else
    WriteLn('FAIL  ', Name, ': ', Trouble);
  Flush(Output);
end;

procedure Finish;
begin
  WriteLn(Passed, ' passed, ', Failed, ' failed');
  if (Failed > 0) or (Passed = 0) then
    ExitCode := 1;
end;

procedure Check(Condition: Boolean; const What: string);
begin
  if not Condition then
    raise Exception.Create(What);
end;

procedure CheckEqual(Got, Want: Int64; const What: string);
begin
  if Got <> Want then
    raise Exception.CreateFmt('%s: got %d, want %d', [What, Got, Want]);
end;

procedure CheckSame(const Got, Want: TBytes; const What: string);
begin
  CheckEqual(Length(Got), Length(Want), What + ', bytes');
  Check((Length(Got) = 0) or CompareMem(@Got[0], @Want[0], Length(Got)), What + ': other bytes');
end;

procedure CheckFails(Want: Cardinal; Call: TCall; const What: string);
begin
  try
    Call();
  except
    on E: EPipeError do
    begin
      if E.ErrorCode <> Want then
        raise Exception.CreateFmt('%s: %s, want error %d', [What, E.Message, Want]);
      Exit;
    end;
  end;
  raise Exception.CreateFmt('%s succeeded, want error %d', [What, Want]);
end;

function NewName: string;
begin
  Result := Format('pascal-%d-%d', [GetProcessID, InterlockedIncrement(Names)]);
end;

function OnWine: Boolean;
begin
  Result := {$IFDEF MSWINDOWS}GetProcAddress(GetModuleHandle('ntdll.dll'), 'wine_get_version') <> nil{$ELSE}False{$ENDIF};
end;

function Pattern(Size: Integer): TBytes;
var
  I: Integer;
begin
  Result := nil;
  SetLength(Result, Size);
  for I := 0 to Size - 1 do
    Result[I] := (Size + I) mod 251;
end;

constructor TChild.Create(const Arguments: array of string);
var
  I: Integer;
begin
  FProcess := TProcess.Create(nil);
  FProcess.Executable := ParamStr(0);
  for I := Low(Arguments) to High(Arguments) do
    FProcess.Parameters.Add(Arguments[I]);
  FProcess.Options := [poUsePipes];
  FProcess.Execute;
end;

destructor TChild.Destroy;
begin
  Kill;
  FProcess.Free;
  inherited;
end;

function TChild.ReadLine: string;
var
  C: AnsiChar = #0;
begin
  Result := '';
  while (FProcess.Output.Read(C, 1) = 1) and (C <> #10) do
    if C <> #13 then
      Result := Result + C;
end;

procedure TChild.Kill;
begin
  if not FProcess.Running then
    Exit;
  {$IFDEF UNIX}
  FpKill(FProcess.ProcessID, SIGKILL);
  {$ELSE}
  FProcess.Terminate(9);
  {$ENDIF}
  FProcess.WaitOnExit;
end;

end.
