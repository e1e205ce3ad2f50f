using System;
using System.IO;
using System.IO.Pipes;
using System.Threading;
using Microsoft.Win32.SafeHandles;

namespace AsyncPipe.Windows
{
    /// <summary>Pipes by System.IO.Pipes, on Windows.</summary>
    internal sealed class Backend : IBackend
    {
        const int Slice = 100; // milliseconds: WaitNamedPipe can't be cancelled

        public IPipeEnd Dial(string path, PipeClientOptions options, CancellationToken cancel)
        {
            var deadline = new Deadline(options.ConnectTimeout);
            for (;;)
            {
                cancel.ThrowIfCancellationRequested();
                int error;
                SafePipeHandle handle = Win32.Open(path, out error);
                if (handle != null) return Connected(handle, options);
                if (error == PipeError.PipeBusy && options.ConnectTimeout != 0)
                {
                    error = deadline.Passed ? PipeError.Timeout : Win32.Wait(path, deadline.Next(Slice));
                    if (error == 0 || error == PipeError.Timeout && !deadline.Passed) continue;
                }
                throw new PipeException(error, "open " + path);
            }
        }

        static IPipeEnd Connected(SafePipeHandle handle, PipeClientOptions options)
        {
            var stream = new NamedPipeClientStream(PipeDirection.InOut, true, true, handle);
            try
            {
                if (options.Type == PipeType.Message) stream.ReadMode = PipeTransmissionMode.Message;
                return new End(stream, options.Type);
            }
            catch (Exception e)
            {
                stream.Dispose();
                throw End.Translate(e, "open", PipeError.InvalidParameter);
            }
        }

        public void Wait(string path, int timeout, CancellationToken cancel)
        {
            var deadline = new Deadline(timeout);
            for (;;)
            {
                cancel.ThrowIfCancellationRequested();
                int error = Win32.Wait(path, deadline.Next(Slice));
                if (error == 0) return;
                if (error != PipeError.Timeout || deadline.Passed) throw new PipeException(error, "wait for " + path);
            }
        }

        public IPipeListener Listen(string path, PipeServerOptions options) { return new Listener(path, options); }
    }
}
