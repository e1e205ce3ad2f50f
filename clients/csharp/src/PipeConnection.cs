using System;
using System.Threading;
using System.Threading.Tasks;

namespace AsyncPipe
{
    /// <summary>One connection, at the client or at the server. Messages are either taken with ReceiveMessage and Request, or, once
    /// there is a handler for them, given to MessageReceived. All members may be used from every thread.</summary>
    /// <remarks>Handlers run in <see cref="PipeConnectionOptions.Context"/> or on the thread pool: one at a time for a connection, in
    /// the order of the messages. Reading pauses while one runs, so that a sender that is too fast waits. A handler may call
    /// everything, Dispose too. If one throws, the connection ends and Disconnected tells the exception.</remarks>
    public abstract class PipeConnection : IDisposable
    {
        readonly object gate = new object();
        // gate guards the fields below.
        MessageEventHandler received;
        EventHandler<DisconnectedEventArgs> disconnected;
        SynchronizationContext context;
        Link link;       // null until connected
        bool disposed;

        readonly PipeConnectionOptions options;

        internal PipeConnection(PipeConnectionOptions options)
        {
            this.options = options;
            context = options.Context;
        }

        /// <summary>Is raised with each message, or run of bytes, in order. Adding the first handler starts the reading; a client that
        /// never was connected connects for it, in the background.</summary>
        public event MessageEventHandler MessageReceived
        {
            add
            {
                lock (gate) { received += value; CaptureContext(); }
                OnListening();
            }
            remove { lock (gate) received -= value; }
        }

        /// <summary>Is raised once when the connection has ended, after its last message; at a client also when connecting in the
        /// background failed.</summary>
        public event EventHandler<DisconnectedEventArgs> Disconnected
        {
            add { lock (gate) { disconnected += value; CaptureContext(); } }
            remove { lock (gate) disconnected -= value; }
        }

        /// <summary>Whether the connection is there, as far as this end has noticed: only reading and writing tell.</summary>
        public bool IsConnected { get { Link now = Current; return now != null && !now.Ended; } }

        /// <summary>Who is at the other end.</summary>
        /// <exception cref="PipeException">There is no connection, or the system does not tell.</exception>
        public PipePeer Peer
        {
            get
            {
                Link now = Current;
                if (now == null) throw new PipeException(PipeError.NotConnected, "ask who is at the other end");
                return now.End.Peer();
            }
        }

        /// <summary>Sends a message, which may be empty, and waits while the other end has no room for it.</summary>
        /// <exception cref="PipeException">The connection ended (232, 233, 109) or the time was over (121).</exception>
        public void SendMessage(byte[] message)
        {
            if (message == null) throw new ArgumentNullException(nameof(message));
            Link now = Current ?? LinkAsync(CancellationToken.None).GetAwaiter().GetResult();
            now.Write(message, options.SendTimeout);
        }

        /// <summary>Sends a message. The order of calls is the order of messages. What a cancelled send had not handed over is taken
        /// back.</summary>
        public Task SendMessageAsync(byte[] message, CancellationToken cancel = default(CancellationToken))
        {
            if (message == null) throw new ArgumentNullException(nameof(message));
            Link now = Current;
            // The end is asked within this call whenever it can be, so that calls keep their order.
            if (now != null && options.SendTimeout == Timeout.Infinite) return now.WriteAsync(message, cancel);
            return SendAsync(message, cancel);
        }

        async Task SendAsync(byte[] message, CancellationToken cancel)
        {
            Link now = Current ?? await LinkAsync(cancel).ConfigureAwait(false);
            using (var limit = new TimeLimit(options.SendTimeout, cancel))
                await limit.Run(now.WriteAsync(message, limit.Token), "send").ConfigureAwait(false);
        }

        /// <summary>Waits for the next message and returns it.</summary>
        /// <exception cref="PipeException">The connection ended (109, 233) or the time was over (121).</exception>
        /// <exception cref="InvalidOperationException">MessageReceived has a handler, which gets the messages.</exception>
        public byte[] ReceiveMessage(int timeout = Timeout.Infinite)
        {
            using (var limit = new TimeLimit(timeout, CancellationToken.None))
                return limit.Run(ReceiveMessageAsync(limit.Token), "receive").GetAwaiter().GetResult();
        }

        /// <summary>Waits for the next message. A cancelled call loses nothing: the next one gets it.</summary>
        public async Task<byte[]> ReceiveMessageAsync(CancellationToken cancel = default(CancellationToken))
        {
            RequirePull();
            Link now = await LinkAsync(cancel).ConfigureAwait(false);
            try { return await now.ReadAsync(cancel).ConfigureAwait(false); }
            catch (PipeException e) { if (IsEnd(e)) End(now, e); throw; }
        }

        /// <summary>Sends a request and returns the next message: TransactNamedPipe.</summary>
        /// <exception cref="PipeException">As for sends; 231 if a message is waiting unread.</exception>
        /// <exception cref="InvalidOperationException">MessageReceived has a handler, which would get the answer.</exception>
        public byte[] Request(byte[] request, int timeout = Timeout.Infinite)
        {
            using (var limit = new TimeLimit(timeout, CancellationToken.None))
                return limit.Run(RequestAsync(request, limit.Token), "request").GetAwaiter().GetResult();
        }

