// Sends stdin to the pipe named by the first argument, as a .NET program does, and writes as many bytes as it sent, which
// the pipe must echo, to stdout.
using System;
using System.IO;
using System.IO.Pipes;
using System.Threading;

static class Client
{
    static int Main(string[] args)
    {
        var request = new MemoryStream();
        Console.OpenStandardInput().CopyTo(request);
        using (var pipe = new NamedPipeClientStream(".", args[0], PipeDirection.InOut))
        {
            pipe.Connect(10000);
            var sender = new Thread(() => pipe.Write(request.GetBuffer(), 0, (int)request.Length));
            sender.Start();
            var reply = Console.OpenStandardOutput();
            var buffer = new byte[4096];
            for (long got = 0; got < request.Length;)
            {
                int n = pipe.Read(buffer, 0, buffer.Length);
                if (n == 0)
                {
                    Console.Error.WriteLine("the pipe ended after {0} of {1} bytes", got, request.Length);
                    return 1;
                }
                reply.Write(buffer, 0, n);
                got += n;
            }
            reply.Flush();
            sender.Join();
        }
        return 0;
    }
}
