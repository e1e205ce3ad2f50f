using System;

namespace AsyncPipe
{
    /// <summary>Receives a message.</summary>
    /// <param name="sender">The client, or at a server the server.</param>
    /// <param name="args">The message, and the connection to answer on.</param>
    public delegate void MessageEventHandler(object sender, MessageEventArgs args);

    /// <summary>A message that was received; on a byte pipe a run of bytes.</summary>
    public sealed class MessageEventArgs : EventArgs
    {
        internal MessageEventArgs(PipeConnection connection, byte[] message)
        {
            Connection = connection;
            Message = message;
        }

        /// <summary>What was received. It belongs to the handler.</summary>
        public byte[] Message { get; }

        /// <summary>The connection that it came on, to answer on.</summary>
        public PipeConnection Connection { get; }
    }

    /// <summary>A client that came.</summary>
    public sealed class ClientEventArgs : EventArgs
    {
        internal ClientEventArgs(PipeServerConnection connection) { Connection = connection; }

        /// <summary>The connection to it.</summary>
        public PipeServerConnection Connection { get; }
    }

    /// <summary>The end of a connection.</summary>
    public sealed class DisconnectedEventArgs : EventArgs
    {
        internal DisconnectedEventArgs(PipeConnection connection, Exception error)
        {
            Connection = connection;
            Error = error;
        }

        /// <summary>The connection that ended.</summary>
        public PipeConnection Connection { get; }

        /// <summary>Why: a <see cref="PipeException"/> (109 if the other end closed or died, 233 if the server disconnected), what a
        /// handler of this program threw, or null if this program ended it.</summary>
        public Exception Error { get; }
    }

    /// <summary>Who is at the other end, as the system vouches for it.</summary>
    public sealed class PipePeer
    {
        internal PipePeer() { ProcessId = 0; SessionId = 0; UserId = -1; GroupId = -1; Sid = ""; UserName = ""; }

        /// <summary>The process, or 0 if the system does not tell.</summary>
        public long ProcessId { get; internal set; }

        /// <summary>The session, or 0 if the system does not tell.</summary>
        public long SessionId { get; internal set; }

        /// <summary>The Unix user, or -1 on Windows.</summary>
        public long UserId { get; internal set; }

        /// <summary>The Unix group, or -1 on Windows.</summary>
        public long GroupId { get; internal set; }

        /// <summary>The user's security identifier, such as S-1-22-1-1000; "" on Windows.</summary>
        public string Sid { get; internal set; }

        /// <summary>The user's name; on Windows "" for servers, and for clients until a message of theirs was received.</summary>
        public string UserName { get; internal set; }
    }
}
