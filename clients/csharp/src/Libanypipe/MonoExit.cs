using System;

namespace AsyncPipe.Libanypipe
{
    /// <summary>Lets programs end on mono. When Main has returned, mono aborts all threads that it knows and waits until they are gone.
    /// It knows those of the library on which a callback ran, but they are in native code and not mono's to end: it would wait for
    /// ever. Environment.Exit does not wait. .NET needs none of this.</summary>
    internal static class MonoExit
    {
        static readonly bool mono = Type.GetType("Mono.Runtime") != null;
        static volatile bool needed; // a callback ran

        /// <summary>Puts the exit behind what the program has added to ProcessExit by now. Called whenever a pipe is opened.</summary>
        public static void Prepare()
        {
            if (!mono) return;
            AppDomain.CurrentDomain.ProcessExit -= Exit;
            AppDomain.CurrentDomain.ProcessExit += Exit;
        }

        /// <summary>Notes that the runtime has met a thread of the library.</summary>
        public static void Need() { needed = true; }

        static void Exit(object sender, EventArgs args) { if (needed) Environment.Exit(Environment.ExitCode); }
    }
}
