// Load.cs: the library in a .NET process: null references, arithmetic faults, child processes, threads and the collector are what they were.
// What mono can't do with it (callbacks on foreign threads, suspending by signals) is in docs/c.md.
using System;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading;

static class Load
{
    [DllImport("libanypipe.so.1")] static extern int anypipe_pair(UIntPtr quota, out ulong read, out ulong write);
    [DllImport("libanypipe.so.1")] static extern int anypipe_read(ulong end, byte[] buffer, UIntPtr size, out UIntPtr length, long timeout);
    [DllImport("libanypipe.so.1")] static extern int anypipe_write(ulong end, byte[] data, UIntPtr size, out UIntPtr length, long timeout);
    [DllImport("libanypipe.so.1")] static extern int anypipe_close(ulong handle);
    [DllImport("libanypipe.so.1")] static extern UIntPtr anypipe_open_handles();

    static string nothing = Environment.GetEnvironmentVariable("no such variable");

    static void Must(bool condition, string what)
    {
        if (!condition) throw new Exception("not so: " + what);
    }

    static void RoundTrip()
    {
        ulong r, w;
        UIntPtr n;
        var buffer = new byte[8];
        Must(anypipe_pair(UIntPtr.Zero, out r, out w) == 0, "pair");
        Must(anypipe_write(w, new byte[] { 1, 2, 3 }, (UIntPtr)3, out n, -1) == 0, "write");
        Must(anypipe_read(r, buffer, (UIntPtr)8, out n, -1) == 0 && (int)n == 3 && buffer[2] == 3, "read");
        Must(anypipe_close(r) == 0 && anypipe_close(w) == 0, "close");
    }

    static void Faults()
    {
        try { Must(nothing.Length == 0, "null has a length"); throw new Exception("no NullReferenceException"); }
        catch (NullReferenceException) { }
        try { int zero = nothing == null ? 0 : 1; Must(1 / zero == 0, "division"); throw new Exception("no DivideByZeroException"); }
        catch (DivideByZeroException) { }
    }

    static void Child()
    {
        var start = new ProcessStartInfo("echo", "child") { RedirectStandardOutput = true, UseShellExecute = false };
        using (var child = Process.Start(start))
        {
            Must(child.StandardOutput.ReadToEnd() == "child\n", "the child's output");
            child.WaitForExit();
            Must(child.ExitCode == 0, "the child's exit code");
        }
    }

    static int Main()
    {
        Faults();
        RoundTrip();
        for (int i = 0; i < 50; i++) { Faults(); RoundTrip(); }
        Child();
        var threads = new Thread[16];
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(() => { for (int j = 0; j < 50; j++) { Faults(); RoundTrip(); if (j % 10 == 0) GC.Collect(); } });
            threads[i].Start();
        }
        foreach (var t in threads) t.Join();
        Child();
        Must(anypipe_open_handles() == UIntPtr.Zero, "handles are open");
        Console.WriteLine("ok");
        return 0;
    }
}
