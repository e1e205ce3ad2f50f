using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace AsyncPipe.Tests
{
    [Tests]
    static class MessageTests
    {
        /// <summary>What the tutorial's client does, word for word.</summary>
        public static void TutorialsClient()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name))
            {
                var atServer = new BlockingCollection<string>();
                server.MessageReceived += (sender, args) =>
                {
                    atServer.Add(Encoding.UTF8.GetString(args.Message));
                    args.Connection.SendMessage(Encoding.UTF8.GetBytes("and back"));
                };
                server.Start();

                var atClient = new BlockingCollection<string>();
                var pipeClient = new NamedPipeStreamClient(name);
                pipeClient.MessageReceived += new MessageEventHandler((sender, args) =>
                {
                    if (ReferenceEquals(sender, pipeClient)) atClient.Add(Encoding.UTF8.GetString(args.Message));
                });
                pipeClient.SendMessage(Encoding.UTF8.GetBytes("from the tutorial"));
                Check.Equal(Take(atServer), "from the tutorial", "at the server");
                Check.Equal(Take(atClient), "and back", "at the client");
                pipeClient.Dispose();
            }
        }

        public static void ClientThatOnlyReceives()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name))
            {
                server.ClientConnected += (sender, args) => args.Connection.SendMessage(new byte[] { 7 });
                server.Start();
                var got = new BlockingCollection<byte[]>();
                using (var client = new NamedPipeStreamClient(name))
                {
                    client.MessageReceived += (sender, args) => got.Add(args.Message); // connects
                    Check.Same(Take(got), new byte[] { 7 }, "the greeting");
                }
            }
        }

        public static void EchoOfManyLengths()
        {
            using (var pair = new EchoServer())
            using (var client = new NamedPipeStreamClient(pair.Name))
            {
                foreach (int length in new[] { 1, 64, 1000, 4095, 4096, 4097, 65537, 0, 1 << 20, 0, 3 << 20, 5 })
                {
                    Task send = client.SendMessageAsync(Check.Pattern(length));
                    Check.Same(client.ReceiveMessage(Runner.Limit / 2), Check.Pattern(length), "echo of " + length);
                    Check.Wait(send);
                }
            }
        }

        public static void MessagesAreNotGlued()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name))
            {
                var got = new BlockingCollection<int>();
                server.MessageReceived += (sender, args) => got.Add(args.Message.Length);
                server.Start();
                using (var client = new NamedPipeStreamClient(name))
                {
                    var lengths = new[] { 3, 0, 0, 5, 70000, 1 };
                    foreach (int length in lengths) client.SendMessage(new byte[length]);
                    Check.True(lengths.All(length => Take(got) == length), "each message arrives alone");
                }
            }
        }

        public static void ThousandBothWaysAtOnce()
        {
            const int count = 1000;
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name))
            {
                int atServer = 0;
                var serverDone = new TaskCompletionSource<bool>();
                server.ClientConnected += (sender, args) => Task.Run(() => SendMany(args.Connection, count));
                server.MessageReceived += (sender, args) =>
                {
                    if (IsNumber(args.Message, atServer) && ++atServer == count) serverDone.SetResult(true);
                };
                server.Start();
                using (var client = new NamedPipeStreamClient(name))
                {
                    int atClient = 0;
                    var clientDone = new TaskCompletionSource<bool>();
                    client.MessageReceived += (sender, args) =>
                    {
                        if (IsNumber(args.Message, atClient) && ++atClient == count) clientDone.SetResult(true);
                    };
                    SendMany(client, count);
                    Check.Wait(serverDone.Task);
                    Check.Wait(clientDone.Task);
                }
            }
        }

        public static void AsyncSendsKeepTheirOrder()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name, new PipeServerOptions { InBufferSize = 100 }))
            {
                int next = 0;
                var done = new TaskCompletionSource<bool>();
                server.MessageReceived += (sender, args) => { if (IsNumber(args.Message, next) && ++next == 200) done.SetResult(true); };
                server.Start();
                using (var client = new NamedPipeStreamClient(name))
                {
                    client.Connect();
                    Check.Wait(Task.WhenAll(Enumerable.Range(0, 200).Select(i => client.SendMessageAsync(Number(i)))));
                    Check.Wait(done.Task);
                }
            }
        }

        public static void FiftyClientsAtOnce()
        {
            using (var server = new EchoServer())
                Check.Wait(Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
                {
                    using (var client = new NamedPipeStreamClient(server.Name))
                    {
                        await client.ConnectAsync();
                        for (int n = 0; n < 20; n++)
                            Check.Same(await client.RequestAsync(Check.Pattern(i * n)), Check.Pattern(i * n), "an answer");
                    }
                })));
        }

        /// <summary>The first operation of a connection must not be bound to the thread that connected, which ends.</summary>
        public static void AnswersRightAfterConnecting()
        {
            using (var server = new EchoServer())
                for (int i = 1; i <= 100; i++)
                    Check.Equal(NamedPipeStreamClient.Call(server.Name, new byte[i], Runner.Limit / 2).Length, i, "the answer");
        }

        public static void BytePipesAreStreams()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name, new PipeServerOptions { Type = PipeType.Byte }))
            {
                server.MessageReceived += (sender, args) => args.Connection.SendMessage(args.Message);
                server.Start();
                Check.Fails(PipeError.InvalidParameter, () => { using (var wrong = new NamedPipeStreamClient(name)) wrong.Connect(); });
                using (var client = new NamedPipeStreamClient(name, new PipeClientOptions { Type = PipeType.Byte }))
                {
                    byte[] sent = Check.Pattern(300000);
                    Task send = client.SendMessageAsync(sent);
                    var got = new byte[0];
                    while (got.Length < sent.Length) got = got.Concat(client.ReceiveMessage(Runner.Limit / 2)).ToArray();
                    Check.Same(got, sent, "the stream");
                    Check.Wait(send);
                }
            }
        }

        public static void MessageOverTheLimitEndsTheConnection()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name, new PipeServerOptions { MaxMessage = 10000 }))
            {
                var ended = new TaskCompletionSource<Exception>();
                var got = new BlockingCollection<byte[]>();
                server.MessageReceived += (sender, args) => got.Add(args.Message);
                server.ClientDisconnected += (sender, args) => ended.SetResult(args.Error);
                server.Start();
                using (var client = new NamedPipeStreamClient(name))
                {
                    client.SendMessage(new byte[10000]);
                    Check.Equal(Take(got).Length, 10000, "the longest message");
                    client.SendMessage(new byte[10001]);
                    Check.Equal(((PipeException)Check.Wait(ended.Task)).NativeErrorCode, PipeError.MoreData, "the end");
                }
                Check.Equal(got.Count, 0, "other messages");
            }
        }

        public static void BroadcastReachesAll()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name))
            {
                server.Start();
                var clients = Enumerable.Range(0, 5).Select(i => new NamedPipeStreamClient(name)).ToList();
                clients.ForEach(client => client.Connect());
                Check.Until(() => server.Connections.Count == 5, "five connections");
                Check.Equal(server.Broadcast(new byte[] { 1, 2 }), 5, "the clients that it was sent to");
                foreach (NamedPipeStreamClient client in clients)
                {
                    Check.Same(client.ReceiveMessage(Runner.Limit / 2), new byte[] { 1, 2 }, "the message");
                    client.Dispose();
                }
            }
        }

        // ---- shared ----

        internal static T Take<T>(BlockingCollection<T> from)
        {
            T item;
            if (!from.TryTake(out item, Runner.Limit / 2)) throw new Exception("nothing came");
            return item;
        }

        static void SendMany(PipeConnection to, int count) { for (int i = 0; i < count; i++) to.SendMessage(Number(i)); }

        static byte[] Number(int i) { return BitConverter.GetBytes(i).Concat(new byte[i * 37 % 2000]).ToArray(); }

        static bool IsNumber(byte[] message, int i) { return message.SequenceEqual(Number(i)); }
    }

    /// <summary>A server that sends back what it gets.</summary>
    sealed class EchoServer : IDisposable
    {
        public readonly string Name = Check.NewName();
        public readonly NamedPipeStreamServer Server;

        public EchoServer(PipeServerOptions options = null)
        {
            Server = new NamedPipeStreamServer(Name, options);
            Server.MessageReceived += (sender, args) => args.Connection.SendMessage(args.Message);
            Server.Start();
        }

        public void Dispose() { Server.Dispose(); }
    }
}
