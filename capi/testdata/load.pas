{ load.pas: the library in a Free Pascal process: access violations, divisions by zero and threads are what they were. }
program load;

{$mode objfpc}
{$linklib anypipe}

uses
  cthreads, Classes, SysUtils;

function anypipe_pair(quota: SizeUInt; out r, w: QWord): LongInt; cdecl; external;
function anypipe_read(e: QWord; buffer: Pointer; size: SizeUInt; out length: SizeUInt; timeout: Int64): LongInt; cdecl; external;
function anypipe_write(e: QWord; data: Pointer; size: SizeUInt; out length: SizeUInt; timeout: Int64): LongInt; cdecl; external;
function anypipe_close(handle: QWord): LongInt; cdecl; external;
function anypipe_open_handles: SizeUInt; cdecl; external;

procedure Must(condition: Boolean; const what: string);
begin
  if not condition then
    raise Exception.Create('not so: ' + what);
end;

procedure RoundTrip;
var
  r, w: QWord;
  n: SizeUInt;
  sent, got: string[8];
begin
  sent := 'pascal';
  Must(anypipe_pair(0, r, w) = 0, 'pair');
  Must(anypipe_write(w, @sent[1], Length(sent), n, -1) = 0, 'write');
  SetLength(got, 8);
  Must((anypipe_read(r, @got[1], 8, n, -1) = 0) and (n = 6), 'read');
  SetLength(got, n);
  Must(got = sent, 'what was read');
  Must((anypipe_close(r) = 0) and (anypipe_close(w) = 0), 'close');
end;

procedure Faults;
var
  p: PInteger;
  zero, caught: Integer;
begin
  p := nil;
  zero := 0;
  caught := 0;
  try
    p^ := 1;
  except
    on EAccessViolation do Inc(caught);
  end;
  try
    zero := caught div zero;
  except
    on EDivByZero do Inc(caught);
  end;
  Must(caught = 2, 'faults are exceptions');
end;

type
  TUser = class(TThread)
    procedure Execute; override;
  end;

procedure TUser.Execute;
var
  i: Integer;
begin
  for i := 1 to 50 do
  begin
    RoundTrip;
    Faults;
  end;
end;

var
  users: array[1..16] of TUser;
  i: Integer;
begin
  Faults;
  RoundTrip;
  Faults;
  for i := Low(users) to High(users) do users[i] := TUser.Create(False);
  for i := Low(users) to High(users) do
  begin
    users[i].WaitFor;
    Must(users[i].FatalException = nil, 'no exception in a thread');
    users[i].Free;
  end;
  Must(anypipe_open_handles = 0, 'no handle is open');
  WriteLn('ok');
end.
