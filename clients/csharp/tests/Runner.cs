using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace AsyncPipe.Tests
{
    /// <summary>Marks a class whose public static methods are tests.</summary>
    [AttributeUsage(AttributeTargets.Class)]
    sealed class TestsAttribute : Attribute { }

    /// <summary>Runs all tests one after another, prints a line for each, and exits with 1 if one failed.</summary>
    static class Runner
    {
        public const int Limit = 60000; // milliseconds: whatever takes longer hangs

        public static readonly bool OnWindows = Path.DirectorySeparatorChar == '\\';
        public static readonly bool OnDotNetForLinux = !OnWindows && Directory.Exists("/proc/self") && Type.GetType("Mono.Runtime") == null;

        static int Main(string[] args)
        {
            if (args.Length > 0 && args[0] == "child") return Child.Run(args);
            int passed = 0, failed = 0;
            foreach (MethodInfo test in All().Where(t => args.Length == 0 || args.Contains(t.Name)))
            {
                Exception error = Run(test);
                if (error == null) passed++; else failed++;
                Console.WriteLine((error == null ? "ok    " : "FAIL  ") + test.Name);
                if (error != null) Console.WriteLine("      " + error.ToString().Replace("\n", "\n      "));
                Console.Out.Flush();
            }
            Console.WriteLine(passed + " passed, " + failed + " failed");
            return failed == 0 && passed > 0 ? 0 : 1;
        }

        static IEnumerable<MethodInfo> All()
        {
            return from type in Assembly.GetExecutingAssembly().GetTypes()
                   where type.IsDefined(typeof(TestsAttribute), false)
                   orderby type.Name
                   from method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)
                   select method;
        }

        static Exception Run(MethodInfo test)
        {
            Task body = Task.Run(() => { test.Invoke(null, null); });
            try
            {
                if (!body.Wait(Limit)) { Console.WriteLine("FAIL  " + test.Name + " hangs"); Environment.Exit(1); }
                NothingLeft();
                return null;
            }
            catch (AggregateException e) { return e.InnerException is TargetInvocationException ? e.InnerException.InnerException : e.InnerException; }
            catch (Exception e) { return e; }
        }

        /// <summary>A test closes what it opened. Ends that find out themselves that the other end closed need a moment.</summary>
        static void NothingLeft()
        {
            if (OnWindows) return; // where handles are the system's, and not ours alone
            if (!SpinWait.SpinUntil(() => Libanypipe.Api.OpenHandles() == UIntPtr.Zero, Limit / 2))
                throw new Exception(Libanypipe.Api.OpenHandles() + " handles are open after it");
        }
    }

    /// <summary>What tests say and wait for.</summary>
    static class Check
    {
        static int names;

        /// <summary>Whether this Windows is Wine, which docs/semantics.md names exceptions for.</summary>
        public static bool InWine
        {
            get
            {
                if (!Runner.OnWindows) return false;
                try { return wine_get_version() != IntPtr.Zero; }
                catch (EntryPointNotFoundException) { return false; }
            }
        }

        [DllImport("ntdll.dll")] static extern IntPtr wine_get_version();

        /// <summary>A pipe's name that nobody else uses.</summary>
        public static string NewName() { return "csharp-" + Process.GetCurrentProcess().Id + "-" + Interlocked.Increment(ref names); }

        public static void Equal<T>(T got, T want, string what)
        {
            if (!EqualityComparer<T>.Default.Equals(got, want)) throw new Exception(what + ": got " + got + ", want " + want);
        }

        public static void True(bool condition, string what) { if (!condition) throw new Exception("not so: " + what); }

        public static void Same(byte[] got, byte[] want, string what)
        {
            if (!got.SequenceEqual(want)) throw new Exception(what + ": got " + got.Length + " bytes, want " + want.Length + " or others");
        }

        /// <summary>Expects an action to fail with a Win32 number.</summary>
        public static PipeException Fails(int number, Action action)
        {
            try { action(); }
            catch (PipeException e)
            {
                if (e.NativeErrorCode != number) throw new Exception("got " + e.NativeErrorCode + ", want " + number + ": " + e, e);
                return e;
            }
            throw new Exception("it succeeded, want error " + number);
        }

        public static PipeException Fails(int number, Task task) { return Fails(number, () => Wait(task)); }

        public static void Throws<T>(Action action) where T : Exception
        {
            try { action(); }
            catch (T) { return; }
            throw new Exception("it did not throw " + typeof(T).Name);
        }

        public static void Cancelled(Task task) { Throws<OperationCanceledException>(() => Wait(task)); }

        public static void Wait(Task task)
        {
            if (!((IAsyncResult)task).AsyncWaitHandle.WaitOne(Runner.Limit / 2)) throw new Exception("it hangs");
            task.GetAwaiter().GetResult();
        }

        public static T Wait<T>(Task<T> task) { Wait((Task)task); return task.Result; }

        public static void Until(Func<bool> condition, string what)
        {
            if (!SpinWait.SpinUntil(condition, Runner.Limit / 2)) throw new Exception("it never came: " + what);
        }

        /// <summary>A message of a length that no other length begins with.</summary>
        public static byte[] Pattern(int length)
        {
            var bytes = new byte[length];
            for (int i = 0; i < length; i++) bytes[i] = (byte)((length + i) % 251);
            return bytes;
        }
    }
}
