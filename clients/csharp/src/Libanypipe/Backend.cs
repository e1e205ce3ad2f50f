using System;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace AsyncPipe.Libanypipe
{
    /// <summary>Pipes by libanypipe, everywhere but on Windows.</summary>
    internal sealed class Backend : IBackend
    {
        // The library's waits for a name can't be cancelled from outside: they are taken in slices of this many milliseconds.
        const int Slice = 100;

        /// <summary>Loads the library. A library that is missing is told as that, not as a class that could not be made.</summary>
        public Backend()
        {
            try { Api.OpenHandles(); }
            catch (TypeInitializationException e) when (e.InnerException != null) { ExceptionDispatchInfo.Capture(e.InnerException).Throw(); }
        }

        public IPipeEnd Dial(string path, PipeClientOptions options, CancellationToken cancel)
        {
            MonoExit.Prepare();
            var how = new Api.DialOptions
            {
                Size = (uint)Marshal.SizeOf<Api.DialOptions>(),
                ReadMode = options.Type == PipeType.Message ? 1u : 0u,
                NoBusyWait = options.ConnectTimeout == 0 ? 1u : 0u
            };
            byte[] name = Api.Utf8(path);
            var deadline = new Deadline(options.ConnectTimeout);
            for (;;)
            {
                cancel.ThrowIfCancellationRequested();
                ulong client;
                int error = Api.Dial(name, ref how, deadline.Next(Slice), out client);
                if (error == Api.Ok) return new End(client);
                if (error != PipeError.Timeout || deadline.Passed) throw Api.Failure(error, "open " + path);
            }
        }

        public void Wait(string path, int timeout, CancellationToken cancel)
        {
            byte[] name = Api.Utf8(path);
            var deadline = new Deadline(timeout);
            for (;;)
            {
                cancel.ThrowIfCancellationRequested();
                int error = Api.Wait(name, deadline.Next(Slice));
                if (error == Api.Ok) return;
                if (error != PipeError.Timeout || deadline.Passed) throw Api.Failure(error, "wait for " + path);
            }
        }

        public IPipeListener Listen(string path, PipeServerOptions options)
        {
            MonoExit.Prepare();
            IntPtr sddl = IntPtr.Zero;
            if (options.Sddl != null)
            {
                byte[] text = Api.Utf8(options.Sddl);
                sddl = Marshal.AllocHGlobal(text.Length);
                Marshal.Copy(text, 0, sddl, text.Length);
            }
            try
            {
                uint mode = options.Type == PipeType.Message ? 1u : 0u;
                var how = new Api.CreateOptions
                {
                    Size = (uint)Marshal.SizeOf<Api.CreateOptions>(),
                    Type = mode,
                    ReadMode = mode,
                    MaxInstances = checked((uint)options.MaxInstances),
                    InBuffer = Quota(options.InBufferSize),
                    OutBuffer = Quota(options.OutBufferSize),
                    Sddl = sddl,
                    First = (byte)(options.First ? 1 : 0),
                    AcceptRemote = (byte)(options.AcceptRemote ? 1 : 0),
                    Backlog = checked((uint)options.Backlog)
                };
                ulong listener;
                int error = Api.Listen(Api.Utf8(path), ref how, out listener);
                if (error != Api.Ok) throw Api.Failure(error, "serve " + path);
                return new Listener(listener, path);
            }
            finally { Marshal.FreeHGlobal(sddl); }
        }

        static long Quota(int size) { return size == 0 ? -1 : size; } // ANYPIPE_UNBUFFERED

        sealed class Listener : IPipeListener
        {
            readonly Handle handle;
            readonly string path;

            public Listener(ulong number, string path) { handle = new Handle(number); this.path = path; }

            public IPipeEnd Accept()
            {
                ulong instance;
                int error = Api.Accept(handle.Number, -1, out instance);
                if (error != Api.Ok) throw Api.Failure(error, "accept on " + path);
                return new End(instance);
            }

            public void Dispose() { handle.Dispose(); }
        }

        sealed class End : IPipeEnd
        {
            readonly Handle handle;

            public End(ulong number) { handle = new Handle(number); }

            public Task<Chunk> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancel)
            {
                if (cancel.IsCancellationRequested) return Task.FromCanceled<Chunk>(cancel);
                return Operation.Read(handle.Number, buffer, offset, count, cancel);
            }

            public Task WriteAsync(byte[] data, CancellationToken cancel)
            {
                if (cancel.IsCancellationRequested) return Task.FromCanceled(cancel);
                return Operation.Write(handle.Number, data, cancel);
            }

            public void Write(byte[] data, int timeout)
            {
                UIntPtr length;
                int error = Api.Write(handle.Number, data, (UIntPtr)data.Length, out length, timeout);
                if (error == Api.InvalidHandle) error = PipeError.Aborted; // it was closed just before
                if (error != Api.Ok) throw Api.Failure(error, "write");
            }

            public Task<Chunk> TransactAsync(byte[] request, byte[] buffer, CancellationToken cancel)
            {
                if (cancel.IsCancellationRequested) return Task.FromCanceled<Chunk>(cancel);
                return Operation.Transact(handle.Number, request, buffer, cancel);
            }

            public Task FlushAsync(CancellationToken cancel)
            {
                if (cancel.IsCancellationRequested) return Task.FromCanceled(cancel);
                return Operation.Flush(handle.Number, cancel);
            }

            public void Disconnect()
            {
                int error = Api.Disconnect(handle.Number);
                if (error != Api.Ok) throw Api.Failure(error, "disconnect");
            }

            public PipePeer Peer()
            {
                var peer = new Api.Peer { Size = (uint)Marshal.SizeOf<Api.Peer>(), Sid = new byte[192], User = new byte[256] };
                int error = Api.GetPeer(handle.Number, ref peer);
                if (error != Api.Ok) throw Api.Failure(error, "ask who is at the other end");
                return new PipePeer
                {
                    ProcessId = peer.Pid, SessionId = peer.Session, UserId = peer.Uid, GroupId = peer.Gid,
                    Sid = Api.Text(peer.Sid), UserName = Api.Text(peer.User)
                };
            }

            public void Dispose() { handle.Dispose(); }
        }
    }
}
