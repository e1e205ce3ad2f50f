# load.py: the library in a Python process: KeyboardInterrupt, subprocess, multiprocessing and threads are what they were.
import ctypes, multiprocessing, os, signal, subprocess, sys, threading

lib = ctypes.CDLL("libanypipe.so.1")
handle, size = ctypes.c_uint64, ctypes.c_size_t
lib.anypipe_read.argtypes = [handle, ctypes.c_char_p, size, ctypes.POINTER(size), ctypes.c_int64]
lib.anypipe_write.argtypes = [handle, ctypes.c_char_p, size, ctypes.POINTER(size), ctypes.c_int64]
lib.anypipe_close.argtypes = [handle]
lib.anypipe_open_handles.restype = size


def pair():
    r, w = handle(), handle()
    assert lib.anypipe_pair(size(0), ctypes.byref(r), ctypes.byref(w)) == 0
    return r, w


def round_trip():
    r, w = pair()
    n, buffer = size(), ctypes.create_string_buffer(16)
    assert lib.anypipe_write(w, b"python", 6, ctypes.byref(n), -1) == 0
    assert lib.anypipe_read(r, buffer, 16, ctypes.byref(n), -1) == 0
    assert buffer.value == b"python" and n.value == 6
    assert lib.anypipe_close(r) == 0 and lib.anypipe_close(w) == 0


def in_child(results):
    r, w = handle(), handle()
    results.put(lib.anypipe_pair(size(0), ctypes.byref(r), ctypes.byref(w)))


def interrupted(action):
    try:
        action()
    except KeyboardInterrupt:
        return True
    return False


round_trip()

# KeyboardInterrupt, before and after, also while other threads wait in the library
r, w = pair()
n, byte = size(), ctypes.create_string_buffer(1)
waiting = [threading.Thread(target=lambda: lib.anypipe_read(r, ctypes.create_string_buffer(1), 1, ctypes.byref(size()), -1)) for _ in range(4)]
for t in waiting:
    t.start()
for _ in range(20):
    assert interrupted(lambda: (os.kill(os.getpid(), signal.SIGINT), signal.sigtimedwait([], 5)))
    assert interrupted(lambda: signal.raise_signal(signal.SIGINT))
    round_trip()

# a handler of Python's own, and alarms
seen = []
for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGPIPE, signal.SIGHUP):
    signal.signal(number, lambda number, _: seen.append(number))
    os.kill(os.getpid(), number)
    round_trip()
assert seen == [signal.SIGTERM, signal.SIGUSR1, signal.SIGPIPE, signal.SIGHUP], seen

# children
assert subprocess.run([sys.executable, "-c", "print('child')"], capture_output=True).stdout == b"child\n"
for method, want in (("fork", 50), ("spawn", 0)):
    context = multiprocessing.get_context(method)
    results = context.Queue()
    if __name__ != "__main__":
        break
    child = context.Process(target=in_child, args=(results,))
    child.start()
    got = results.get()
    child.join()
    assert got == want and child.exitcode == 0, (method, got, child.exitcode)

for end in (w, r):
    assert lib.anypipe_close(end) == 0
for t in waiting:
    t.join()
threads = [threading.Thread(target=lambda: [round_trip() for _ in range(50)]) for _ in range(16)]
for t in threads:
    t.start()
for t in threads:
    t.join()
if __name__ == "__main__":
    assert lib.anypipe_open_handles() == 0
    print("ok")
