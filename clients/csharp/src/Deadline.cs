using System;
using System.Diagnostics;
using System.Threading;

namespace AsyncPipe
{
    /// <summary>A moment by which something is to be done; Timeout.Infinite for never.</summary>
    internal struct Deadline
    {
        readonly Stopwatch since;
        readonly int timeout;

        public Deadline(int timeout)
        {
            if (timeout < Timeout.Infinite) throw new ArgumentOutOfRangeException(nameof(timeout));
            this.timeout = timeout;
            since = Stopwatch.StartNew();
        }

        /// <summary>How much is left, but at most a slice.</summary>
        public int Next(int slice)
        {
            if (timeout == Timeout.Infinite) return slice;
            return (int)Math.Min(slice, Math.Max(0, timeout - since.ElapsedMilliseconds));
        }

        public bool Passed { get { return timeout != Timeout.Infinite && since.ElapsedMilliseconds >= timeout; } }
    }
}
