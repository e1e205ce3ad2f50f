using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;

namespace AsyncPipe.Libanypipe
{
    /// <summary>Finds and loads libanypipe. It is loaded by its file, not by DllImport's rules, which differ between mono and .NET and
    /// know neither the version in a library's name nor an environment variable.</summary>
    internal static class Library
    {
        const int Now = 2; // RTLD_NOW

        static readonly bool mac = Directory.Exists("/System/Library/CoreServices");

        /// <summary>Loads the library, for good: it holds threads, which can't be unloaded.</summary>
        public static IntPtr Load()
        {
            var tried = new List<string>();
            foreach (string file in Candidates())
            {
                if (Path.IsPathRooted(file) && !File.Exists(file)) { tried.Add(file); continue; }
                IntPtr library = Open(file);
                if (library != IntPtr.Zero) return library;
                tried.Add(file + " (" + Error() + ")");
            }
            throw new DllNotFoundException("libanypipe was not found; install it, or set ANYPIPE_LIBRARY to its path. Tried: " +
                string.Join(", ", tried));
        }

        public static T Function<T>(IntPtr library, string name)
        {
            IntPtr address = Symbol(library, name);
            if (address == IntPtr.Zero) throw new EntryPointNotFoundException("libanypipe has no " + name + ": it is another version");
            return Marshal.GetDelegateForFunctionPointer<T>(address);
        }

        static IEnumerable<string> Candidates()
        {
            string given = Environment.GetEnvironmentVariable("ANYPIPE_LIBRARY");
            if (!string.IsNullOrEmpty(given)) { yield return Path.GetFullPath(given); yield break; }
            string[] names = mac ? new[] { "libanypipe.1.dylib", "libanypipe.dylib" } : new[] { "libanypipe.so.1", "libanypipe.so" };
            foreach (string name in names) yield return Path.Combine(AppContext.BaseDirectory, name);
            foreach (string name in names) yield return name; // the system's folders
        }

        // glibc, musl and macOS keep the loader in different libraries; dlopen of the first that is there is used for all calls.
        static readonly Func<string, int, IntPtr> open;
        static readonly Func<IntPtr, string, IntPtr> symbol;
        static readonly Func<IntPtr> error;

        static Library()
        {
            try { Libdl.dlerror(); open = Libdl.dlopen; symbol = Libdl.dlsym; error = Libdl.dlerror; }
            catch (DllNotFoundException) { open = Libc.dlopen; symbol = Libc.dlsym; error = Libc.dlerror; }
        }

        static IntPtr Open(string file) { return open(file, Now); }
        static IntPtr Symbol(IntPtr library, string name) { return symbol(library, name); }
        static string Error() { return Marshal.PtrToStringAnsi(error()); }

        static class Libdl
        {
            [DllImport("libdl.so.2")] public static extern IntPtr dlopen(string file, int flags);
            [DllImport("libdl.so.2")] public static extern IntPtr dlsym(IntPtr library, string name);
            [DllImport("libdl.so.2")] public static extern IntPtr dlerror();
        }

        static class Libc
        {
            [DllImport("libc")] public static extern IntPtr dlopen(string file, int flags);
            [DllImport("libc")] public static extern IntPtr dlsym(IntPtr library, string name);
            [DllImport("libc")] public static extern IntPtr dlerror();
        }
    }
}
