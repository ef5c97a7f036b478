"""metrics.jsonl: one JSON object a line, one write() a line, so a reader never sees half of one followed by another."""
import json
import math
import os
import time


class Metrics:
    def __init__(self, path, attempt):
        self._attempt = attempt
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        # A killed trainer may have left half a line: end it, or the next line would be lost with it.
        size = os.fstat(self._fd).st_size
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            os.write(self._fd, b"\n")

    def write(self, type, **values):
        line = {"t": round(time.time(), 3), "type": type, "attempt": self._attempt}
        for key, value in values.items():
            if isinstance(value, float) and not math.isfinite(value):
                line["nonfinite"] = key  # NaN and infinities are not JSON
                value = None
            line[key] = value
        os.write(self._fd, (json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n").encode())

    def phase(self, phase, **values):
        self.write("phase", phase=phase, **values)
