using System;
using System.Threading;
using System.Threading.Tasks;

namespace AsyncPipe
{
    /// <summary>An end in use: from the moment it is connected to its end, which happens once.</summary>
    internal sealed class Link
    {
        public readonly IPipeEnd End;
        readonly MessageReader reader;
        readonly object closing = new object(); // is held while the end closes
        int pumped;              // atomic: 1 while somebody has the pump, or when nobody may have it any more
        int ended;               // atomic: 1 when somebody took the end
        volatile Exception why;  // written once, before the end is closed

        public Link(IPipeEnd end, PipeConnectionOptions options)
        {
            End = end;
            reader = new MessageReader(end, options);
        }

        public bool Ended { get { return Volatile.Read(ref ended) != 0; } }

        /// <summary>Why it ended; null for this program's will.</summary>
        public Exception Why { get { return why; } }

        /// <summary>True for the one who gives messages to handlers from now on, and tells them of the end.</summary>
        public bool TakePump() { return Interlocked.Exchange(ref pumped, 1) == 0; }

        public void ReturnPump() { Volatile.Write(ref pumped, 0); }

        /// <summary>True for the one who is to close the end.</summary>
        public bool TakeEnd(Exception error)
        {
            if (Interlocked.Exchange(ref ended, 1) != 0) return false;
            why = error;
            return true;
        }

        /// <summary>Closes the end. When it returns the end is closed, also if another thread was at it.</summary>
        public void Close() { lock (closing) End.Dispose(); }

        public Task WriteAsync(byte[] message, CancellationToken cancel)
        {
            if (Ended) return Task.FromException(Gone("send", PipeError.NoData));
            Task task = End.WriteAsync(message, cancel);
            return task.Status == TaskStatus.RanToCompletion ? task : ExplainAsync(task, "send", PipeError.NoData);
        }

        public void Write(byte[] message, int timeout)
        {
            if (Ended) throw Gone("send", PipeError.NoData);
            try { End.Write(message, timeout); }
            catch (PipeException e) when (e.NativeErrorCode == PipeError.Aborted && Ended) { throw Gone("send", PipeError.NoData); }
        }

        public async Task<byte[]> ReadAsync(CancellationToken cancel)
        {
            if (Ended) throw Gone("receive", PipeError.BrokenPipe);
            Task<byte[]> task = reader.ReadAsync(cancel);
            await ExplainAsync(task, "receive", PipeError.BrokenPipe).ConfigureAwait(false);
            return task.Result;
        }

        public async Task<byte[]> TransactAsync(byte[] request, CancellationToken cancel)
        {
            if (Ended) throw Gone("request", PipeError.BadPipe);
            Task<byte[]> task = reader.TransactAsync(request, cancel);
            await ExplainAsync(task, "request", PipeError.BrokenPipe).ConfigureAwait(false);
            return task.Result;
        }

        /// <summary>An operation that was under way when another one found the end fails with what that one found, not with this
        /// end's closing.</summary>
        async Task ExplainAsync(Task task, string doing, int closed)
        {
            try { await task.ConfigureAwait(false); }
            catch (PipeException e) when (e.NativeErrorCode == PipeError.Aborted && Ended) { throw Gone(doing, closed); }
        }

        /// <summary>What Windows says when the other end had closed depends on what is tried then.</summary>
        Exception Gone(string doing, int closed)
        {
            var error = why as PipeException;
            int number = error == null ? PipeError.Aborted : error.NativeErrorCode;
            if (number == PipeError.BrokenPipe || number == PipeError.NoData) number = closed;
            return new PipeException(number, doing, why);
        }
    }

    /// <summary>A time limit beside a caller's own cancellation.</summary>
    internal sealed class TimeLimit : IDisposable
    {
        readonly CancellationTokenSource source; // null without a limit
        readonly CancellationToken callers;

        public TimeLimit(int timeout, CancellationToken cancel)
        {
            callers = cancel;
            if (timeout == Timeout.Infinite) return;
            source = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            source.CancelAfter(timeout);
        }

        public CancellationToken Token { get { return source == null ? callers : source.Token; } }

        public async Task Run(Task task, string doing)
        {
            try { await task.ConfigureAwait(false); }
            catch (OperationCanceledException) when (source != null && !callers.IsCancellationRequested)
            { throw new PipeException(PipeError.Timeout, doing); }
        }

        public async Task<T> Run<T>(Task<T> task, string doing)
        {
            await Run((Task)task, doing).ConfigureAwait(false);
            return task.Result;
        }

        public void Dispose() { source?.Dispose(); }
    }

    /// <summary>Runs handlers in a context, or without one on the thread pool.</summary>
    internal static class Delivery
    {
        /// <summary>Runs an action and does not wait for it.</summary>
        public static void Post(SynchronizationContext context, Action action)
        {
            if (context == null) ThreadPool.QueueUserWorkItem(state => action());
            else context.Post(state => action(), null);
        }

        /// <summary>Runs an action, on this thread if there is no context, and tells when it is done.</summary>
        public static Task RunAsync(SynchronizationContext context, Action action)
        {
            if (context == null) { action(); return Task.CompletedTask; }
            var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            context.Post(state =>
            {
                try { action(); done.SetResult(true); }
                catch (Exception e) { done.SetException(e); }
            }, null);
            return done.Task;
        }
    }
}
