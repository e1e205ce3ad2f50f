// Client: the tutorial's C# client. It sends its arguments, each as one message, shows every message that comes, and ends when the
// server does.
//
//   Client.exe [NAME] TEXT...      NAME is TestC if there is one argument only
using System;
using System.Text;
using System.Threading;
using AsyncPipe;

static class Client
{
    static NamedPipeStreamClient pipeClient;
    static readonly ManualResetEvent ended = new ManualResetEvent(false);

    static int Main(string[] args)
    {
        if (args.Length == 0)
        {
            Console.Error.WriteLine("usage: Client.exe [NAME] TEXT...");
            return 2;
        }
        int first = args.Length > 1 ? 1 : 0;
        pipeClient = new NamedPipeStreamClient(first == 1 ? args[0] : "TestC");
        pipeClient.MessageReceived += new MessageEventHandler(pipeClient_MessageReceived);
        pipeClient.Disconnected += pipeClient_Disconnected;
        try
        {
            pipeClient.Connect();
            Console.WriteLine("connected");
            for (int i = first; i < args.Length; i++)
                pipeClient.SendMessage(Encoding.UTF8.GetBytes(args[i]));
            ended.WaitOne();
        }
        catch (PipeException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
        finally
        {
            pipeClient.Dispose();
        }
        return 0;
    }

    static void pipeClient_MessageReceived(object sender, MessageEventArgs args)
    {
        Console.WriteLine("received: " + Encoding.UTF8.GetString(args.Message));
    }

    static void pipeClient_Disconnected(object sender, DisconnectedEventArgs args)
    {
        Console.WriteLine("the server has left");
        ended.Set();
    }
}
