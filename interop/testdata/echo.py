"""Sends stdin to the Unix socket argv[1], and writes what comes back until the end to stdout."""
import shutil
import socket
import sys
import threading

conn = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
conn.connect(sys.argv[1])


def send():
    conn.sendall(sys.stdin.buffer.read())
    conn.shutdown(socket.SHUT_WR)


sender = threading.Thread(target=send)
sender.start()
shutil.copyfileobj(conn.makefile("rb"), sys.stdout.buffer)
sender.join()
