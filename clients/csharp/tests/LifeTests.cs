using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace AsyncPipe.Tests
{
    [Tests]
    static class LifeTests
    {
        public static void CancelledReceiveLosesNothing()
        {
            using (var server = new EchoServer())
            using (var client = new NamedPipeStreamClient(server.Name))
            {
                client.Connect();
                for (int i = 1; i < 50; i++)
                {
                    var cancel = new CancellationTokenSource();
                    Task<byte[]> receive = client.ReceiveMessageAsync(cancel.Token);
                    if (i % 2 == 0) Check.True(!receive.IsCompleted, "it waits");
                    cancel.Cancel();
                    Check.Cancelled(receive);
                    client.SendMessage(new byte[i]);
                    Check.Equal(client.ReceiveMessage(Runner.Limit / 2).Length, i, "the next message");
                }
                Check.Cancelled(client.ReceiveMessageAsync(new CancellationToken(true)));
                Check.Fails(PipeError.Timeout, () => client.ReceiveMessage(20));
            }
        }

        public static void CancelledSendIsTakenBack()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name, new PipeServerOptions { InBufferSize = 10 }))
            {
                PipeServerConnection connection = null;
                server.ClientConnected += (sender, args) => Volatile.Write(ref connection, args.Connection);
                server.Start();
                using (var client = new NamedPipeStreamClient(name))
                {
                    client.SendMessage(new byte[8]);
                    var cancel = new CancellationTokenSource();
                    Task blocked = client.SendMessageAsync(new byte[20], cancel.Token);
                    Check.True(!blocked.IsCompleted, "it waits for room");
                    cancel.Cancel();
                    Check.Cancelled(blocked);
                    Task last = client.SendMessageAsync(new byte[3]);
                    Check.Until(() => Volatile.Read(ref connection) != null, "the connection");
                    Check.Equal(connection.ReceiveMessage().Length, 8, "the first");
                    Check.Equal(connection.ReceiveMessage().Length, 3, "the one after the cancelled");
                    Check.Wait(last);
                }
            }
        }

        public static void SendTimesOut()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name, new PipeServerOptions { InBufferSize = 10 }))
            {
                server.Start();
                using (var client = new NamedPipeStreamClient(name, new PipeClientOptions { SendTimeout = 30 }))
                {
                    client.SendMessage(new byte[10]);
                    Check.Fails(PipeError.Timeout, () => client.SendMessage(new byte[10]));
                    Check.True(client.IsConnected, "it is still connected");
                }
            }
        }

        public static void CancelledConnectTakesNoInstance()
        {
            using (var server = new EchoServer(new PipeServerOptions { MaxInstances = 1 }))
            {
                var first = new NamedPipeStreamClient(server.Name);
                first.Connect();
                using (var second = new NamedPipeStreamClient(server.Name))
                {
                    var cancel = new CancellationTokenSource();
                    Task waiting = second.ConnectAsync(cancel.Token);
                    Check.True(!waiting.IsCompleted, "it waits");
                    cancel.Cancel();
                    Check.Cancelled(waiting);
                    var third = new NamedPipeStreamClient(server.Name);
                    Task disposed = third.ConnectAsync();
                    third.Dispose();
                    Check.Throws<ObjectDisposedException>(() => Check.Wait(disposed));
                    first.Dispose();
                    second.Connect();
                }
            }
        }

        public static void FlushWaitsForTheReader()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name))
            {
                var connection = new TaskCompletionSource<PipeServerConnection>();
                server.ClientConnected += (sender, args) => connection.SetResult(args.Connection);
                server.Start();
                using (var client = new NamedPipeStreamClient(name))
                {
                    client.SendMessage(new byte[5]);
                    var cancel = new CancellationTokenSource();
                    Task given = client.FlushAsync(cancel.Token);
                    Task flush = client.FlushAsync();
                    cancel.Cancel();
                    Check.Cancelled(given);
                    Check.True(!flush.IsCompleted, "it waits while nobody has read");
                    Check.Equal(Check.Wait(connection.Task).ReceiveMessage().Length, 5, "the message");
                    Check.Wait(flush);
                }
            }
        }

        public static void EventsComeInOrder()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name))
            {
                var log = new BlockingCollection<string>();
                server.ClientConnected += (sender, args) => log.Add("connected");
                server.MessageReceived += (sender, args) => log.Add(args.Message.Length + (ReferenceEquals(sender, server) ? "" : "?"));
                server.ClientDisconnected += (sender, args) => log.Add("ended " + ((PipeException)args.Error).NativeErrorCode);
                server.Start();
                for (int i = 0; i < 20; i++)
                {
                    using (var client = new NamedPipeStreamClient(name))
                        for (int n = 0; n < 5; n++) client.SendMessage(new byte[n]);
                    string all = string.Join(" ", Enumerable.Range(0, 7).Select(n => MessageTests.Take(log)));
                    Check.Equal(all, "connected 0 1 2 3 4 ended 109", "the events");
                }
                Check.Until(() => server.Connections.Count == 0, "no connection");
            }
        }

        public static void ContextGetsTheEvents()
        {
            foreach (bool captured in new[] { true, false })
                using (var context = new OneThread())
                using (var server = new EchoServer())
                {
                    var threads = new BlockingCollection<int>();
                    var client = new NamedPipeStreamClient(server.Name, new PipeClientOptions { Context = captured ? null : context });
                    Action subscribe = () =>
                    {
                        client.MessageReceived += (sender, args) => threads.Add(Thread.CurrentThread.ManagedThreadId);
                        client.Disconnected += (sender, args) => threads.Add(-Thread.CurrentThread.ManagedThreadId);
                    };
                    if (captured) context.Run(subscribe); else subscribe();
                    client.SendMessage(new byte[1]);
                    client.SendMessage(new byte[2]);
                    Check.Equal(MessageTests.Take(threads), context.Id, "the thread of a message");
                    Check.Equal(MessageTests.Take(threads), context.Id, "the thread of the next");
                    client.Dispose();
                    Check.Equal(MessageTests.Take(threads), -context.Id, "the thread of the end");
                }
        }

        public static void HandlersExceptionEndsTheConnection()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name))
            {
                var told = new TaskCompletionSource<Exception>();
                server.MessageReceived += (sender, args) => { throw new FormatException("a handler's"); };
                server.ClientDisconnected += (sender, args) => told.SetResult(args.Error);
                server.Start();
                using (var client = new NamedPipeStreamClient(name))
                {
                    client.SendMessage(new byte[1]);
                    Check.True(Check.Wait(told.Task) is FormatException, "the handler's exception is told");
                    Check.Fails(PipeError.BrokenPipe, () => client.ReceiveMessage(Runner.Limit / 2));
                }
            }
        }

        public static void HandlersMayDispose()
        {
            string name = Check.NewName();
            for (int i = 0; i < 20; i++)
            {
                var server = new NamedPipeStreamServer(name);
                var client = new NamedPipeStreamClient(name);
                var done = new CountdownEvent(2);
                server.MessageReceived += (sender, args) => { args.Connection.SendMessage(args.Message); server.Dispose(); done.Signal(); };
                client.MessageReceived += (sender, args) => { client.Dispose(); done.Signal(); };
                server.Start();
                client.SendMessage(new byte[3]);
                Check.True(done.Wait(Runner.Limit / 2), "both handlers ran to their end");
            }
        }

        public static void DisposeEndsWhatWaits()
        {
            using (var server = new EchoServer(new PipeServerOptions { MaxInstances = 3 }))
            {
                var client = new NamedPipeStreamClient(server.Name);
                client.Connect();
                Task<byte[]> receive = client.ReceiveMessageAsync();
                Task<byte[]> behind = client.ReceiveMessageAsync();
                client.Dispose();
                client.Dispose();
                Check.Fails(PipeError.Aborted, receive);
                Check.Fails(PipeError.Aborted, behind);
                Check.Fails(PipeError.Aborted, () => client.SendMessage(new byte[1]));
                Check.Throws<ObjectDisposedException>(() => client.Connect());
            }
        }

        public static void DisposeRaces()
        {
            for (int i = 0; i < 100; i++)
            {
                var server = new EchoServer();
                var client = new NamedPipeStreamClient(server.Name);
                if (i % 3 == 0) client.MessageReceived += (sender, args) => { };
                if (i % 2 == 0) client.Connect();
                var go = new ManualResetEventSlim();
                var all = new List<Task>
                {
                    Task.Run(() => { go.Wait(); for (int n = 0; n < 20; n++) client.SendMessage(new byte[n * 100]); }),
                    Task.Run(() => { go.Wait(); for (int n = 0; n < 20; n++) client.ReceiveMessage(Runner.Limit / 2); }),
                    Task.Run(() => { go.Wait(); server.Server.Broadcast(new byte[10]); }),
                    Task.Run(() => { go.Wait(); Thread.SpinWait(i * 50); if (i % 4 < 2) client.Dispose(); else server.Dispose(); })
                };
                go.Set();
                foreach (Task task in all)
                {
                    try { Check.Wait(task); }
                    catch (PipeException) { }
                    catch (ObjectDisposedException) { }
                    catch (InvalidOperationException) { } // events and calls don't mix
                }
                client.Dispose();
                server.Dispose();
            }
        }

        /// <summary>Buffers must stay where they are, and callbacks alive, while the collector works: when a read waits, when the server
        /// reads, and when it has answered, so that the read ends. Each collection is one step of who asks for it, as a thread that did
        /// nothing but collect would let no other run.</summary>
        public static void CollectionsDuringOperations()
        {
            using (var server = new EchoServer())
            using (var client = new NamedPipeStreamClient(server.Name))
            {
                int before = GC.CollectionCount(GC.MaxGeneration);
                server.Server.MessageReceived += (sender, args) => GC.Collect(); // behind the handler that answers
                for (int i = 0; i < 300; i++)
                {
                    int length = i * 131 % 9000;
                    Task<byte[]> receive = client.ReceiveMessageAsync();
                    GC.Collect();
                    Task send = client.SendMessageAsync(Check.Pattern(length));
                    GC.Collect();
                    Check.Same(Check.Wait(receive), Check.Pattern(length), "message " + i);
                    Check.Wait(send);
                }
                Check.True(GC.CollectionCount(GC.MaxGeneration) - before >= 600, "it collected at each of its steps");
            }
        }

        /// <summary>.NET for Linux stops threads by a signal. It may meet a thread in the library's code, whose stacks are small; here it
        /// comes many times in each request. Elsewhere these are just requests.</summary>
        public static void CollectorsSignalDuringCalls()
        {
            const int signal = 34, all = 3000; // the first real-time signal
            int answered = 0;
            var thread = new TaskCompletionSource<IntPtr>();
            var lastWasSent = new ManualResetEventSlim();
            using (var server = new EchoServer())
            using (var client = new NamedPipeStreamClient(server.Name))
            {
                Task caller = Task.Factory.StartNew(() =>
                {
                    thread.SetResult(Runner.OnDotNetForLinux ? pthread_self() : IntPtr.Zero);
                    try
                    {
                        for (int i = 0; i < all; i++, Volatile.Write(ref answered, i))
                            Check.Equal(client.Request(new byte[i]).Length, i, "the answer");
                    }
                    finally { Volatile.Write(ref answered, all); }
                    lastWasSent.Wait(); // signals go to living threads only
                }, TaskCreationOptions.LongRunning);
                IntPtr target = Check.Wait(thread.Task);
                for (int before = 0; Runner.OnDotNetForLinux && before < all; before = Volatile.Read(ref answered))
                {
                    for (int sent = 0; sent < 20 && Volatile.Read(ref answered) == before; sent++)
                    {
                        Check.Equal(pthread_kill(target, signal), 0, "pthread_kill");
                        Thread.SpinWait(500);
                    }
                    while (Volatile.Read(ref answered) == before) Thread.Yield(); // signals alone must not keep it from getting on
                }
                lastWasSent.Set();
                Check.Wait(caller);
            }
        }

        [DllImport("libc")] static extern IntPtr pthread_self();
        [DllImport("libc")] static extern int pthread_kill(IntPtr thread, int signal);

        public static void NameIsFreeAfterDispose()
        {
            string name = Check.NewName();
            for (int i = 0; i < 20; i++)
                using (var server = new NamedPipeStreamServer(name, new PipeServerOptions { First = true, MaxInstances = 1 + i % 3 }))
                {
                    server.MessageReceived += (sender, args) => args.Connection.SendMessage(args.Message);
                    server.Start();
                    Check.Equal(NamedPipeStreamClient.Call(name, new byte[i], Runner.Limit / 2).Length, i, "the answer");
                }
        }
    }

    /// <summary>A context with one thread, as a program with windows has.</summary>
    sealed class OneThread : SynchronizationContext, IDisposable
    {
        readonly BlockingCollection<Action> work = new BlockingCollection<Action>();
        readonly Thread thread;

        public OneThread()
        {
            thread = new Thread(() =>
            {
                SetSynchronizationContext(this);
                foreach (Action action in work.GetConsumingEnumerable()) action();
            });
            thread.Start();
        }

        public int Id { get { return thread.ManagedThreadId; } }

        public override void Post(SendOrPostCallback callback, object state) { work.Add(() => callback(state)); }

        public void Run(Action action)
        {
            var done = new ManualResetEventSlim();
            Post(state => { action(); done.Set(); }, null);
            done.Wait();
        }

        public void Dispose() { work.CompleteAdding(); thread.Join(); }
    }
}
