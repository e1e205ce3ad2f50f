using System;
using System.IO;
using System.IO.Pipes;
using System.Threading;
using System.Threading.Tasks;

namespace AsyncPipe.Windows
{
    /// <summary>An end of a connection that System.IO.Pipes carries.</summary>
    internal sealed class End : IPipeEnd
    {
        readonly PipeStream stream;
        readonly bool messages;
        readonly Action<NamedPipeServerStream, bool> release; // null at clients

        readonly object gate = new object();
        // gate guards the fields below. An operation starts under it, so that none reaches the instance's next client.
        int running;       // operations that are not over
        bool closed;
        bool disconnected;
        bool usable; // what release is told

        /// <summary>The end of a client.</summary>
        public End(NamedPipeClientStream stream, PipeType type)
        {
            this.stream = stream;
            messages = type == PipeType.Message;
        }

        /// <summary>An end of a server.</summary>
        /// <param name="stream">The instance, which has a client.</param>
        /// <param name="release">Gets the instance back when the end is closed and nothing runs on it any more: disconnected and
        /// ready for the next client, or closed.</param>
        /// <param name="type">The pipe's type.</param>
        public End(NamedPipeServerStream stream, Action<NamedPipeServerStream, bool> release, PipeType type)
        {
            this.stream = stream;
            messages = type == PipeType.Message;
            this.release = release;
        }

        public async Task<Chunk> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancel)
        {
            int length;
            bool complete;
            Enter("read");
            try
            {
                length = await OffPort(stream.ReadAsync(buffer, offset, count, cancel)).ConfigureAwait(false);
                complete = !messages || stream.IsMessageComplete;
                // Nothing read is an empty message, or the end, which some versions of System.IO.Pipes don't note when it comes
                // to a waiting read. So the last message before the end can't be an empty one here.
                uint available;
                if (length == 0 && (!stream.IsConnected || Win32.Peek(stream.SafePipeHandle, out available) != 0))
                    throw Failure(null, "read", PipeError.BrokenPipe);
            }
            catch (Exception e) when (IsOurs(e, cancel)) { throw Failure(e, "read", PipeError.BrokenPipe); }
            finally { Leave(); }
            return new Chunk(length, !complete);
        }

        public async Task WriteAsync(byte[] data, CancellationToken cancel)
        {
            cancel.ThrowIfCancellationRequested();
            Enter("write");
            try
            {
                if (data.Length > 0) { await OffPort(stream.WriteAsync(data, 0, data.Length, cancel)).ConfigureAwait(false); return; }
                int error = Win32.WriteEmpty(stream.SafePipeHandle);
                if (error != 0) throw new PipeException(error, "write");
            }
            catch (Exception e) when (IsOurs(e, cancel)) { throw Failure(e, "write", PipeError.NoData); }
            finally { Leave(); }
        }

        public void Write(byte[] data, int timeout)
        {
            Enter("write");
            using (var limit = new CancellationTokenSource())
            {
                try
                {
                    if (timeout != Timeout.Infinite) limit.CancelAfter(timeout);
                    if (data.Length > 0) { stream.WriteAsync(data, 0, data.Length, limit.Token).GetAwaiter().GetResult(); return; }
                    int error = Win32.WriteEmpty(stream.SafePipeHandle);
                    if (error != 0) throw new PipeException(error, "write");
                }
                catch (OperationCanceledException e) when (limit.IsCancellationRequested) { throw new PipeException(PipeError.Timeout, "write", e); }
                catch (Exception e) when (IsOurs(e, CancellationToken.None)) { throw Failure(e, "write", PipeError.NoData); }
                finally { Leave(); }
            }
        }

        /// <summary>System.IO.Pipes has no TransactNamedPipe; this reads before it writes, so that a large request and a large answer
        /// don't wait for each other.</summary>
        public async Task<Chunk> TransactAsync(byte[] request, byte[] buffer, CancellationToken cancel)
        {
            uint unread;
            int error;
            Enter("transact");
            try { error = Win32.Peek(stream.SafePipeHandle, out unread); }
            catch (Exception e) when (IsOurs(e, cancel)) { throw Failure(e, "transact", PipeError.BadPipe); }
            finally { Leave(); }
            if (error != 0) throw new PipeException(error == PipeError.BrokenPipe ? PipeError.BadPipe : error, "transact");
            if (unread > 0) throw new PipeException(PipeError.PipeBusy, "transact");
            using (var together = CancellationTokenSource.CreateLinkedTokenSource(cancel))
            {
                Task<Chunk> answer = ReadAsync(buffer, 0, buffer.Length, together.Token);
                try { await WriteAsync(request, cancel).ConfigureAwait(false); }
                catch
                {
                    together.Cancel();
                    try { await answer.ConfigureAwait(false); } catch { } // the write's failure is the one to tell
                    throw;
                }
                return await answer.ConfigureAwait(false);
            }
        }

