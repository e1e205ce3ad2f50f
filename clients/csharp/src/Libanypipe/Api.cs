using System;
using System.Runtime.InteropServices;
using System.Text;

namespace AsyncPipe.Libanypipe
{
    /// <summary>The functions of anypipe.h that are used here.</summary>
    internal static class Api
    {
        public const int Ok = 0, InvalidHandle = 6, MoreData = 234, Pending = 997;
        public const int AbiMajor = 1;

        [StructLayout(LayoutKind.Sequential)]
        public struct CreateOptions
        {
            public uint Size, Type, ReadMode, Direction, MaxInstances, DefaultTimeout;
            public long InBuffer, OutBuffer;
            public IntPtr Sddl;
            public byte First, NoWait, AcceptRemote, NoForeign;
            public uint Backlog;
            public ulong MaxMessage;
        }

        [StructLayout(LayoutKind.Sequential)]
        public struct DialOptions
        {
            public uint Size, Access, ReadMode, NoBusyWait;
            public IntPtr ExpectOwner;
            public ulong MaxMessage;
        }

        [StructLayout(LayoutKind.Sequential)]
        public struct Peer
        {
            public uint Size, GroupCount;
            public long Pid, Session, Uid, Gid;
            [MarshalAs(UnmanagedType.ByValArray, SizeConst = 192)] public byte[] Sid;
            [MarshalAs(UnmanagedType.ByValArray, SizeConst = 256)] public byte[] User;
        }

        // Sizes are UIntPtr, as size_t is; buffers are addresses of what is pinned until the operation is done.
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate uint AbiFunction();
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate UIntPtr CountFunction();
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate UIntPtr DetailFunction(byte[] buffer, UIntPtr size);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate int HandleFunction(ulong handle);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate int ListenFunction(byte[] name, ref CreateOptions options, out ulong listener);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate int AcceptFunction(ulong listener, long timeout, out ulong instance);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate int DialFunction(byte[] name, ref DialOptions options, long timeout, out ulong client);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate int WaitFunction(byte[] name, long timeout);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate int WriteFunction(ulong end, byte[] data, UIntPtr size, out UIntPtr length, long timeout);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate int PeerFunction(ulong end, ref Peer peer);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate void DoneCallback(IntPtr context, int error, UIntPtr length);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate int TransferFunction(ulong end, IntPtr buffer, UIntPtr size, DoneCallback done, IntPtr context, out ulong operation, out UIntPtr length);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate int TransactFunction(ulong end, IntPtr request, UIntPtr requestSize, IntPtr reply, UIntPtr replySize, DoneCallback done, IntPtr context, out ulong operation, out UIntPtr length);
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)] public delegate int FlushFunction(ulong end, DoneCallback done, IntPtr context, out ulong operation);

        public static readonly HandleFunction Close, Disconnect, Cancel;
        public static readonly CountFunction OpenHandles;
        public static readonly ListenFunction Listen;
        public static readonly AcceptFunction Accept;
        public static readonly DialFunction Dial;
        public static readonly WaitFunction Wait;
        public static readonly WriteFunction Write;
        public static readonly PeerFunction GetPeer;
        public static readonly TransferFunction ReadStart, WriteStart;
        public static readonly TransactFunction TransactStart;
        public static readonly FlushFunction FlushStart;
        static readonly DetailFunction lastDetail;

        static Api()
        {
            IntPtr library = Library.Load();
            uint abi = Library.Function<AbiFunction>(library, "anypipe_abi")();
            if (abi >> 16 != AbiMajor)
                throw new DllNotFoundException("libanypipe has interface " + (abi >> 16) + ", this program needs " + AbiMajor);
            Close = Library.Function<HandleFunction>(library, "anypipe_close");
            Disconnect = Library.Function<HandleFunction>(library, "anypipe_disconnect");
            Cancel = Library.Function<HandleFunction>(library, "anypipe_cancel");
            OpenHandles = Library.Function<CountFunction>(library, "anypipe_open_handles");
            Listen = Library.Function<ListenFunction>(library, "anypipe_listen");
            Accept = Library.Function<AcceptFunction>(library, "anypipe_accept");
            Dial = Library.Function<DialFunction>(library, "anypipe_dial");
            Wait = Library.Function<WaitFunction>(library, "anypipe_wait");
            Write = Library.Function<WriteFunction>(library, "anypipe_write");
            GetPeer = Library.Function<PeerFunction>(library, "anypipe_get_peer");
            ReadStart = Library.Function<TransferFunction>(library, "anypipe_read_start");
            WriteStart = Library.Function<TransferFunction>(library, "anypipe_write_start");
            TransactStart = Library.Function<TransactFunction>(library, "anypipe_transact_start");
            FlushStart = Library.Function<FlushFunction>(library, "anypipe_flush_start");
            lastDetail = Library.Function<DetailFunction>(library, "anypipe_last_detail");
        }

        /// <summary>The exception for a call that failed on this thread just now; it tells the library's detail.</summary>
        public static PipeException Failure(int error, string doing)
        {
            var text = new byte[512];
            int length = (int)Math.Min((ulong)lastDetail(text, (UIntPtr)text.Length), (ulong)text.Length - 1);
            string detail = Encoding.UTF8.GetString(text, 0, length);
            return new PipeException(error, detail.Length == 0 ? doing : doing + ": " + detail);
        }

        /// <summary>UTF-8 ended by NUL.</summary>
        public static byte[] Utf8(string text)
        {
            var bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
            Encoding.UTF8.GetBytes(text, 0, text.Length, bytes, 0);
            return bytes;
        }

        public static string Text(byte[] bytes)
        {
            int end = Array.IndexOf(bytes, (byte)0);
            return Encoding.UTF8.GetString(bytes, 0, end < 0 ? bytes.Length : end);
        }
    }

    /// <summary>A handle of the library, which closes when it is disposed, or at last when it is forgotten. The library never uses a
    /// number again, so that a call which races with the closing fails with ERROR_INVALID_HANDLE and does no harm.</summary>
    internal sealed class Handle : SafeHandle
    {
        public readonly ulong Number; // 64 bits also where an IntPtr has 32

        public Handle(ulong number) : base(IntPtr.Zero, true)
        {
            Number = number;
            SetHandle((IntPtr)1);
        }

        public override bool IsInvalid { get { return handle == IntPtr.Zero; } }

        protected override bool ReleaseHandle() { return Api.Close(Number) == Api.Ok; }
    }
}
