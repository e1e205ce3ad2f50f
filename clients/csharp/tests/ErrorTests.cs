using System;
using System.Diagnostics;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace AsyncPipe.Tests
{
    [Tests]
    static class ErrorTests
    {
        static PipeClientOptions NoWait { get { return new PipeClientOptions { ConnectTimeout = 0 }; } }

        public static void NoSuchPipeIs2()
        {
            string name = Check.NewName();
            using (var client = new NamedPipeStreamClient(name))
            {
                PipeException e = Check.Fails(PipeError.NotExist, () => client.Connect());
                Check.Equal(e.NativeErrorName, "ERROR_FILE_NOT_FOUND", "its name");
                Check.True(e.Message.Contains("ERROR_FILE_NOT_FOUND") && e.Message.Contains(name), "the text tells the error and the name");
                Check.Equal(e.HResult, unchecked((int)0x80070002), "its HResult");
                Check.Fails(PipeError.NotExist, () => client.SendMessage(new byte[1]));
                Check.True(!client.IsConnected, "it is not connected");
            }
            Check.Fails(PipeError.NotExist, () => NamedPipeStreamClient.WaitForInstance(name, 1000));
        }

        public static void ConnectingInTheBackgroundTellsItsFailure()
        {
            using (var client = new NamedPipeStreamClient(Check.NewName()))
            {
                var told = new TaskCompletionSource<Exception>();
                client.Disconnected += (sender, args) => told.SetResult(args.Error);
                client.MessageReceived += (sender, args) => { };
                Check.Equal(((PipeException)Check.Wait(told.Task)).NativeErrorCode, PipeError.NotExist, "what was told");
            }
        }

        public static void BusyIs231AndLater121()
        {
            using (var server = new EchoServer(new PipeServerOptions { MaxInstances = 1 }))
            using (var first = new NamedPipeStreamClient(server.Name))
            {
                first.Connect();
                using (var second = new NamedPipeStreamClient(server.Name, NoWait)) Check.Fails(PipeError.PipeBusy, () => second.Connect());
                using (var second = new NamedPipeStreamClient(server.Name, new PipeClientOptions { ConnectTimeout = 30 }))
                    Check.Fails(PipeError.Timeout, () => second.Connect());
                Check.Fails(PipeError.Timeout, () => NamedPipeStreamClient.WaitForInstance(server.Name, 30));
                Check.Fails(PipeError.PipeBusy, () => { using (var other = new NamedPipeStreamServer(server.Name)) other.Start(); });
                Check.Equal(first.Request(new byte[] { 3 })[0], (byte)3, "the first client's answer");
            }
        }

        public static void ClientWaitsForAnInstance()
        {
            using (var server = new EchoServer(new PipeServerOptions { MaxInstances = 1 }))
            {
                var first = new NamedPipeStreamClient(server.Name);
                first.Connect();
                using (var second = new NamedPipeStreamClient(server.Name))
                {
                    Task waiting = second.ConnectAsync();
                    first.Dispose();
                    Check.Wait(waiting);
                    Check.Equal(second.Request(new byte[] { 4 }).Length, 1, "the answer");
                }
                NamedPipeStreamClient.WaitForInstance(server.Name, Runner.Limit / 2);
            }
        }

        public static void DisconnectIs233()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name))
            {
                server.MessageReceived += (sender, args) => ((PipeServerConnection)args.Connection).Disconnect();
                var ended = new TaskCompletionSource<Exception>();
                server.ClientDisconnected += (sender, args) => ended.TrySetResult(args.Error);
                server.Start();
                using (var client = new NamedPipeStreamClient(name))
                {
                    client.SendMessage(new byte[1]);
                    PipeException e = Check.Fails(PipeError.NotConnected, () => client.ReceiveMessage(Runner.Limit / 2));
                    Check.Equal(e.NativeErrorName, "ERROR_PIPE_NOT_CONNECTED", "its name");
                    Check.Fails(PipeError.NotConnected, () => client.SendMessage(new byte[1]));
                    Check.True(!client.IsConnected, "it is not connected");
                    Check.Equal(Check.Wait(ended.Task), null, "why it ended, at the server");
                    client.Connect(); // again
                    client.SendMessage(new byte[1]);
                    Check.Fails(PipeError.NotConnected, () => client.ReceiveMessage(Runner.Limit / 2));
                }
                using (var client = new NamedPipeStreamClient(name))
                {
                    var told = new TaskCompletionSource<Exception>();
                    client.Disconnected += (sender, args) => told.SetResult(args.Error);
                    client.MessageReceived += (sender, args) => { };
                    client.SendMessage(new byte[1]);
                    Check.Equal(((PipeException)Check.Wait(told.Task)).NativeErrorCode, PipeError.NotConnected, "what the event told");
                }
            }
        }

        public static void ServersCloseIs109AfterItsMessages()
        {
            string name = Check.NewName();
            using (var client = new NamedPipeStreamClient(name))
            {
                using (var server = new NamedPipeStreamServer(name))
                {
                    var sent = new TaskCompletionSource<bool>();
                    server.ClientConnected += (sender, args) => { args.Connection.SendMessage(new byte[] { 9 }); sent.SetResult(true); };
                    server.Start();
                    client.Connect();
                    Check.Wait(sent.Task);
                }
                Check.Equal(client.ReceiveMessage()[0], (byte)9, "what was sent before");
                Check.Fails(PipeError.BrokenPipe, () => client.ReceiveMessage());
                Check.Fails(PipeError.NoData, () => client.SendMessage(new byte[1]));
            }
        }

        public static void KilledServerIs109()
        {
            string name = Check.NewName();
            Process server = Child.Start("serve", name);
            using (var client = new NamedPipeStreamClient(name))
            {
                Check.Equal(client.Request(new byte[] { 1, 2 }).Length, 2, "the answer");
                Task<byte[]> receive = client.ReceiveMessageAsync();
                server.Kill();
                Check.Fails(PipeError.BrokenPipe, receive);
            }
            server.WaitForExit();
            server.Dispose();
        }

        public static void LeavingClientsMessageIsNotLost()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name, new PipeServerOptions { MaxInstances = 1 }))
            {
                var got = new System.Collections.Concurrent.BlockingCollection<byte[]>();
                server.MessageReceived += (sender, args) => got.Add(args.Message);
                server.Start();
                for (int i = 1; i <= 20; i++)
                {
                    using (var client = new NamedPipeStreamClient(name)) client.SendMessage(new byte[i * 1000]);
                    Check.Equal(MessageTests.Take(got).Length, i * 1000, "the message of a client that left");
                }
            }
        }

        public static void RequestsAndCalls()
        {
            using (var server = new EchoServer())
            using (var client = new NamedPipeStreamClient(server.Name))
            {
                foreach (int length in new[] { 5, 0, 200000 })
                    Check.Same(client.Request(Check.Pattern(length), Runner.Limit / 2), Check.Pattern(length), "the answer");
                Check.Same(NamedPipeStreamClient.Call(server.Name, Check.Pattern(70000), Runner.Limit / 2), Check.Pattern(70000), "the call's answer");
                client.SendMessage(new byte[] { 1 });
                client.SendMessage(new byte[] { 2 });
                Check.Equal(client.ReceiveMessage()[0], (byte)1, "the first echo");
                Check.Until(() => { try { client.Request(new byte[] { 3 }); return false; } catch (PipeException e) { return e.NativeErrorCode == PipeError.PipeBusy; } }, "231 while a message is unread");
            }
            string silent = Check.NewName();
            using (var server = new NamedPipeStreamServer(silent))
            {
                server.Start();
                Check.Fails(PipeError.Timeout, () => NamedPipeStreamClient.Call(silent, new byte[1], 30));
            }
        }

        public static void EventsAndCallsDontMix()
        {
            using (var server = new EchoServer())
            using (var client = new NamedPipeStreamClient(server.Name))
            {
                client.MessageReceived += (sender, args) => { };
                Check.Throws<InvalidOperationException>(() => client.ReceiveMessage());
                Check.Throws<InvalidOperationException>(() => client.Request(new byte[1]));
            }
        }

        public static void WrongArguments()
        {
            Check.Throws<ArgumentNullException>(() => new NamedPipeStreamClient(null));
            Check.Throws<ArgumentNullException>(() => new NamedPipeStreamServer(null));
            using (var client = new NamedPipeStreamClient("x")) Check.Throws<ArgumentNullException>(() => client.SendMessage(null));
            using (var server = new NamedPipeStreamServer(Check.NewName(), new PipeServerOptions { Sddl = "nonsense" }))
                Check.Throws<PipeException>(() => server.Start());
            Check.Throws<PipeException>(() => { using (var server = new NamedPipeStreamServer("")) server.Start(); });
            if (Check.InWine) { Console.WriteLine("      except in Wine: Wine 8 ignores first-instance unless the name is full"); return; }
            using (var server = new EchoServer())
                Check.Fails(PipeError.AccessDenied, () => { using (var other = new NamedPipeStreamServer(server.Name, new PipeServerOptions { First = true })) other.Start(); });
        }

        /// <summary>The library must leave the runtime's own signals alone.</summary>
        public static void NullReferencesAreStillExceptions()
        {
            using (var server = new EchoServer()) Check.Equal(NamedPipeStreamClient.Call(server.Name, new byte[2]).Length, 2, "the answer");
            string nothing = null;
            for (int i = 0; i < 10; i++) Check.Throws<NullReferenceException>(() => nothing.Trim());
        }

        public static void PeerTellsTheProcess()
        {
            string name = Check.NewName();
            using (var server = new NamedPipeStreamServer(name))
            {
                var peer = new TaskCompletionSource<PipePeer>();
                server.MessageReceived += (sender, args) => peer.SetResult(args.Connection.Peer);
                server.Start();
                using (var client = new NamedPipeStreamClient(name))
                {
                    client.SendMessage(new byte[1]);
                    int us = Process.GetCurrentProcess().Id;
                    Check.Equal(client.Peer.ProcessId, (long)us, "the server's process");
                    Check.Equal(Check.Wait(peer.Task).ProcessId, (long)us, "the client's process");
                    Check.True(peer.Task.Result.UserName.Length > 0, "the client's user has a name");
                    if (!Runner.OnWindows) Check.True(peer.Task.Result.Sid.StartsWith("S-1-22-1-"), "a SID");
                }
            }
        }
    }
}
