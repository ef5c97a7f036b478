"""A sandbox marketplace and a server on it, as processes of their own with a data folder that is thrown away."""

import contextlib
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PORT = int(os.environ.get("BENCH_PORT", "19900"))
FIRST_INSTANCE_PORT = 44_400
PATIENCE_S = 120


def dll(project):
    return ROOT / "src" / project / "bin" / "Release" / "net10.0" / f"Dashboard.{project}.dll"


def call(method, url, body=None, headers=None):
    """The answer's JSON, or None when it has none."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json", **(headers or {})})
    with urllib.request.urlopen(request, timeout=30) as answer:
        content = answer.read()
    return json.loads(content) if content[:1] in (b"{", b"[") else None


def until(ask, what, patience_s=PATIENCE_S, every_s=0.01):
    """Asks again until the answer is true; returns it."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            answer = ask()
            if answer:
                return answer
        time.sleep(every_s)
    raise SystemExit(f"Not within {patience_s} s: {what}")


class World:
    """`with World(boot_seconds=2) as world:`; ports from BENCH_PORT on."""

    def __init__(self, boot_seconds):
        self.boot_seconds = boot_seconds
        self.server_url = f"http://localhost:{PORT}"
        self.market_url = f"http://127.0.0.1:{PORT + 1}"
        self.token = secrets.token_hex(24)
        self.control = secrets.token_hex(16)
        self.started = []

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dashboard-bench-", dir="/var/tmp"))
        self.folder.chmod(0o755)
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.started):
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def api(self, method, path, body=None):
        return call(method, f"{self.server_url}/api/v1/{path}", body, {"Authorization": f"Bearer {self.token}"})

    def market(self, method, path, body=None):
        return call(method, f"{self.market_url}{path}", body, {"Authorization": f"Bearer {self.market_key}"})

    def truth(self):
        return call("GET", f"{self.market_url}/sandbox/control/truth", headers={"X-Control-Token": self.control})

    def log_bytes(self, number):
        request = urllib.request.Request(f"{self.server_url}/api/v1/jobs/{number}/log?offset=0", headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def _start(self):
        data = self.folder / "data"
        sandbox = subprocess.Popen(
            ["dotnet", "exec", dll("Sandbox"), "--port", str(PORT + 1), "--data", data / "sandbox", "--tools", os.environ["DASHBOARD_TOOLS"],
             "--instance-ports", f"{FIRST_INSTANCE_PORT}-{FIRST_INSTANCE_PORT + 89}", "--boot-seconds", str(self.boot_seconds),
             "--ssh-delay-seconds", "0", "--key-delay-seconds", "0", "--list-lag-seconds", "1", "--control"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.started.append(sandbox)
        sandbox.stdin.write(f"{self.control}\n".encode())
        sandbox.stdin.flush()
        until(lambda: call("GET", f"{self.market_url}/sandbox/health"), "the market answers")
        self.market_key = (data / "sandbox" / "account.key").read_text().strip()
        with (self.folder / "server.log").open("wb") as log:
            self.started.append(subprocess.Popen(
                ["dotnet", "exec", dll("Web")],
                env={**os.environ, "ASPNETCORE_ENVIRONMENT": "Development", "ASPNETCORE_URLS": self.server_url, "Data__Directory": str(data), "Sandbox__Enabled": "true",
                     "Sandbox__Port": str(PORT + 1), "Bootstrap__Email": "bench@example.org", "Bootstrap__Password": secrets.token_hex(16), "Bootstrap__Team": "Bench",
                     "Bootstrap__ApiToken": self.token},
                stdout=log, stderr=log))
        until(lambda: self.api("GET", "connections"), "the sandbox is connected")
