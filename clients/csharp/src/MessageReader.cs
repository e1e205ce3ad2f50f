using System;
using System.Threading;
using System.Threading.Tasks;

namespace AsyncPipe
{
    /// <summary>Reads whole messages of any length from an end, or runs of bytes.</summary>
    internal sealed class MessageReader
    {
        const int FirstSize = 4096;     // what an idle connection holds
        const int LargestRead = 1 << 20;
        const int LongestArray = int.MaxValue - 64;

        readonly IPipeEnd end;
        readonly bool messages;
        readonly int maxMessage;
        readonly SemaphoreSlim turn = new SemaphoreSlim(1, 1); // guards buffer and have; who has it is the only reader
        byte[] buffer = new byte[FirstSize];
        int have; // of a message that goes on: a cancelled read leaves it to the next

        public MessageReader(IPipeEnd end, PipeConnectionOptions options)
        {
            this.end = end;
            messages = options.Type == PipeType.Message;
            maxMessage = options.MaxMessage == 0 ? LongestArray : options.MaxMessage;
        }

        /// <summary>The next message, or what bytes there are.</summary>
        public async Task<byte[]> ReadAsync(CancellationToken cancel)
        {
            await turn.WaitAsync(cancel).ConfigureAwait(false);
            try
            {
                int room = Room();
                return await RestAsync(await end.ReadAsync(buffer, have, room, cancel).ConfigureAwait(false), cancel).ConfigureAwait(false);
            }
            finally { turn.Release(); }
        }

        /// <summary>The answer to a request.</summary>
        public async Task<byte[]> TransactAsync(byte[] request, CancellationToken cancel)
        {
            await turn.WaitAsync(cancel).ConfigureAwait(false);
            try
            {
                if (have > 0) throw new PipeException(PipeError.PipeBusy, "request");
                return await RestAsync(await end.TransactAsync(request, buffer, cancel).ConfigureAwait(false), cancel).ConfigureAwait(false);
            }
            finally { turn.Release(); }
        }

        async Task<byte[]> RestAsync(Chunk chunk, CancellationToken cancel)
        {
            have += chunk.Length;
            while (messages && chunk.More)
            {
                if (have >= maxMessage) throw new PipeException(PipeError.MoreData, "read");
                int room = Room();
                chunk = await end.ReadAsync(buffer, have, room, cancel).ConfigureAwait(false);
                have += chunk.Length;
            }
            if (messages && have > maxMessage) throw new PipeException(PipeError.MoreData, "read");
            return Take();
        }

        /// <summary>Makes the buffer larger if it is full, and says how much may be read into it.</summary>
        int Room()
        {
            if (have == buffer.Length)
                Array.Resize(ref buffer, (int)Math.Min(2L * buffer.Length, LongestArray));
            return Math.Min(buffer.Length - have, LargestRead);
        }

        byte[] Take()
        {
            var message = new byte[have];
            Buffer.BlockCopy(buffer, 0, message, 0, have);
            if (buffer.Length > LargestRead) buffer = new byte[FirstSize]; // one huge message is not kept for ever
            // A connection that carries much reads it in fewer calls.
            else if (have == buffer.Length && have < 65536) buffer = new byte[65536];
            have = 0;
            return message;
        }
    }
}
