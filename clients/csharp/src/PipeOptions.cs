using System.Threading;

namespace AsyncPipe
{
    /// <summary>The two types of pipes.</summary>
    public enum PipeType
    {
        /// <summary>Each send is a message, which is received whole and alone.</summary>
        Message = 0,
        /// <summary>A stream: what is received are runs of bytes, cut anywhere.</summary>
        Byte = 1
    }

    /// <summary>What clients and connections have in common. Times are in milliseconds; Timeout.Infinite waits without limit.</summary>
    public abstract class PipeConnectionOptions
    {
        /// <summary>The pipe's type. A client that asks a byte pipe for messages fails with ERROR_INVALID_PARAMETER.</summary>
        public PipeType Type { get; set; } = PipeType.Message;

        /// <summary>How long a send may wait for the other end to make room; then ERROR_SEM_TIMEOUT.</summary>
        public int SendTimeout { get; set; } = Timeout.Infinite;

        /// <summary>The longest message that is received, in bytes; a longer one ends the connection with ERROR_MORE_DATA. 0 is no
        /// limit: set one where the other end is not trusted with this process's memory.</summary>
        public int MaxMessage { get; set; }

        /// <summary>Where event handlers run. Null is the context in which the first handler was added, which in a program with
        /// windows is its window thread; where there was none, handlers run on the thread pool.</summary>
        public SynchronizationContext Context { get; set; }
    }

    /// <summary>How a client opens a pipe.</summary>
    public sealed class PipeClientOptions : PipeConnectionOptions
    {
        /// <summary>How long to wait for an instance when all are taken; then ERROR_SEM_TIMEOUT. 0 does not wait: ERROR_PIPE_BUSY.
        /// A pipe that does not exist is not waited for.</summary>
        public int ConnectTimeout { get; set; } = Timeout.Infinite;

        internal PipeClientOptions Copy() { return (PipeClientOptions)MemberwiseClone(); }
    }

    /// <summary>How a server makes its pipe. What the first creator of a name says about type, instances, timeout and descriptor
    /// holds for all.</summary>
    public sealed class PipeServerOptions : PipeConnectionOptions
    {
        /// <summary>How many clients there may be at a time, 1 to 254; 0 is unlimited.</summary>
        public int MaxInstances { get; set; }

        /// <summary>How many bytes clients may send ahead of what the server reads.</summary>
        public int InBufferSize { get; set; } = 65536;

        /// <summary>How many bytes the server may send ahead of what a client reads.</summary>
        public int OutBufferSize { get; set; } = 65536;

        /// <summary>Who may open the pipe, in the Security Descriptor Definition Language; null is this user only.</summary>
        public string Sddl { get; set; }

        /// <summary>Whether to fail with ERROR_ACCESS_DENIED if the name exists already.</summary>
        public bool First { get; set; }

        /// <summary>Whether clients of other machines may come in.</summary>
        public bool AcceptRemote { get; set; }

        /// <summary>How many instances wait for clients, so that none finds all taken while another is being greeted.</summary>
        public int Backlog { get; set; } = 8;

        internal PipeServerOptions Copy() { return (PipeServerOptions)MemberwiseClone(); }
    }
}
