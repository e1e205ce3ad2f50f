using System;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using Microsoft.Win32.SafeHandles;

namespace AsyncPipe.Windows
{
    /// <summary>What System.IO.Pipes leaves out: exact errors when opening (it waits for pipes that don't exist and tells only
    /// that the time was over), descriptors, instances that refuse other machines, why a connection ended, and empty messages.</summary>
    internal static class Win32
    {
        const uint GenericRead = 0x80000000, GenericWrite = 0x40000000, OpenExisting = 3, Overlapped = 0x40000000;
        const uint SqosPresent = 0x00100000, Identification = 0x00010000; // a server may know who we are, not act as us
        const uint Duplex = 3, FirstInstance = 0x00080000, TypeMessage = 4, ReadMessage = 2, RejectRemote = 8;
        const int IoPending = 997;

        /// <summary>The owner, the system and the administrators: what the other systems have, too.</summary>
        const string OwnerOnly = "D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)";

        /// <summary>Opens a pipe. Returns null and the error if that failed.</summary>
        public static SafePipeHandle Open(string path, out int error)
        {
            SafePipeHandle handle = CreateFile(path, GenericRead | GenericWrite, 0, IntPtr.Zero, OpenExisting,
                Overlapped | SqosPresent | Identification, IntPtr.Zero);
            error = Marshal.GetLastWin32Error();
            if (!handle.IsInvalid) return handle;
            handle.Dispose();
            return null;
        }

        /// <summary>WaitNamedPipe for at least a millisecond, as 0 means the pipe's own default. Returns 0 or the error.</summary>
        public static int Wait(string path, int timeout)
        {
            return WaitNamedPipe(path, (uint)Math.Max(1, timeout)) ? 0 : Marshal.GetLastWin32Error();
        }

        /// <summary>Makes an instance. Returns null and the error if that failed.</summary>
        public static SafePipeHandle Create(string path, PipeServerOptions options, bool first, out int error)
        {
            IntPtr descriptor;
            if (!ConvertStringSecurityDescriptorToSecurityDescriptor(options.Sddl ?? OwnerOnly, 1, out descriptor, IntPtr.Zero))
            {
                error = Marshal.GetLastWin32Error();
                return null;
            }
            try
            {
                var attributes = new SecurityAttributes { Length = Marshal.SizeOf<SecurityAttributes>(), Descriptor = descriptor };
                uint mode = options.Type == PipeType.Message ? TypeMessage | ReadMessage : 0;
                if (!options.AcceptRemote) mode |= RejectRemote;
                uint instances = options.MaxInstances == 0 ? 255 : (uint)options.MaxInstances;
                SafePipeHandle handle = CreateNamedPipe(path, Duplex | Overlapped | (first ? FirstInstance : 0), mode, instances,
                    (uint)options.OutBufferSize, (uint)options.InBufferSize, 0, ref attributes);
                error = Marshal.GetLastWin32Error();
                if (!handle.IsInvalid) return handle;
                handle.Dispose();
                return null;
            }
            finally { LocalFree(descriptor); }
        }

        /// <summary>PeekNamedPipe: returns 0 and how much can be read, or the error that tells the connection's state.</summary>
        public static int Peek(SafePipeHandle handle, out uint available)
        {
            uint read, left;
            return PeekNamedPipe(handle, IntPtr.Zero, 0, out read, out available, out left) ? 0 : Marshal.GetLastWin32Error();
        }

        /// <summary>Writes an empty message, which some versions of System.IO.Pipes leave out. It never waits for room.</summary>
        public static int WriteEmpty(SafePipeHandle handle)
        {
            return RunOverlapped(handle, overlapped => WriteFile(handle, new byte[1], 0, IntPtr.Zero, overlapped));
        }

        /// <summary>Reads into a buffer what a client that is gone has left, so without waiting. Returns 0, 234 or the error.</summary>
        public static int ReadLeft(SafePipeHandle handle, byte[] buffer, out int length)
        {
            GCHandle pinned = GCHandle.Alloc(buffer, GCHandleType.Pinned);
            try
            {
                uint count = 0;
                int error = RunOverlapped(handle,
                    overlapped => ReadFile(handle, pinned.AddrOfPinnedObject(), (uint)buffer.Length, IntPtr.Zero, overlapped), n => count = n);
                length = (int)count;
                return error;
            }
            finally { pinned.Free(); }
        }

