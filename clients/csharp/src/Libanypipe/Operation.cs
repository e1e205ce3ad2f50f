using System;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace AsyncPipe.Libanypipe
{
    /// <summary>An operation that the library carries out. It keeps itself, and its buffers where they are, until the library is done
    /// with them.</summary>
    internal sealed class Operation
    {
        // The library calls this as long as the process lives, so that it must never be collected.
        static readonly Api.DoneCallback onDone = OnDone;

        readonly string doing;
        readonly TaskCompletionSource<Chunk> result = new TaskCompletionSource<Chunk>(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly GCHandle self;
        GCHandle first, second; // pinned buffers; second is not allocated unless there are two

        Operation(string doing, byte[] one, byte[] two)
        {
            this.doing = doing;
            self = GCHandle.Alloc(this);
            if (one != null) first = GCHandle.Alloc(one, GCHandleType.Pinned);
            if (two != null) second = GCHandle.Alloc(two, GCHandleType.Pinned);
        }

        public static Task<Chunk> Read(ulong end, byte[] buffer, int offset, int count, CancellationToken cancel)
        {
            var made = new Operation("read", buffer, null);
            ulong number; UIntPtr length;
            int error = Api.ReadStart(end, At(made.first, offset), (UIntPtr)count, onDone, made.Context, out number, out length);
            return made.Started(error, length, number, cancel);
        }

        public static Task<Chunk> Write(ulong end, byte[] data, CancellationToken cancel)
        {
            var made = new Operation("write", data, null);
            ulong number; UIntPtr length;
            int error = Api.WriteStart(end, At(made.first, 0), (UIntPtr)data.Length, onDone, made.Context, out number, out length);
            return made.Started(error, length, number, cancel);
        }

        public static Task<Chunk> Transact(ulong end, byte[] request, byte[] reply, CancellationToken cancel)
        {
            var made = new Operation("transact", request, reply);
            ulong number; UIntPtr length;
            int error = Api.TransactStart(end, At(made.first, 0), (UIntPtr)request.Length, At(made.second, 0), (UIntPtr)reply.Length,
                onDone, made.Context, out number, out length);
            return made.Started(error, length, number, cancel);
        }

        public static Task<Chunk> Flush(ulong end, CancellationToken cancel)
        {
            var made = new Operation("flush", null, null);
            ulong number;
            int error = Api.FlushStart(end, onDone, made.Context, out number);
            return made.Started(error, UIntPtr.Zero, number, cancel);
        }

        IntPtr Context { get { return GCHandle.ToIntPtr(self); } }

        static IntPtr At(GCHandle pinned, int offset) { return pinned.AddrOfPinnedObject() + offset; }

        Task<Chunk> Started(int error, UIntPtr length, ulong number, CancellationToken cancel)
        {
            if (error != Api.Pending)
            {
                if (error == Api.InvalidHandle) error = PipeError.Aborted; // the end was closed just before
                Complete(error, length, error == Api.Ok || error == Api.MoreData ? null : Api.Failure(error, doing));
                return result.Task;
            }
            return cancel.CanBeCanceled ? CancellableAsync(number, cancel) : result.Task;
        }

        async Task<Chunk> CancellableAsync(ulong number, CancellationToken cancel)
        {
            // If it is done by now, the number is no operation's any more and Cancel does nothing.
            using (cancel.Register(() => Api.Cancel(number)))
            {
                try { return await result.Task.ConfigureAwait(false); }
                catch (PipeException e) when (e.NativeErrorCode == PipeError.Aborted && cancel.IsCancellationRequested)
                { throw new OperationCanceledException(cancel); }
            }
        }

        void Complete(int error, UIntPtr length, PipeException failure)
        {
            self.Free();
            if (first.IsAllocated) first.Free();
            if (second.IsAllocated) second.Free();
            if (error == Api.Ok || error == Api.MoreData) result.TrySetResult(new Chunk((int)length, error == Api.MoreData));
            else result.TrySetException(failure);
        }

        /// <summary>Runs on a thread of the library, which no exception may reach: only allocation could throw here, and that ends a
        /// process anyway. Nothing of the program runs on it, as continuations run on the thread pool.</summary>
        static void OnDone(IntPtr context, int error, UIntPtr length)
        {
            MonoExit.Need();
            var operation = (Operation)GCHandle.FromIntPtr(context).Target;
            operation.Complete(error, length, error == Api.Ok || error == Api.MoreData ? null : new PipeException(error, operation.doing));
        }
    }
}
