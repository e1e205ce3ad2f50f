using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.IO.Pipes;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Win32.SafeHandles;

namespace AsyncPipe.Windows
{
    /// <summary>Keeps instances LISTENING and hands out those to which a client came. Its Dispose closes all its instances.</summary>
    internal sealed class Listener : IPipeListener
    {
        const int Retry = 50; // milliseconds until another look, while servers of other processes have all instances

        readonly string path;
        readonly PipeServerOptions options;
        readonly int backlog;
        readonly SemaphoreSlim free; // instances that this process may still have LISTENING
        readonly ConcurrentQueue<NamedPipeServerStream> returned = new ConcurrentQueue<NamedPipeServerStream>(); // to be used again
        readonly HashSet<NamedPipeServerStream> all = new HashSet<NamedPipeServerStream>(); // guarded by itself: what is not closed
        readonly CancellationTokenSource closing = new CancellationTokenSource();
        readonly BlockingCollection<IPipeEnd> accepted = new BlockingCollection<IPipeEnd>();
        readonly Task workers; // Dispose waits for them

        public Listener(string path, PipeServerOptions options)
        {
            this.path = path;
            this.options = options;
            int limit = options.MaxInstances == 0 ? int.MaxValue : options.MaxInstances;
            backlog = Math.Min(options.Backlog <= 0 ? 8 : options.Backlog, limit);
            free = new SemaphoreSlim(limit);
            free.Wait();
            int error;
            NamedPipeServerStream first = Create(options.First, out error);
            if (first == null) throw new PipeException(error, "serve " + path);
            var each = new Task[backlog];
            each[0] = WorkAsync(first);
            for (int i = 1; i < backlog; i++) each[i] = WorkAsync(null);
            workers = Task.WhenAll(each);
        }

        public IPipeEnd Accept()
        {
            try { return accepted.Take(closing.Token); }
            catch (OperationCanceledException e) { throw new PipeException(PipeError.Aborted, "accept on " + path, e); }
        }

        public void Dispose()
        {
            closing.Cancel();
            workers.Wait();
            lock (all) foreach (NamedPipeServerStream instance in all) instance.Dispose();
        }

        /// <summary>Has one instance LISTENING whenever the limit allows it.</summary>
        async Task WorkAsync(NamedPipeServerStream instance)
        {
            try
            {
                for (;;)
                {
                    if (instance == null) instance = await CreateAsync().ConfigureAwait(false);
                    accepted.Add(await ClientOfAsync(instance).ConfigureAwait(false));
                    instance = null;
                }
            }
            catch (OperationCanceledException) { } // Dispose closes the instance
        }

        async Task<NamedPipeServerStream> CreateAsync()
        {
            await free.WaitAsync(closing.Token).ConfigureAwait(false);
            for (;;)
            {
                NamedPipeServerStream made;
                if (returned.TryDequeue(out made)) return made;
                int error;
                made = Create(false, out error);
                if (made != null) return made;
                await Task.Delay(Retry, closing.Token).ConfigureAwait(false);
            }
        }

        NamedPipeServerStream Create(bool first, out int error)
        {
            SafePipeHandle handle = Win32.Create(path, options, first, out error);
            if (handle == null) return null;
            var made = new NamedPipeServerStream(PipeDirection.InOut, true, false, handle);
            lock (all) all.Add(made);
            return made;
        }

        async Task<IPipeEnd> ClientOfAsync(NamedPipeServerStream instance)
        {
            try { await instance.WaitForConnectionAsync(closing.Token).ConfigureAwait(false); }
            catch (IOException) { return new Departed(instance, Release); } // a client came and went: what it left is still there
            // The instance has this mode since it was made; this tells the stream.
            if (options.Type == PipeType.Message) instance.ReadMode = PipeTransmissionMode.Message;
            return new End(instance, Release, options.Type);
        }

        /// <summary>Takes an instance back, for its next client if it is usable and there are not too many idle ones.</summary>
        void Release(NamedPipeServerStream instance, bool usable)
        {
            if (usable && returned.Count < backlog) returned.Enqueue(instance);
            else
            {
                instance.Dispose();
                lock (all) all.Remove(instance);
            }
            free.Release();
        }
    }

    /// <summary>The server end of a client that had gone before it was accepted. What it wrote can be read, and then it is over.</summary>
    internal sealed class Departed : IPipeEnd
    {
        readonly NamedPipeServerStream instance;
        readonly Action<NamedPipeServerStream, bool> release;

        readonly object gate = new object();
        bool closed; // guarded by gate, which every operation holds: none waits

        public Departed(NamedPipeServerStream instance, Action<NamedPipeServerStream, bool> release)
        {
            this.instance = instance;
            this.release = release;
        }

        public Task<Chunk> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancel)
        {
            var part = new byte[count];
            int length = 0, error = PipeError.Aborted;
            lock (gate) if (!closed) error = Win32.ReadLeft(instance.SafePipeHandle, part, out length);
            if (error != 0 && error != PipeError.MoreData) return Task.FromException<Chunk>(new PipeException(error, "read"));
            Buffer.BlockCopy(part, 0, buffer, offset, length);
            return Task.FromResult(new Chunk(length, error == PipeError.MoreData));
        }

        public Task WriteAsync(byte[] data, CancellationToken cancel) { return Task.FromException(new PipeException(PipeError.NoData, "write")); }

        public void Write(byte[] data, int timeout) { throw new PipeException(PipeError.NoData, "write"); }

        public Task<Chunk> TransactAsync(byte[] request, byte[] buffer, CancellationToken cancel)
        {
            return Task.FromException<Chunk>(new PipeException(PipeError.BadPipe, "transact"));
        }

        public Task FlushAsync(CancellationToken cancel) { return Task.CompletedTask; }

        public void Disconnect() { } // closing the end is the same for a client that is gone

        public PipePeer Peer()
        {
            lock (gate)
            {
                if (closed) throw new PipeException(PipeError.Aborted, "ask who is at the other end");
                return new PipePeer { ProcessId = Win32.ClientProcessId(instance.SafePipeHandle), SessionId = Win32.ClientSessionId(instance.SafePipeHandle) };
            }
        }

        public void Dispose()
        {
            bool usable;
            lock (gate)
            {
                if (closed) return;
                closed = true;
                // To the stream this instance is still without a client, so that it can't disconnect it.
                usable = Win32.DisconnectNamedPipe(instance.SafePipeHandle);
                if (!usable) instance.Dispose();
            }
            release(instance, usable);
        }
    }
}