        public static long ClientProcessId(SafePipeHandle handle) { uint id; return GetNamedPipeClientProcessId(handle, out id) ? id : 0; }
        public static long ServerProcessId(SafePipeHandle handle) { uint id; return GetNamedPipeServerProcessId(handle, out id) ? id : 0; }
        public static long ClientSessionId(SafePipeHandle handle) { uint id; return GetNamedPipeClientSessionId(handle, out id) ? id : 0; }
        public static long ServerSessionId(SafePipeHandle handle) { uint id; return GetNamedPipeServerSessionId(handle, out id) ? id : 0; }

        /// <summary>Runs one operation and waits for it. The lowest bit of the event keeps its end from the completion port, which
        /// belongs to System.IO.Pipes.</summary>
        static int RunOverlapped(SafePipeHandle handle, Func<IntPtr, bool> start, Action<uint> counted = null)
        {
            using (var done = new ManualResetEvent(false))
            {
                IntPtr overlapped = Marshal.AllocHGlobal(Marshal.SizeOf<NativeOverlapped>());
                try
                {
                    var zero = new NativeOverlapped { EventHandle = (IntPtr)(done.SafeWaitHandle.DangerousGetHandle().ToInt64() | 1) };
                    Marshal.StructureToPtr(zero, overlapped, false);
                    if (!start(overlapped))
                    {
                        int error = Marshal.GetLastWin32Error();
                        if (error != IoPending && error != PipeError.MoreData) return error;
                    }
                    uint count;
                    int result = GetOverlappedResult(handle, overlapped, out count, true) ? 0 : Marshal.GetLastWin32Error();
                    counted?.Invoke(count);
                    return result;
                }
                finally { Marshal.FreeHGlobal(overlapped); }
            }
        }

        [StructLayout(LayoutKind.Sequential)]
        struct SecurityAttributes
        {
            public int Length;
            public IntPtr Descriptor;
            public int InheritHandle;
        }

        const string Kernel = "kernel32.dll";

        [DllImport(Kernel, EntryPoint = "CreateFileW", CharSet = CharSet.Unicode, SetLastError = true)]
        static extern SafePipeHandle CreateFile(string name, uint access, uint share, IntPtr security, uint disposition, uint flags, IntPtr template);

        [DllImport(Kernel, EntryPoint = "CreateNamedPipeW", CharSet = CharSet.Unicode, SetLastError = true)]
        static extern SafePipeHandle CreateNamedPipe(string name, uint open, uint mode, uint instances, uint outSize, uint inSize, uint timeout, ref SecurityAttributes security);

        [DllImport(Kernel, EntryPoint = "WaitNamedPipeW", CharSet = CharSet.Unicode, SetLastError = true)]
        static extern bool WaitNamedPipe(string name, uint timeout);

        [DllImport(Kernel, SetLastError = true)]
        static extern bool PeekNamedPipe(SafePipeHandle handle, IntPtr buffer, uint size, out uint read, out uint available, out uint left);

        [DllImport(Kernel, SetLastError = true)]
        static extern bool WriteFile(SafePipeHandle handle, byte[] buffer, uint size, IntPtr written, IntPtr overlapped);

        [DllImport(Kernel, SetLastError = true)]
        static extern bool ReadFile(SafePipeHandle handle, IntPtr buffer, uint size, IntPtr read, IntPtr overlapped);

        [DllImport(Kernel, SetLastError = true)]
        static extern bool GetOverlappedResult(SafePipeHandle handle, IntPtr overlapped, out uint count, bool wait);

        [DllImport(Kernel)] static extern bool GetNamedPipeClientProcessId(SafePipeHandle handle, out uint id);
        [DllImport(Kernel)] static extern bool GetNamedPipeServerProcessId(SafePipeHandle handle, out uint id);
        [DllImport(Kernel)] static extern bool GetNamedPipeClientSessionId(SafePipeHandle handle, out uint id);
        [DllImport(Kernel)] static extern bool GetNamedPipeServerSessionId(SafePipeHandle handle, out uint id);

        /// <summary>DisconnectNamedPipe.</summary>
        [DllImport(Kernel, SetLastError = true)] public static extern bool DisconnectNamedPipe(SafePipeHandle handle);

        [DllImport(Kernel)] static extern IntPtr LocalFree(IntPtr memory);

        [DllImport("advapi32.dll", EntryPoint = "ConvertStringSecurityDescriptorToSecurityDescriptorW", CharSet = CharSet.Unicode, SetLastError = true)]
        static extern bool ConvertStringSecurityDescriptorToSecurityDescriptor(string text, uint revision, out IntPtr descriptor, IntPtr size);
    }
}
