"""What the supervisor may ask of a running trainer: to stop after a checkpoint, or to checkpoint and go on."""
import os
import signal
import time

STOPPED = 143


class Requests:
    """`out/STOP` or TERM means stop; `out/CHECKPOINT` means save now. Polled after each step."""

    def __init__(self, out):
        self.stop_file = os.path.join(out, "STOP")
        self.checkpoint_file = os.path.join(out, "CHECKPOINT")
        self._terminated = False
        signal.signal(signal.SIGTERM, self._on_term)

    def _on_term(self, *_):
        self._terminated = True

    def stop(self):
        return self._terminated or os.path.exists(self.stop_file)

    def checkpoint(self):
        """True once per request: the file goes before the save starts, so one made meanwhile counts again."""
        try:
            os.unlink(self.checkpoint_file)
            return True
        except FileNotFoundError:
            return False

    def pause(self, seconds):
        """Waits that long, or until a stop is asked for."""
        until = time.monotonic() + seconds
        while not self.stop() and time.monotonic() < until:
            time.sleep(max(0.0, min(0.1, until - time.monotonic())))
