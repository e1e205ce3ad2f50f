{ RuntimeTests: what the library, which brings a run-time of its own, leaves of Pascal's: exceptions from faults, floating-point
  exceptions, threads. }
unit RuntimeTests;

{$mode objfpc}{$H+}

interface

procedure RunRuntimeTests;

implementation

uses
  SysUtils, Classes, Math, AnyPipe, Testing, Echo;

{$OPTIMIZATION OFF}

{ FaultName provokes a fault and returns the exception that came of it. }
function FaultName(Kind: Integer): string;
var
  P: PInteger = nil;
  Zero: Integer = 0;
  FloatZero: Double = 0;
  F: Double = 1;
begin
  Result := 'nothing';
  try
    case Kind of
      0: P^ := 1;
      1: Zero := 1 div Zero;
      2: F := F / FloatZero;
    end;
  except
    on E: Exception do
      Result := E.ClassName;
  end;
end;

{ CheckFaults checks what a thread's faults become. Free Pascal itself leaves threads on Windows with all floating-point
  exceptions masked; where they are, a division gives infinity and nothing else. }
procedure CheckFaults;
var
  Division: string = 'EZeroDivide';
begin
  if exZeroDivide in GetExceptionMask then
    Division := 'nothing';
  Check(FaultName(0) = 'EAccessViolation', 'a nil pointer gives ' + FaultName(0));
  Check(FaultName(1) = 'EDivByZero', 'a division by zero gives ' + FaultName(1));
  Check(FaultName(2) = Division, 'a floating-point division by zero gives ' + FaultName(2));
end;

procedure Talk;
var
  Server: TEchoServer;
  Client: TPipeClient;
  I: Integer;
begin
  Server := Serve(NewName);
  Client := Connected(Server.Name);
  try
    for I := 1 to 50 do
    begin
      CheckSame(Client.Transact(Pattern(I * 1000)), Pattern(I * 1000), 'answer');
      CheckFaults; // between calls, again and again
    end;
  finally
    Client.Free;
    Server.Free;
  end;
end;

procedure Faults;
begin
  Check(not (exZeroDivide in GetExceptionMask), 'divisions by zero are masked');
  CheckFaults;
  Talk;
  Check(not (exZeroDivide in GetExceptionMask), 'divisions by zero are masked now');
  CheckFaults;
end;

type
  TFaulty = class(TThread)
    procedure Execute; override;
  end;

procedure TFaulty.Execute;
begin
  Talk;
end;

procedure FaultsOnThreads;
var
  Threads: array[0..3] of TFaulty;
  Trouble: string = '';
  I: Integer;
begin
  for I := Low(Threads) to High(Threads) do
    Threads[I] := TFaulty.Create(False);
  for I := Low(Threads) to High(Threads) do
  begin
    Threads[I].WaitFor;
    if Threads[I].FatalException <> nil then
      Trouble := Exception(Threads[I].FatalException).Message;
    Threads[I].Free;
  end;
  Check(Trouble = '', Trouble);
end;

{ Every floating-point exception armed, also the one for results that are not exact. }
procedure AllArmed;
var
  Mask: TFPUExceptionMask;
begin
  Mask := SetExceptionMask([]);
  try
    Talk;
    Check(GetExceptionMask = [], 'the mask has changed');
  finally
    SetExceptionMask(Mask);
  end;
  CheckFaults;
end;

procedure RunRuntimeTests;
begin
  Run('faults are still exceptions', @Faults);
  Run('on threads too', @FaultsOnThreads);
  Run('all floating-point exceptions armed', @AllArmed);
end;

end.
