"""logcap.py FILE MIB STARTING: appends stdin to FILE until it holds MIB mebibytes; of what follows it keeps only the last one.

Never truncates or rotates: the server reads by byte offset. Past the cap it writes one line that says so, and at
the end of the stream the last mebibyte of what was dropped, because that is where the traceback is. STARTING is a file that it
deletes once it has left the trainer's process group.
"""
import contextlib
import os
import signal
import sys

TAIL = 1 << 20


def append(fd, data):
    try:
        while data:
            data = data[os.write(fd, data):]
    except OSError:
        pass  # a full disk must not break the pipe under the trainer


def main(path, cap, starting):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.setpgid(0, 0)  # out of the trainer's group: a KILL there must not cost the last lines
    with contextlib.suppress(FileNotFoundError):
        os.unlink(starting)
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    room = cap - os.fstat(fd).st_size
    tail, dropped = b"", 0
    while True:
        data = os.read(0, 1 << 16)
        if not data:
            break
        if room > 0:
            append(fd, data[:room])
            data, room = data[room:], room - len(data)
            if room <= 0:
                append(fd, b"\n[log] %d MiB reached; only the last 1 MiB of what follows is kept\n" % (cap >> 20))
        dropped += len(data)
        tail = (tail + data)[-TAIL:] if room <= 0 else b""
    if tail:
        append(fd, b"[log] %d bytes left out here\n" % (dropped - len(tail)))
        append(fd, tail)


if __name__ == "__main__":
    main(sys.argv[1], int(float(sys.argv[2]) * (1 << 20)), sys.argv[3])