        /// <summary>FlushFileBuffers holds a thread and can't be cancelled: a cancelled call no longer waits for it, and it ends with
        /// the connection at the latest.</summary>
        public async Task FlushAsync(CancellationToken cancel)
        {
            cancel.ThrowIfCancellationRequested();
            Task flush = Task.Factory.StartNew(Drain, CancellationToken.None,
                TaskCreationOptions.LongRunning | TaskCreationOptions.RunContinuationsAsynchronously, TaskScheduler.Default);
            var cancelled = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            using (cancel.Register(() => cancelled.TrySetResult(true)))
                if (await Task.WhenAny(flush, cancelled.Task).ConfigureAwait(false) != flush) throw new OperationCanceledException(cancel);
            await flush.ConfigureAwait(false);
        }

        void Drain()
        {
            Enter("flush");
            try { stream.WaitForPipeDrain(); }
            catch (Exception e) when (IsOurs(e, CancellationToken.None)) { throw Failure(e, "flush", PipeError.BrokenPipe); }
            finally { Leave(); }
        }

        public void Disconnect()
        {
            Enter("disconnect");
            try
            {
                ((NamedPipeServerStream)stream).Disconnect();
                lock (gate) disconnected = true;
            }
            catch (Exception e) when (IsOurs(e, CancellationToken.None)) { throw Failure(e, "disconnect", PipeError.NotConnected); }
            finally { Leave(); }
        }

        public PipePeer Peer()
        {
            Enter("ask who is at the other end");
            try
            {
                var server = stream as NamedPipeServerStream;
                if (server == null)
                    return new PipePeer { ProcessId = Win32.ServerProcessId(stream.SafePipeHandle), SessionId = Win32.ServerSessionId(stream.SafePipeHandle) };
                var peer = new PipePeer { ProcessId = Win32.ClientProcessId(stream.SafePipeHandle), SessionId = Win32.ClientSessionId(stream.SafePipeHandle) };
                try { peer.UserName = server.GetImpersonationUserName(); }
                catch (IOException) { } // not known before a message was read
                return peer;
            }
            catch (Exception e) when (IsOurs(e, CancellationToken.None)) { throw Failure(e, "ask who is at the other end", PipeError.NotConnected); }
            finally { Leave(); }
        }

        public void Dispose()
        {
            lock (gate)
            {
                if (closed) return;
                closed = true;
                running++; // until this is done
            }
            // An instance without its client is disconnected and used again: the name would vanish with a last instance that closes.
            // With a client it is closed, so that what was sent stays readable.
            if (release != null && PrepareForNext()) usable = true;
            else stream.Dispose();
            Leave();
        }

        bool PrepareForNext()
        {
            try
            {
                if (disconnected) return true;
                uint available;
                if (Win32.Peek(stream.SafePipeHandle, out available) != PipeError.BrokenPipe) return false;
                ((NamedPipeServerStream)stream).Disconnect();
                return true;
            }
            catch (Exception e) when (e is IOException || e is InvalidOperationException) { return false; }
        }

        void Enter(string doing)
        {
            lock (gate)
            {
                if (closed) throw new PipeException(PipeError.Aborted, doing);
                running++;
            }
        }

        void Leave()
        {
            bool last;
            lock (gate) last = --running == 0 && closed;
            if (last) release?.Invoke((NamedPipeServerStream)stream, usable);
        }

        /// <summary>Goes on on a worker of the thread pool. System.IO.Pipes goes on on the few threads of the completion port, where a
        /// handler that waits for its own send would wait for its own thread.</summary>
        static Task<T> OffPort<T>(Task<T> task)
        {
            return task.IsCompleted ? task
                : task.ContinueWith(done => done, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Unwrap();
        }

        static Task OffPort(Task task)
        {
            return task.IsCompleted ? task
                : task.ContinueWith(done => done, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Unwrap();
        }

        /// <summary>Whether an exception is to be told as a PipeException: all but the caller's cancellation.</summary>
        static bool IsOurs(Exception e, CancellationToken cancel)
        {
            if (e is PipeException) return false;
            if (e is OperationCanceledException) return !cancel.IsCancellationRequested;
            return e is IOException || e is ObjectDisposedException || e is InvalidOperationException || e is UnauthorizedAccessException;
        }

        /// <summary>Finds the Win32 number: the stream's, or where it kept none the one that the connection's state gives.</summary>
        PipeException Failure(Exception e, string doing, int closedNumber)
        {
            lock (gate) if (closed) return new PipeException(PipeError.Aborted, doing, e);
            int number = Number(e);
            if (number == 0 || e is InvalidOperationException)
            {
                uint available;
                try { number = Win32.Peek(stream.SafePipeHandle, out available); }
                catch (ObjectDisposedException) { number = PipeError.Aborted; }
                catch (InvalidOperationException) { number = PipeError.NotConnected; } // a server stream that has disconnected
            }
            if (number == 0 || number == PipeError.BrokenPipe) number = closedNumber;
            return new PipeException(number, doing, e);
        }

        /// <summary>The Win32 number in an exception of System.IO, or 0.</summary>
        static int Number(Exception e)
        {
            if (e is OperationCanceledException) return PipeError.Aborted;
            if (e == null || (e.HResult & 0xFFFF0000) != 0x80070000) return 0;
            return e.HResult & 0xFFFF;
        }

        /// <summary>The PipeException for an exception of a stream that is not used yet.</summary>
        public static Exception Translate(Exception e, string doing, int otherwise)
        {
            int number = Number(e);
            return new PipeException(number == 0 ? otherwise : number, doing, e);
        }
    }
}
