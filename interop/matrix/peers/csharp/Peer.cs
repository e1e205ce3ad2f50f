// The C# peer of the matrix; ../../README.md says what a peer does. Compile it with AsyncPipe.dll as a reference.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading;
using AsyncPipe;

static class Peer
{
    static readonly object output = new object(); // is held while a line is written

    static int Main(string[] args)
    {
        try
        {
            switch (args.Length == 0 ? "" : args[0] + " " + args.Length)
            {
                case "serve 4": return Serve(args[1], Type(args[2]), int.Parse(args[3]));
                case "client 3": return Client(args[1], Type(args[2]));
                case "hold 3": return Hold(args[1], Type(args[2]));
                case "open 2": return Try(() => Open(args[1], PipeType.Byte, 0).Dispose());
                case "wait 3": return Try(() => NamedPipeStreamClient.WaitForInstance(args[1], int.Parse(args[2])));
            }
        }
        catch (Exception e) { Say("wrong: " + e); return 1; }
        Console.Error.WriteLine("usage: peer serve NAME TYPE MAX | client NAME TYPE | hold NAME TYPE | open NAME | wait NAME MS");
        return 2;
    }

    static PipeType Type(string word)
    {
        if (word != "byte" && word != "message") throw new ArgumentException("TYPE is byte or message, not " + word);
        return word == "byte" ? PipeType.Byte : PipeType.Message;
    }

    static void Say(string line) { lock (output) { Console.WriteLine(line); Console.Out.Flush(); } }

    static int Try(Action action)
    {
        try { action(); Say("ok"); }
        catch (PipeException e) { Say("error " + e.NativeErrorCode); }
        return 0;
    }

    static NamedPipeStreamClient Open(string name, PipeType type, int timeout)
    {
        var client = new NamedPipeStreamClient(name, new PipeClientOptions { Type = type, ConnectTimeout = timeout });
        client.Connect();
        return client;
    }

    // ---- server ----

    static int Serve(string name, PipeType type, int max)
    {
        var options = new PipeServerOptions { Type = type, MaxInstances = max };
        using (var server = new NamedPipeStreamServer(name, options))
        {
            // A thread for each client: it takes messages when it wants them.
            server.ClientConnected += (sender, args) => new Thread(() => Converse(args.Connection, type)) { IsBackground = true }.Start();
            server.Start();
            Say("ready");
            Console.In.ReadToEnd();
        }
        return 0;
    }

    static void Converse(PipeServerConnection connection, PipeType type)
    {
        try
        {
            var channel = new Channel(connection, type);
            for (;;)
            {
                byte[] message = channel.Receive();
                string command = message.Length <= 5 ? Encoding.ASCII.GetString(message) : "";
                if (command == "BYE") { connection.Disconnect(); return; }
                if (command == "FLOOD") channel.Send(Encoding.ASCII.GetBytes("HASH " + Flood.Exchange(channel, 128)));
                else channel.Send(message);
            }
        }
        catch (PipeException) { } // whatever a client does, the server goes on
        finally { connection.Dispose(); }
    }

    // ---- clients ----

    static int Client(string name, PipeType type)
    {
        using (NamedPipeStreamClient client = Open(name, type, Timeout.Infinite))
        {
            var channel = new Channel(client, type);
            foreach (int length in new[] { 1, 64, 1000, 65537, 0, 1048576 }) Echo(channel, length);
            Say("echo ok");

            channel.Send(Encoding.ASCII.GetBytes("FLOOD"));
            string got = Flood.Exchange(channel, 0), want = Flood.HashOf(128);
            if (got != want) throw new Exception("the flood's hash is " + got + ", not " + want);
            string answer = Encoding.ASCII.GetString(channel.Receive());
            if (answer != "HASH " + Flood.HashOf(0)) throw new Exception("the server says " + answer + ", not HASH " + Flood.HashOf(0));
            Say("flood ok");

            channel.Send(Encoding.ASCII.GetBytes("BYE"));
            SayEnd(channel);
            Say("done");
        }
        return 0;
    }

