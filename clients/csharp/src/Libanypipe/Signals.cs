using System;
using System.IO;
using System.Runtime.InteropServices;

namespace AsyncPipe.Libanypipe
{
    /// <summary>Puts back how .NET handles the signal by which its collector stops threads. When Go's runtime starts within a process, it
    /// makes all handlers that it finds run on the alternate stack of the interrupted thread; .NET walks the thread's stack from
    /// that handler, and on another stack it crashes the process. Other signals stay as Go wants them, as they may come to its own
    /// threads, whose stacks are small. So may mono's, which sends them to every thread that it knows; mono stays as it is.</summary>
    internal static class Signals
    {
        const int First = 34, Last = 64; // the real-time signals that C libraries leave free: .NET's is the first of them
        const int Size = 152;            // of struct sigaction in glibc and musl; less with 32 bits

        public static readonly bool OfDotNet = Directory.Exists("/proc/self") && Type.GetType("Mono.Runtime") == null;

        /// <summary>How the signals are handled now.</summary>
        public static byte[][] Save()
        {
            var all = new byte[Last + 1][];
            for (int signal = First; signal <= Last; signal++)
            {
                var now = new byte[Size];
                if (Get(signal, IntPtr.Zero, now) == 0) all[signal] = now;
            }
            return all;
        }

        /// <summary>Restores those of which the handler is the same and something else changed.</summary>
        public static void Restore(byte[][] saved)
        {
            for (int signal = First; signal <= Last; signal++)
            {
                byte[] before = saved[signal];
                var now = new byte[Size];
                if (before == null || Handler(before) <= 1 || Get(signal, IntPtr.Zero, now) != 0) continue; // 0 and 1 are no handlers
                if (Handler(now) == Handler(before) && Flags(now) != Flags(before)) Set(signal, before, IntPtr.Zero);
            }
        }

        static long Handler(byte[] action) { return IntPtr.Size == 8 ? BitConverter.ToInt64(action, 0) : BitConverter.ToUInt32(action, 0); }

        static int Flags(byte[] action) { return BitConverter.ToInt32(action, IntPtr.Size + 128); } // behind a mask of 1,024 bits

        [DllImport("libc", EntryPoint = "sigaction")] static extern int Get(int signal, IntPtr action, [Out] byte[] old);
        [DllImport("libc", EntryPoint = "sigaction")] static extern int Set(int signal, byte[] action, IntPtr old);
    }
}