        /// <summary>Sends a request and waits for the next message. After a cancelled call the request stays sent.</summary>
        public async Task<byte[]> RequestAsync(byte[] request, CancellationToken cancel = default(CancellationToken))
        {
            if (request == null) throw new ArgumentNullException(nameof(request));
            RequirePull();
            Link now = await LinkAsync(cancel).ConfigureAwait(false);
            try { return await now.TransactAsync(request, cancel).ConfigureAwait(false); }
            catch (PipeException e) { if (IsEnd(e)) End(now, e); throw; }
        }

        /// <summary>Waits until the other end has read everything that was sent: FlushFileBuffers.</summary>
        public void Flush() { FlushAsync().GetAwaiter().GetResult(); }

        /// <summary>Waits until the other end has read everything that was sent.</summary>
        public async Task FlushAsync(CancellationToken cancel = default(CancellationToken))
        {
            Link now = await LinkAsync(cancel).ConfigureAwait(false);
            await now.End.FlushAsync(cancel).ConfigureAwait(false);
        }

        /// <summary>Closes this end. All waiting calls end with ERROR_OPERATION_ABORTED; what was sent stays readable for the other
        /// end. Does not wait for handlers.</summary>
        public void Dispose()
        {
            Link now;
            lock (gate)
            {
                if (disposed) return;
                disposed = true;
                now = link;
            }
            OnDispose();
            if (now != null) End(now, null);
        }

        // ---- for the two kinds of connections ----

        internal Link Current { get { lock (gate) return link; } }

        /// <summary>The connection, made first if that is this kind's way.</summary>
        internal virtual Task<Link> LinkAsync(CancellationToken cancel)
        {
            Link now = Current;
            if (now == null) throw new PipeException(PipeError.NotConnected, "use a pipe");
            return Task.FromResult(now);
        }

        /// <summary>Takes over an end. If this object was disposed meanwhile, the end is closed.</summary>
        /// <param name="end">The end.</param>
        /// <param name="held">Whether the caller has the pump.</param>
        internal Link Attach(IPipeEnd end, bool held = false)
        {
            var made = new Link(end, options);
            if (held) made.TakePump();
            lock (gate)
            {
                if (!disposed) { link = made; return made; }
            }
            end.Dispose();
            throw new ObjectDisposedException(GetType().Name);
        }

        internal void ThrowIfDisposed()
        {
            lock (gate) if (disposed) throw new ObjectDisposedException(GetType().Name);
        }

        /// <summary>A handler for messages was added.</summary>
        internal abstract void OnListening();

        internal virtual bool Listening { get { lock (gate) return received != null; } }

        /// <summary>Gives a message to the handlers.</summary>
        internal virtual void OnMessage(MessageEventArgs args)
        {
            MessageEventHandler handlers;
            lock (gate) handlers = received;
            handlers?.Invoke(this, args);
        }

        /// <summary>Tells the handlers that the connection ended.</summary>
        internal virtual void OnEnded(DisconnectedEventArgs args)
        {
            EventHandler<DisconnectedEventArgs> handlers;
            lock (gate) handlers = disconnected;
            handlers?.Invoke(this, args);
        }

        internal virtual void OnDispose() { }

        /// <summary>Starts giving the link's messages to the handlers, unless that has begun or the link has ended.</summary>
        internal void StartPump(Link on) { if (on.TakePump()) Task.Run(() => PumpAsync(on)); }

        async Task PumpAsync(Link on)
        {
            try
            {
                for (;;)
                {
                    byte[] message = await on.ReadAsync(CancellationToken.None).ConfigureAwait(false);
                    await DeliverAsync(() => OnMessage(new MessageEventArgs(this, message))).ConfigureAwait(false);
                }
            }
            catch (Exception e) { End(on, e); }
            Tell(on.Why);
        }

        /// <summary>Ends a connection, for an error or (null) because this program wants it. Who has the pump tells the handlers, so
        /// that this comes after the last message.</summary>
        internal void End(Link on, Exception error)
        {
            bool first = on.TakeEnd(error);
            on.Close();
            if (first && on.TakePump()) Tell(on.Why);
        }

        /// <summary>Raises Disconnected without waiting for the handlers. What they throw is the program's unhandled exception.</summary>
        internal void Tell(Exception error) { Delivery.Post(Context, () => OnEnded(new DisconnectedEventArgs(this, error))); }

        /// <summary>Runs handlers where they belong and waits for them.</summary>
        internal Task DeliverAsync(Action action) { return Delivery.RunAsync(Context, action); }

        internal virtual SynchronizationContext Context { get { lock (gate) return context; } }

        void CaptureContext() { context = context ?? SynchronizationContext.Current; }

        void RequirePull()
        {
            if (Listening) throw new InvalidOperationException("MessageReceived has a handler, which gets all messages; remove it, or use no Receive and Request");
        }

        static bool IsEnd(PipeException e)
        {
            return e.NativeErrorCode == PipeError.BrokenPipe || e.NativeErrorCode == PipeError.NotConnected || e.NativeErrorCode == PipeError.NoData;
        }
    }
}
