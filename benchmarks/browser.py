"""The system's Chromium over its debugging pipe: no driver to install, no port to open."""

import itertools
import json
import os
import subprocess
import time

ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync", "--disable-component-update",
             "--disable-quic", "--remote-debugging-pipe", "--window-size=1440,900"]


class Browser:
    """`with Browser(folder) as page:`; one page, driven in its own time."""

    def __init__(self, folder):
        self.folder = folder
        self.numbers = itertools.count(1)
        self.session = None

    def __enter__(self):
        theirs_in, self.to = os.pipe()
        self.of, theirs_out = os.pipe()

        def place():  # Chromium reads commands from 3 and writes answers to 4
            source, sink = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(source, 3)
            os.dup2(sink, 4)

        self.process = subprocess.Popen(["chromium", *ARGUMENTS, f"--user-data-dir={self.folder}/chromium", "about:blank"], close_fds=False, preexec_fn=place,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.rest = b""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)

    def call(self, method, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters, **({"sessionId": self.session} if self.session else {})}
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def evaluate(self, script):
        """The value of a script; a promise is awaited."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("exception", {}).get("description", "the page's script failed"))
        return result["result"].get("value")

    def go(self, url):
        self.call("Page.navigate", url=url)

    def until(self, script, patience_s=60):
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            try:
                value = self.evaluate(script)
            except RuntimeError:  # a page between two documents
                value = None
            if value:
                return value
            time.sleep(0.05)
        raise SystemExit(f"Not within {patience_s} s: {script}")

    def press(self, character):
        """One key, as the browser's own input: down with its text, and up."""
        self.call("Input.dispatchKeyEvent", type="keyDown", text=character, key=character)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=character)

    def erase(self):
        key = {"key": "Backspace", "code": "Backspace", "windowsVirtualKeyCode": 8}
        self.call("Input.dispatchKeyEvent", type="rawKeyDown", **key)
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def _read(self):
        while b"\0" not in self.rest:
            chunk = os.read(self.of, 1 << 20)
            if not chunk:
                raise SystemExit("Chromium has ended.")
            self.rest += chunk
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)
