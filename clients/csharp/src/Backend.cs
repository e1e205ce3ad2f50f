using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace AsyncPipe
{
    /// <summary>What a read took.</summary>
    internal struct Chunk
    {
        public readonly int Length;
        public readonly bool More; // the message goes on

        public Chunk(int length, bool more) { Length = length; More = more; }
    }

    /// <summary>One end of a connection. All may be called from any thread; failures are PipeExceptions, and Dispose ends all that
    /// waits with ERROR_OPERATION_ABORTED.</summary>
    internal interface IPipeEnd : IDisposable
    {
        /// <summary>Reads at most count bytes, of one message only on message pipes.</summary>
        Task<Chunk> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancel);

        /// <summary>Writes a message, or bytes. The order of calls is the order of messages.</summary>
        Task WriteAsync(byte[] data, CancellationToken cancel);

        /// <summary>Does the same and waits on this thread, which needs no other: handlers that send hold threads of the pool.</summary>
        void Write(byte[] data, int timeout);

        /// <summary>TransactNamedPipe: sends a request and reads the first bytes of the next message.</summary>
        Task<Chunk> TransactAsync(byte[] request, byte[] buffer, CancellationToken cancel);

        /// <summary>Waits until the other end has read everything.</summary>
        Task FlushAsync(CancellationToken cancel);

        /// <summary>DisconnectNamedPipe, for server ends.</summary>
        void Disconnect();

        PipePeer Peer();
    }

    /// <summary>A pipe that a server made. The server disposes its ends with it.</summary>
    internal interface IPipeListener : IDisposable
    {
        /// <summary>Waits for the next client. ERROR_OPERATION_ABORTED after Dispose.</summary>
        IPipeEnd Accept();
    }

    /// <summary>What a system does for pipes: libanypipe, or Windows.</summary>
    internal interface IBackend
    {
        /// <summary>Opens a pipe; waits while it is busy.</summary>
        IPipeEnd Dial(string path, PipeClientOptions options, CancellationToken cancel);

        IPipeListener Listen(string path, PipeServerOptions options);

        /// <summary>WaitNamedPipe.</summary>
        void Wait(string path, int timeout, CancellationToken cancel);
    }

    internal static class Backend
    {
        // Made at first use, so that a missing library is an exception in the call that needed it.
        static readonly Lazy<IBackend> current = new Lazy<IBackend>(
            () => Path.DirectorySeparatorChar == '\\' ? (IBackend)new Windows.Backend() : new Libanypipe.Backend());

        public static IBackend Current { get { return current.Value; } }

        /// <summary>The full name of a pipe. One that has a server's name already stays as it is.</summary>
        public static string FullName(string serverName, string pipeName)
        {
            if (pipeName == null) throw new ArgumentNullException(nameof(pipeName));
            if (serverName == null) throw new ArgumentNullException(nameof(serverName));
            string name = pipeName.Replace('/', '\\');
            return name.StartsWith(@"\\", StringComparison.Ordinal) ? name : @"\\" + serverName + @"\pipe\" + name;
        }
    }
}
