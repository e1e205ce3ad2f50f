using System;
using System.Diagnostics;
using System.IO;
using System.Threading;

namespace AsyncPipe.Tests
{
    /// <summary>This program as another process: a server, or a client that sends and leaves.</summary>
    static class Child
    {
        /// <summary>Starts this program as a child with a role. ASYNCPIPE_TEST_COMMAND says how it is run: a program and its
        /// arguments.</summary>
        public static Process Start(string role, string name)
        {
            string command = Environment.GetEnvironmentVariable("ASYNCPIPE_TEST_COMMAND");
            if (string.IsNullOrEmpty(command)) throw new Exception("set ASYNCPIPE_TEST_COMMAND to what runs this program, as clients/csharp/test does");
            int end = command.IndexOf(' ');
            var child = Process.Start(new ProcessStartInfo
            {
                FileName = end < 0 ? command : command.Substring(0, end),
                Arguments = (end < 0 ? "" : command.Substring(end + 1)) + " child " + role + " " + name,
                RedirectStandardOutput = true, RedirectStandardInput = true, UseShellExecute = false
            });
            Check.Equal(child.StandardOutput.ReadLine(), "ready", "the child's first line");
            return child;
        }

        public static int Run(string[] args)
        {
            using (var server = new NamedPipeStreamServer(args[2]))
            {
                server.MessageReceived += (sender, e) => e.Connection.SendMessage(e.Message);
                server.Start();
                Console.WriteLine("ready");
                Console.Out.Flush();
                Console.In.ReadToEnd();
            }
            return 0;
        }
    }
}
