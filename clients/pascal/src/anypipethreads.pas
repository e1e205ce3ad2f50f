{ AnyPipeThreads: a thread that reads and delivers events, to the main thread or on itself. Programs use AnyPipe and
  AnyPipeServer, which stand on it. }
unit AnyPipeThreads;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}

interface

uses
  {$IFDEF UNIX}{$IFDEF FPC}cthreads,{$ENDIF}{$ENDIF} SysUtils, Classes, SyncObjs;

type
  { Where events come: in the main thread, when it runs its message loop or CheckSynchronize, or on the thread that reads. }
  TPipeDelivery = (pdMainThread, pdReadingThread);

  { A thread that delivers events one at a time, each when the one before has returned. Its owner frees it, also from
    within an event in the main thread. }
  TPipeWorker = class(TThread)
  private
    FLock: TCriticalSection; // guards FStopping and FCalling
    FStopping: Boolean;      // no further event is called
    FCalling: Boolean;       // the main thread is in an event
    FCalled: TEvent;         // set when Deliver need not wait for the main thread any longer
    FFreed: PBoolean;        // only the main thread touches it: while it is in an event, where it learns that it has freed us
    function InOwnEvent: Boolean;
    procedure CallInMain;
  protected
    procedure Execute; override;
    { What the thread does. }
    procedure Work; virtual; abstract;
    { Calls the program's event. }
    procedure CallEvent; virtual; abstract;
    { Has CallEvent called and waits until it has returned. False if an exception left it on this thread; one in the main thread
      goes to the program's message loop, as exceptions of events do. }
    function Deliver(Delivery: TPipeDelivery): Boolean;
  public
    constructor Create;
    { Stops and joins. Whoever calls it has ended what Work waits for. }
    destructor Destroy; override;
    { No event is called from now on. Does not wait for one that is being called. }
    procedure Stop;
    { Waits for the thread's end. In the main thread it lets events come meanwhile, unless one of this worker's is what calls it:
      then there are no more. }
    procedure Join;
  end;

implementation

function InMainThread: Boolean;
begin
  Result := {$IFDEF FPC}GetCurrentThreadId{$ELSE}TThread.CurrentThread.ThreadID{$ENDIF} = MainThreadID;
end;

constructor TPipeWorker.Create;
begin
  FLock := TCriticalSection.Create;
  FCalled := TEvent.Create(nil, True, False, '');
  inherited Create(True); // the descendant starts it when it is complete
end;

destructor TPipeWorker.Destroy;
begin
  Stop;
  if InOwnEvent then
    FFreed^ := True;
  Join;
  inherited; // takes back what is queued
  FCalled.Free;
  FLock.Free;
end;

{ InOwnEvent tells whether it is an event of this worker, in the main thread, that calls us. }
function TPipeWorker.InOwnEvent: Boolean;
begin
  Result := InMainThread and (FFreed <> nil);
end;

procedure TPipeWorker.Execute;
begin
  Work;
end;

procedure TPipeWorker.Stop;
begin
  FLock.Acquire;
  FStopping := True;
  // An event that is being called keeps what it uses until it returns, unless it is this event that stops us.
  if not FCalling or InMainThread then
    FCalled.SetEvent;
  FLock.Release;
end;

{ Pump lets events come, for a millisecond at most if there is none; TThread.WaitFor looks every 100 ms. What an exception in an
  event becomes is the program's message loop's matter, not that of whoever waits here. }
procedure Pump;
begin
  try
    CheckSynchronize(1);
  except
    if Assigned(ApplicationHandleException) then
      ApplicationHandleException(nil)
    else
      ShowException(ExceptObject, ExceptAddr);
  end;
end;

procedure TPipeWorker.Join;
begin
  if InOwnEvent then
    Stop;
  if InMainThread then
    while not Finished do
      Pump
  else
    WaitFor;
end;

function TPipeWorker.Deliver(Delivery: TPipeDelivery): Boolean;
var
  Stopping: Boolean;
begin
  Result := True;
  FLock.Acquire;
  Stopping := FStopping;
  if not Stopping then
    FCalled.ResetEvent;
  FLock.Release;
  if Stopping then
    Exit;
  if Delivery = pdMainThread then
  begin
    TThread.Queue(Self, CallInMain);
    FCalled.WaitFor(High(Cardinal));
  end
  else
    try
      CallEvent;
    except
      Result := False;
    end;
end;

procedure TPipeWorker.CallInMain;
var
  Freed: Boolean;
begin
  FLock.Acquire;
  FCalling := not FStopping;
  FLock.Release;
  if not FCalling then
    Exit;
  Freed := False;
  FFreed := @Freed;
  try
    CallEvent;
  finally
    if not Freed then
    begin
      FFreed := nil;
      FLock.Acquire;
      FCalling := False;
      FCalled.SetEvent;
      FLock.Release;
    end;
  end;
end;

end.
