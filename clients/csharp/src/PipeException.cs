using System;
using System.IO;

namespace AsyncPipe
{
    /// <summary>An operation on a pipe that failed, with the number and the name that Windows has for it, on every system.</summary>
    public class PipeException : IOException
    {
        /// <summary>Makes an exception for a Win32 error number.</summary>
        /// <param name="nativeErrorCode">The number, such as 231.</param>
        /// <param name="doing">What failed, such as "open \\.\pipe\Test".</param>
        public PipeException(int nativeErrorCode, string doing) : this(nativeErrorCode, doing, null) { }

        /// <summary>Makes an exception for a Win32 error number that another exception told.</summary>
        /// <param name="nativeErrorCode">The number, such as 231.</param>
        /// <param name="doing">What failed, such as "open \\.\pipe\Test".</param>
        /// <param name="inner">The exception that told it, or null.</param>
        public PipeException(int nativeErrorCode, string doing, Exception inner)
            : base(doing + ": " + PipeError.Text(nativeErrorCode) + " (" + PipeError.Name(nativeErrorCode) + ")", inner)
        {
            NativeErrorCode = nativeErrorCode;
            HResult = unchecked((int)0x80070000) | nativeErrorCode; // what System.IO's own exceptions have
        }

        /// <summary>The Win32 error number, one of <see cref="PipeError"/>'s or another.</summary>
        public int NativeErrorCode { get; }

        /// <summary>The number's Win32 name, such as "ERROR_PIPE_BUSY".</summary>
        public string NativeErrorName { get { return PipeError.Name(NativeErrorCode); } }
    }

    /// <summary>The Win32 error numbers that pipes give.</summary>
    public static class PipeError
    {
        /// <summary>ERROR_FILE_NOT_FOUND: there is no pipe of that name.</summary>
        public const int NotExist = 2;
        /// <summary>ERROR_ACCESS_DENIED: the descriptor or the direction forbids it, or the name was to be the first.</summary>
        public const int AccessDenied = 5;
        /// <summary>ERROR_NOT_SUPPORTED: this kind of pipe, or this system, can't.</summary>
        public const int NotSupported = 50;
        /// <summary>ERROR_INVALID_PARAMETER: an option is out of its range, or asks a byte pipe for messages.</summary>
        public const int InvalidParameter = 87;
        /// <summary>ERROR_BROKEN_PIPE: the other end closed, and everything was read.</summary>
        public const int BrokenPipe = 109;
        /// <summary>ERROR_SEM_TIMEOUT: the time was over.</summary>
        public const int Timeout = 121;
        /// <summary>ERROR_INVALID_NAME: this can't be a pipe's name.</summary>
        public const int InvalidName = 123;
        /// <summary>ERROR_BAD_PIPE: the pipe's state, type or mode does not allow it.</summary>
        public const int BadPipe = 230;
        /// <summary>ERROR_PIPE_BUSY: no instance is free, the limit is reached, or data is unread before a request.</summary>
        public const int PipeBusy = 231;
        /// <summary>ERROR_NO_DATA: the other end is closed (when writing).</summary>
        public const int NoData = 232;
        /// <summary>ERROR_PIPE_NOT_CONNECTED: the server disconnected this client.</summary>
        public const int NotConnected = 233;
        /// <summary>ERROR_MORE_DATA: the message is longer than was allowed.</summary>
        public const int MoreData = 234;
        /// <summary>ERROR_OPERATION_ABORTED: cancelled, or this end was closed.</summary>
        public const int Aborted = 995;

        /// <summary>The Win32 name of a number, or "ERROR_" and the number.</summary>
        public static string Name(int number)
        {
            switch (number)
            {
                case 1: return "ERROR_INVALID_FUNCTION";
                case NotExist: return "ERROR_FILE_NOT_FOUND";
                case AccessDenied: return "ERROR_ACCESS_DENIED";
                case 6: return "ERROR_INVALID_HANDLE";
                case 8: return "ERROR_NOT_ENOUGH_MEMORY";
                case NotSupported: return "ERROR_NOT_SUPPORTED";
                case 53: return "ERROR_BAD_NETPATH";
                case InvalidParameter: return "ERROR_INVALID_PARAMETER";
                case BrokenPipe: return "ERROR_BROKEN_PIPE";
                case Timeout: return "ERROR_SEM_TIMEOUT";
                case InvalidName: return "ERROR_INVALID_NAME";
                case 206: return "ERROR_FILENAME_EXCED_RANGE";
                case BadPipe: return "ERROR_BAD_PIPE";
                case PipeBusy: return "ERROR_PIPE_BUSY";
                case NoData: return "ERROR_NO_DATA";
                case NotConnected: return "ERROR_PIPE_NOT_CONNECTED";
                case MoreData: return "ERROR_MORE_DATA";
                case 535: return "ERROR_PIPE_CONNECTED";
                case 536: return "ERROR_PIPE_LISTENING";
                case Aborted: return "ERROR_OPERATION_ABORTED";
                case 997: return "ERROR_IO_PENDING";
                case 1168: return "ERROR_NOT_FOUND";
                case 1359: return "ERROR_INTERNAL_ERROR";
                case 1368: return "ERROR_CANNOT_IMPERSONATE";
                default: return "ERROR_" + number;
            }
        }

        internal static string Text(int number)
        {
            switch (number)
            {
                case NotExist: return "there is no pipe of that name";
                case AccessDenied: return "access is denied";
                case NotSupported: return "this pipe or system can't do that";
                case InvalidParameter: return "an option does not fit";
                case BrokenPipe: return "the other end has closed";
                case Timeout: return "the time was over";
                case InvalidName: return "this can't be a pipe's name";
                case BadPipe: return "the pipe's state, type or mode does not allow it";
                case PipeBusy: return "every instance is taken, or data is unread";
                case NoData: return "the other end has closed";
                case NotConnected: return "the server has disconnected";
                case MoreData: return "the message is longer than allowed";
                case Aborted: return "cancelled, or this end was closed";
                default: return "error " + number;
            }
        }
    }
}
