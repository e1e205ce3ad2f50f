{ AnyPipeErrors: the Win32 errors of pipes in words, and the exception that carries one. }
unit AnyPipeErrors;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}

interface

uses
  SysUtils;

type
  { Raised by everything in AnyPipe that fails. }
  EPipeError = class(Exception)
  private
    FErrorCode: Cardinal;
    FErrorName: string;
  public
    { What is what was being done, such as 'Send'. }
    constructor Create(const What: string; Code: Cardinal);
    { The Win32 error number, such as 231. }
    property ErrorCode: Cardinal read FErrorCode;
    { Its Win32 name, such as 'ERROR_PIPE_BUSY'. }
    property ErrorName: string read FErrorName;
  end;

{ The Win32 name of an error, or 'ERROR_<number>' for one that pipes don't know. }
function PipeErrorName(Code: Cardinal): string;

{ What an error means, in English. }
function PipeErrorText(Code: Cardinal): string;

{ Raises EPipeError unless Code is 0. }
procedure CheckPipe(const What: string; Code: Cardinal);

implementation

type
  TErrorWords = record
    Code: Cardinal;
    Name, Text: string;
  end;

const
  WORDS: array[0..22] of TErrorWords = (
    (Code: 0; Name: 'ERROR_SUCCESS'; Text: 'success'),
    (Code: 1; Name: 'ERROR_INVALID_FUNCTION'; Text: 'only the server end can do this'),
    (Code: 2; Name: 'ERROR_FILE_NOT_FOUND'; Text: 'there is no pipe of that name'),
    (Code: 5; Name: 'ERROR_ACCESS_DENIED'; Text: 'the pipe does not allow this user or direction, or its name exists'),
    (Code: 6; Name: 'ERROR_INVALID_HANDLE'; Text: 'the end is not open'),
    (Code: 8; Name: 'ERROR_NOT_ENOUGH_MEMORY'; Text: 'out of memory'),
    (Code: 50; Name: 'ERROR_NOT_SUPPORTED'; Text: 'this kind of pipe or system can''t do this'),
    (Code: 87; Name: 'ERROR_INVALID_PARAMETER'; Text: 'an argument is not allowed, such as message-read mode on a byte pipe'),
    (Code: 109; Name: 'ERROR_BROKEN_PIPE'; Text: 'the other end has closed'),
    (Code: 121; Name: 'ERROR_SEM_TIMEOUT'; Text: 'the time is over'),
    (Code: 123; Name: 'ERROR_INVALID_NAME'; Text: 'this is not the name of a pipe'),
    (Code: 206; Name: 'ERROR_FILENAME_EXCED_RANGE'; Text: 'the name is longer than 256 characters'),
    (Code: 230; Name: 'ERROR_BAD_PIPE'; Text: 'the pipe''s state, type or mode does not allow this'),
    (Code: 231; Name: 'ERROR_PIPE_BUSY'; Text: 'every instance is taken, or unread data is in the way'),
    (Code: 232; Name: 'ERROR_NO_DATA'; Text: 'the other end is closed'),
    (Code: 233; Name: 'ERROR_PIPE_NOT_CONNECTED'; Text: 'the server has disconnected'),
    (Code: 234; Name: 'ERROR_MORE_DATA'; Text: 'the message is longer than allowed'),
    (Code: 535; Name: 'ERROR_PIPE_CONNECTED'; Text: 'a client is there already'),
    (Code: 536; Name: 'ERROR_PIPE_LISTENING'; Text: 'no client has come yet'),
    (Code: 995; Name: 'ERROR_OPERATION_ABORTED'; Text: 'the end was closed meanwhile'),
    (Code: 1168; Name: 'ERROR_NOT_FOUND'; Text: 'there is no client'),
    (Code: 1359; Name: 'ERROR_INTERNAL_ERROR'; Text: 'the system or an event handler failed'),
    (Code: 1368; Name: 'ERROR_CANNOT_IMPERSONATE'; Text: 'nothing of this client was read yet'));

function Find(Code: Cardinal): Integer;
begin
  for Result := Low(WORDS) to High(WORDS) do
    if WORDS[Result].Code = Code then
      Exit;
  Result := -1;
end;

function PipeErrorName(Code: Cardinal): string;
var
  I: Integer;
begin
  I := Find(Code);
  if I >= 0 then
    Result := WORDS[I].Name
  else
    Result := Format('ERROR_%d', [Code]);
end;

function PipeErrorText(Code: Cardinal): string;
var
  I: Integer;
begin
  I := Find(Code);
  if I >= 0 then
    Result := WORDS[I].Text
  else
    Result := SysErrorMessage({$IFDEF MSWINDOWS}Code{$ELSE}0{$ENDIF});
end;

constructor EPipeError.Create(const What: string; Code: Cardinal);
begin
  inherited CreateFmt('%s: %s (%s, error %d)', [What, PipeErrorText(Code), PipeErrorName(Code), Code]);
  FErrorCode := Code;
  FErrorName := PipeErrorName(Code);
end;

procedure CheckPipe(const What: string; Code: Cardinal);
begin
  if Code <> 0 then
    raise EPipeError.Create(What, Code);
end;

end.
