using System;
using System.Threading;
using System.Threading.Tasks;

namespace AsyncPipe
{
    /// <summary>The client end of a named pipe.</summary>
    /// <example><code>
    /// var client = new NamedPipeStreamClient("TestC");
    /// client.MessageReceived += (sender, args) => Console.WriteLine(Encoding.UTF8.GetString(args.Message));
    /// client.SendMessage(Encoding.UTF8.GetBytes("hello"));
    /// </code></example>
    /// <remarks>It connects when it is first used: in Connect, in the first send, receive or request, or in the background once
    /// MessageReceived has a handler. After the connection ended only Connect makes a new one.</remarks>
    public sealed class NamedPipeStreamClient : PipeConnection
    {
        readonly string path;
        readonly PipeClientOptions options;
        readonly CancellationTokenSource disposing = new CancellationTokenSource();

        readonly SemaphoreSlim turn = new SemaphoreSlim(1, 1); // who has it is the only one that connects
        int background; // atomic: 1 while an attempt for MessageReceived is under way

        /// <summary>Makes a client of a message pipe of this machine. It does not connect yet.</summary>
        /// <param name="pipeName">The name, such as "TestC" or "\\.\pipe\TestC".</param>
        public NamedPipeStreamClient(string pipeName) : this(pipeName, ".", null) { }

        /// <summary>Makes a client of a message pipe of a server.</summary>
        /// <param name="pipeName">The name, such as "TestC".</param>
        /// <param name="serverName">The machine, "." for this one.</param>
        public NamedPipeStreamClient(string pipeName, string serverName) : this(pipeName, serverName, null) { }

        /// <summary>Makes a client of a pipe of this machine.</summary>
        /// <param name="pipeName">The name, such as "TestC".</param>
        /// <param name="options">How to connect; later changes of the object don't count.</param>
        public NamedPipeStreamClient(string pipeName, PipeClientOptions options) : this(pipeName, ".", options) { }

        /// <summary>Makes a client.</summary>
        /// <param name="pipeName">The name, such as "TestC".</param>
        /// <param name="serverName">The machine, "." for this one.</param>
        /// <param name="options">How to connect, or null; later changes of the object don't count.</param>
        public NamedPipeStreamClient(string pipeName, string serverName, PipeClientOptions options)
            : this(Backend.FullName(serverName, pipeName), options == null ? new PipeClientOptions() : options.Copy(), true) { }

        NamedPipeStreamClient(string path, PipeClientOptions options, bool copied) : base(options)
        {
            this.path = path;
            this.options = options;
        }

        /// <summary>Opens the pipe, waiting while every instance is taken. Does nothing if it is connected.</summary>
        /// <exception cref="PipeException">2 if there is no such pipe, 231 or 121 if it is busy, 5, 87, 123.</exception>
        public void Connect() { ConnectAsync().GetAwaiter().GetResult(); }

        /// <summary>Opens the pipe. A cancelled wait takes no instance.</summary>
        public async Task ConnectAsync(CancellationToken cancel = default(CancellationToken))
        {
            await StartAsync(again: true, cancel: cancel).ConfigureAwait(false);
        }

        /// <summary>WaitNamedPipe: waits until an instance of a pipe is free. It reserves nothing.</summary>
        /// <param name="pipeName">The name, such as "TestC".</param>
        /// <param name="timeout">In milliseconds; Timeout.Infinite waits without limit.</param>
        /// <exception cref="PipeException">2 if there is no such pipe, 121 if the time was over.</exception>
        public static void WaitForInstance(string pipeName, int timeout)
        {
            Backend.Current.Wait(Backend.FullName(".", pipeName), timeout, CancellationToken.None);
        }

        /// <summary>CallNamedPipe: opens a message pipe, sends a request, returns the answer, and closes.</summary>
        /// <param name="pipeName">The name, such as "TestC".</param>
        /// <param name="request">The request, which may be empty.</param>
        /// <param name="timeout">For each step, in milliseconds.</param>
        public static byte[] Call(string pipeName, byte[] request, int timeout = Timeout.Infinite)
        {
            using (var client = new NamedPipeStreamClient(pipeName, new PipeClientOptions { ConnectTimeout = timeout }))
                return client.Request(request, timeout);
        }

        internal override Task<Link> LinkAsync(CancellationToken cancel)
        {
            Link now = Current;
            return now != null ? Task.FromResult(now) : StartAsync(again: false, cancel: cancel);
        }

        internal override void OnListening()
        {
            Link now = Current;
            if (now != null) StartPump(now);
            else if (Interlocked.Exchange(ref background, 1) == 0) Task.Run(ConnectInBackgroundAsync);
        }

        async Task ConnectInBackgroundAsync()
        {
            try { await StartAsync(again: false, cancel: CancellationToken.None).ConfigureAwait(false); }
            catch (ObjectDisposedException) { } // nobody waits for this attempt
            catch (Exception e) { Tell(e); }
            Volatile.Write(ref background, 0);
        }

        internal override void OnDispose() { disposing.Cancel(); }

        /// <summary>Gives the connection, made first if there never was one, or again if that is wanted and it has ended.</summary>
        async Task<Link> StartAsync(bool again, CancellationToken cancel)
        {
            ThrowIfDisposed();
            await turn.WaitAsync(cancel).ConfigureAwait(false);
            try
            {
                Link now = Current;
                if (now != null && !(again && now.Ended)) return now;
                // A thread of its own, as it may wait for long, and who it waits for may need the thread pool. Nothing goes on on it:
                // it ends, and a thread's operations can end with it.
                return await Task.Factory.StartNew(() => Dial(cancel), CancellationToken.None,
                    TaskCreationOptions.LongRunning | TaskCreationOptions.RunContinuationsAsynchronously, TaskScheduler.Default).ConfigureAwait(false);
            }
            finally { turn.Release(); }
        }

        Link Dial(CancellationToken cancel)
        {
            using (var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, disposing.Token))
            {
                Link made;
                try { made = Attach(Backend.Current.Dial(path, options, both.Token)); }
                catch (OperationCanceledException) when (disposing.IsCancellationRequested)
                { throw new ObjectDisposedException(GetType().Name); }
                if (Listening) StartPump(made);
                return made;
            }
        }
    }
}
