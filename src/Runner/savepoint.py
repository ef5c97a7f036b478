"""python3 "$GD_SAVE" STEP PATH...: a custom command's checkpoint, whole or not at all. Files go in by their own names, folders with what is in them.

It becomes out/checkpoint-<step>/ with COMPLETE, is told of in metrics.jsonl, and comes home while the script runs. The next start, on this machine or
on another, finds the newest one in GD_RESUME. Exit codes: 0 saved, 64 no such use, 66 a path is not there, 73 disk full.
"""
import errno
import os
import shutil
import sys
import time

import artifacts
from metrics import Metrics

BAD_USE, NOT_THERE, DISK_FULL = 64, 66, 73


def gather(paths):
    """Name in the checkpoint -> file; links are left out, they mean nothing on another machine."""
    files = {}
    for path in paths:
        top = os.path.basename(os.path.normpath(path))
        if os.path.isfile(path):
            files[top] = path
            continue
        for folder, _, names in os.walk(path):
            for name in names:
                file = os.path.join(folder, name)
                if os.path.isfile(file) and not os.path.islink(file):
                    files[os.path.join(top, os.path.relpath(file, path))] = file
    return files


def save(out, step, paths, keep, metrics):
    clock = time.monotonic()
    name = "checkpoint-%d" % step
    size, digest = artifacts.copy_directory(os.path.join(out, name), gather(paths))
    metrics.write("checkpoint", step=step, path="out/" + name, bytes=size, seconds=round(time.monotonic() - clock, 3), sha256=digest)
    artifacts.prune(out, keep)


def main(arguments):
    if len(arguments) < 2 or not arguments[0].isdecimal() or "GD_ROOT_OF_ATTEMPT" not in os.environ:
        print('use: python3 "$GD_SAVE" STEP PATH...', file=sys.stderr)
        return BAD_USE
    for path in arguments[1:]:
        if not os.path.exists(path):
            print("savepoint: no such file or folder: %s" % path, file=sys.stderr)
            return NOT_THERE
    root = os.environ["GD_ROOT_OF_ATTEMPT"]
    attempt = os.environ.get("GD_ATTEMPT", "1")
    metrics = Metrics(os.path.join(root, "metrics.jsonl"), int(attempt) if attempt.isdecimal() else attempt)
    try:
        save(os.path.join(root, "out"), int(arguments[0]), arguments[1:], int(os.environ.get("GD_KEEP", "2")), metrics)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        shutil.rmtree(os.path.join(root, "out", "checkpoint-%s" % arguments[0]), ignore_errors=True)
        print("savepoint: disk full", file=sys.stderr)
        return DISK_FULL
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
