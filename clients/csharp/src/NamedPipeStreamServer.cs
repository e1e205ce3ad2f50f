using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace AsyncPipe
{
    /// <summary>The server of a named pipe, for many clients.</summary>
    /// <example><code>
    /// using (var server = new NamedPipeStreamServer("TestC"))
    /// {
    ///     server.MessageReceived += (sender, args) => args.Connection.SendMessage(args.Message);
    ///     server.Start();
    ///     Console.ReadLine();
    /// }
    /// </code></example>
    /// <remarks>Handlers run in <see cref="PipeConnectionOptions.Context"/> or on the thread pool. For each client they run one at a
    /// time and in order: ClientConnected, its messages, ClientDisconnected. Different clients' handlers run at the same time,
    /// unless a context keeps them apart.</remarks>
    public sealed class NamedPipeStreamServer : IDisposable
    {
        readonly string path;
        readonly PipeServerOptions options;

        readonly object gate = new object();
        // gate guards the fields below.
        MessageEventHandler received;
        EventHandler<ClientEventArgs> connected;
        EventHandler<DisconnectedEventArgs> disconnected;
        SynchronizationContext context;
        readonly HashSet<PipeServerConnection> connections = new HashSet<PipeServerConnection>();
        IPipeListener listener; // null until Start
        bool disposed;

        Thread acceptor; // started by Start, joined by Dispose

        /// <summary>Makes a server of a message pipe for this user, with unlimited instances. It does not start yet.</summary>
        /// <param name="pipeName">The name, such as "TestC" or "\\.\pipe\TestC".</param>
        public NamedPipeStreamServer(string pipeName) : this(pipeName, null) { }

        /// <summary>Makes a server.</summary>
        /// <param name="pipeName">The name, such as "TestC".</param>
        /// <param name="options">How to make the pipe, or null; later changes of the object don't count.</param>
        public NamedPipeStreamServer(string pipeName, PipeServerOptions options)
        {
            path = Backend.FullName(".", pipeName);
            this.options = options == null ? new PipeServerOptions() : options.Copy();
            context = this.options.Context;
        }

        /// <summary>Is raised with each message of each client. Without a handler here, a handler of ClientConnected takes messages from
        /// its connection.</summary>
        public event MessageEventHandler MessageReceived
        {
            add { lock (gate) { received += value; CaptureContext(); } }
            remove { lock (gate) received -= value; }
        }

        /// <summary>Is raised when a client came, before its first message.</summary>
        public event EventHandler<ClientEventArgs> ClientConnected
        {
            add { lock (gate) { connected += value; CaptureContext(); } }
            remove { lock (gate) connected -= value; }
        }

        /// <summary>Is raised when a client's connection has ended, after its last message.</summary>
        public event EventHandler<DisconnectedEventArgs> ClientDisconnected
        {
            add { lock (gate) { disconnected += value; CaptureContext(); } }
            remove { lock (gate) disconnected -= value; }
        }

        /// <summary>Is raised, on a thread of the server's, when the system stopped it from accepting clients.</summary>
        public event ErrorEventHandler Failed;

        /// <summary>The connections at this moment.</summary>
        public IReadOnlyList<PipeServerConnection> Connections
        {
            get { lock (gate) return new List<PipeServerConnection>(connections); }
        }

        /// <summary>Makes the pipe. When it returns, clients can open it.</summary>
        /// <exception cref="PipeException">5 if the name belongs to another user or should be the first, 231 if other servers of the
        /// name have all its instances, 87, 123.</exception>
        public void Start()
        {
            lock (gate)
            {
                if (disposed) throw new ObjectDisposedException(GetType().Name);
                if (listener != null) throw new InvalidOperationException("the server was started already");
                listener = Backend.Current.Listen(path, options);
                acceptor = new Thread(Accept) { IsBackground = true, Name = "AsyncPipe " + path };
                acceptor.Start();
            }
        }

        /// <summary>Sends a message to all clients at once, and waits until all have room for it or failed.</summary>
        /// <returns>How many clients it was sent to.</returns>
        public int Broadcast(byte[] message) { return BroadcastAsync(message).GetAwaiter().GetResult(); }

        /// <summary>Sends a message to all clients at once. A client that is gone is no error.</summary>
        /// <returns>How many clients it was sent to.</returns>
        public async Task<int> BroadcastAsync(byte[] message, CancellationToken cancel = default(CancellationToken))
        {
            if (message == null) throw new ArgumentNullException(nameof(message));
            var sends = new List<Task>();
            foreach (PipeServerConnection connection in Connections) sends.Add(connection.SendMessageAsync(message, cancel));
            int sent = 0;
            foreach (Task send in sends)
            {
                try { await send.ConfigureAwait(false); sent++; }
                catch (PipeException) { } // its own ClientDisconnected tells
            }
            return sent;
        }

        /// <summary>Ends the pipe and all connections. Does not wait for handlers.</summary>
        public void Dispose()
        {
            IPipeListener ending;
            lock (gate)
            {
                if (disposed) return;
                disposed = true;
                ending = listener;
            }
            if (ending != null)
            {
                ending.Dispose();
                acceptor.Join();
            }
            foreach (PipeServerConnection connection in Connections) connection.Dispose();
        }

        void Accept()
        {
            try
            {
                for (;;)
                {
                    IPipeEnd end = listener.Accept();
                    var connection = new PipeServerConnection(this, options);
                    lock (gate) connections.Add(connection);
                    // When the server is disposed now, its Dispose waits for this thread and then ends this connection too.
                    connection.Begin(end);
                }
            }
            catch (PipeException e)
            {
                bool wanted;
                lock (gate) wanted = disposed;
                if (!wanted) Failed?.Invoke(this, new ErrorEventArgs(e));
            }
        }

        void CaptureContext() { context = context ?? SynchronizationContext.Current; }

        // ---- for connections ----

        internal SynchronizationContext Context { get { lock (gate) return context; } }

        internal bool Listening { get { lock (gate) return received != null; } }

        internal void OnMessage(MessageEventArgs args)
        {
            MessageEventHandler handlers;
            lock (gate) handlers = received;
            handlers?.Invoke(this, args);
        }

        internal void OnConnected(PipeServerConnection connection)
        {
            EventHandler<ClientEventArgs> handlers;
            lock (gate) handlers = connected;
            handlers?.Invoke(this, new ClientEventArgs(connection));
        }

        internal void OnEnded(PipeServerConnection connection, DisconnectedEventArgs args)
        {
            EventHandler<DisconnectedEventArgs> handlers;
            lock (gate)
            {
                connections.Remove(connection);
                handlers = disconnected;
            }
            handlers?.Invoke(this, args);
        }
    }

    /// <summary>A server's connection to one client.</summary>
    public sealed class PipeServerConnection : PipeConnection
    {
        readonly NamedPipeStreamServer server;

        internal PipeServerConnection(NamedPipeStreamServer server, PipeServerOptions options) : base(options) { this.server = server; }

        /// <summary>DisconnectNamedPipe: ends the connection at once. What is unread, both ways, is gone, and the client gets
        /// ERROR_PIPE_NOT_CONNECTED; call Flush before it to lose nothing.</summary>
        public void Disconnect()
        {
            Link now = Current;
            if (now == null || now.Ended) return;
            now.End.Disconnect();
            End(now, null);
        }

        /// <summary>Greets the client, and then gives its messages to handlers if there are any.</summary>
        internal void Begin(IPipeEnd end)
        {
            Link made;
            try { made = Attach(end, held: true); }
            catch (ObjectDisposedException) { return; }
            Task.Run(() => GreetAsync(made));
        }

        async Task GreetAsync(Link on)
        {
            try { await DeliverAsync(() => server.OnConnected(this)).ConfigureAwait(false); }
            catch (Exception e) { End(on, e); }
            on.ReturnPump();
            if (!on.Ended) { if (Listening) StartPump(on); }
            else if (on.TakePump()) Tell(on.Why);
        }

        internal override SynchronizationContext Context { get { return base.Context ?? server.Context; } }

        internal override bool Listening { get { return base.Listening || server.Listening; } }

        internal override void OnListening()
        {
            Link now = Current;
            if (now != null) StartPump(now);
        }

        internal override void OnMessage(MessageEventArgs args)
        {
            base.OnMessage(args);
            server.OnMessage(args);
        }

        internal override void OnEnded(DisconnectedEventArgs args)
        {
            base.OnEnded(args);
            server.OnEnded(this, args);
        }
    }
}
