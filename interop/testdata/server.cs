// Serves one client of the pipe named by the first argument, as a .NET program does: echoes until the client ends. It says
// "ready" when clients may come.
using System;
using System.IO.Pipes;

static class Server
{
    static void Main(string[] args)
    {
        using (var pipe = new NamedPipeServerStream(args[0], PipeDirection.InOut))
        {
            Console.WriteLine("ready");
            pipe.WaitForConnection();
            pipe.CopyTo(pipe);
        }
        Console.WriteLine("done");
    }
}
