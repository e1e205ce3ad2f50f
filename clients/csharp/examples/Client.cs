// Sends each line of its standard input as a message and prints what comes: Client NAME.
using System;
using System.Text;
using AsyncPipe;

static class Client
{
    static int Main(string[] args)
    {
        if (args.Length != 1) { Console.Error.WriteLine("usage: Client NAME"); return 2; }
        try
        {
            using (var pipeClient = new NamedPipeStreamClient(args[0]))
                for (string line; (line = Console.ReadLine()) != null;)
                    Console.WriteLine(Encoding.UTF8.GetString(pipeClient.Request(Encoding.UTF8.GetBytes(line))));
            return 0;
        }
        catch (PipeException e) // such as 2, ERROR_FILE_NOT_FOUND: there is no server
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }
}
