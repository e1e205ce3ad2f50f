// Sends back what each client sends: EchoServer NAME. It ends with its standard input.
using System;
using AsyncPipe;

static class EchoServer
{
    static int Main(string[] args)
    {
        if (args.Length != 1) { Console.Error.WriteLine("usage: EchoServer NAME"); return 2; }
        using (var server = new NamedPipeStreamServer(args[0]))
        {
            server.ClientConnected += (sender, e) => Console.WriteLine("process " + e.Connection.Peer.ProcessId + " came");
            server.MessageReceived += (sender, e) => e.Connection.SendMessage(e.Message);
            server.ClientDisconnected += (sender, e) => Console.WriteLine("a client left");
            server.Start();
            Console.WriteLine("ready");
            Console.In.ReadToEnd();
        }
        return 0;
    }
}