    static void Echo(Channel channel, int length)
    {
        var message = new byte[length];
        for (int j = 0; j < length; j++) message[j] = (byte)((length + j) % 251);
        channel.Send(message);
        if (!channel.Receive().SequenceEqual(message)) throw new Exception("the echo of " + length + " bytes differs");
    }

    static int Hold(string name, PipeType type)
    {
        using (NamedPipeStreamClient client = Open(name, type, Timeout.Infinite))
        {
            var channel = new Channel(client, type);
            byte[] message = Encoding.ASCII.GetBytes("hold");
            channel.Send(message);
            if (!channel.Receive().SequenceEqual(message)) throw new Exception("the echo of hold differs");
            Say("connected");
            SayEnd(channel);
        }
        return 0;
    }

    static void SayEnd(Channel channel)
    {
        try { for (;;) channel.Receive(); }
        catch (PipeException e) { Say("error " + e.NativeErrorCode); }
    }
}

/// <summary>Messages on either type of pipe: on a byte pipe each has its length before it.</summary>
sealed class Channel
{
    readonly PipeConnection connection;
    readonly bool framed;
    byte[] run = new byte[0]; // what was received; of one thread, which receives
    int taken;                // of run

    public Channel(PipeConnection connection, PipeType type)
    {
        this.connection = connection;
        framed = type == PipeType.Byte;
    }

    public void Send(byte[] message)
    {
        connection.SendMessage(framed ? Length(message).Concat(message).ToArray() : message);
    }

    public byte[] Receive()
    {
        if (!framed) return connection.ReceiveMessage();
        byte[] head = Take(4);
        return Take(head[0] | head[1] << 8 | head[2] << 16 | head[3] << 24);
    }

    public static byte[] Length(byte[] message)
    {
        int n = message.Length;
        return new[] { (byte)n, (byte)(n >> 8), (byte)(n >> 16), (byte)(n >> 24) };
    }

    byte[] Take(int count)
    {
        if (count < 0 || count > 1 << 24) throw new Exception("a message of " + (uint)count + " bytes was announced");
        var bytes = new byte[count];
        for (int have = 0; have < count;)
        {
            if (taken == run.Length) { run = connection.ReceiveMessage(); taken = 0; }
            int part = Math.Min(count - have, run.Length - taken);
            Buffer.BlockCopy(run, taken, bytes, have, part);
            taken += part;
            have += part;
        }
        return bytes;
    }
}

/// <summary>1,000 messages each way at once, and their hash.</summary>
static class Flood
{
    const int Count = 1000;

    /// <summary>Sends on another thread while it receives on this one; returns the hash of what came.</summary>
    public static string Exchange(Channel channel, int offset)
    {
        Exception failure = null;
        var sender = new Thread(() =>
        {
            try { foreach (byte[] message in Messages(offset)) channel.Send(message); }
            catch (Exception e) { failure = e; }
        });
        sender.Start();
        string hash = Hash(Received(channel));
        sender.Join();
        if (failure != null) throw failure;
        return hash;
    }

    public static string HashOf(int offset) { return Hash(Messages(offset)); }

    static IEnumerable<byte[]> Messages(int offset)
    {
        for (int i = 0; i < Count; i++)
        {
            var message = new byte[i * 37 % 2000];
            for (int j = 0; j < message.Length; j++) message[j] = (byte)(i + j + offset);
            yield return message;
        }
    }

    static IEnumerable<byte[]> Received(Channel channel) { for (int i = 0; i < Count; i++) yield return channel.Receive(); }

    /// <summary>FNV-1a, 64 bits.</summary>
    static string Hash(IEnumerable<byte[]> messages)
    {
        ulong hash = 14695981039346656037;
        foreach (byte[] message in messages)
            foreach (byte b in Channel.Length(message).Concat(message))
                hash = unchecked((hash ^ b) * 1099511628211);
        return hash.ToString("x16");
    }
}
