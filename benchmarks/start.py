"""From a clean clone to the first page, with packages cached; then the second start. Everything goes through ./run, as a person would."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

import figures

PORT = int(os.environ.get("BENCH_PORT", "19900"))
PATIENCE_S = 600


def start(clone):
    """Runs ./run until its address shows a page. Returns the seconds it took and the process."""
    began = time.monotonic()
    environment = {**os.environ, "CI": "true", "PYTHONUNBUFFERED": "1"}
    run = subprocess.Popen(
        ["./run", "--port", str(PORT), "--no-browser"], cwd=clone, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    silent_since, longest_silence, said = began, 0.0, []
    for line in run.stdout:
        now = time.monotonic()
        longest_silence, silent_since = max(longest_silence, now - silent_since), now
        said.append(line)
        address = re.search(r"http://\S+", line)
        if address:
            with urllib.request.urlopen(address.group(), timeout=30) as page:
                assert page.status == 200 and b"<html" in page.read()
            return time.monotonic() - began, longest_silence, run
        if now - began > PATIENCE_S:
            break
    stop(run)
    raise SystemExit("./run printed no address:\n" + "".join(said))


def stop(run):
    if run.poll() is None:
        run.send_signal(signal.SIGINT)
    run.stdout.read()
    run.wait(timeout=60)


def main():
    options = figures.arguments(rounds=3)
    table = figures.Figures()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dashboard-bench-", dir="/var/tmp"))
    try:
        clone = folder / "dashboard"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ".", str(clone)], check=True)
        first, silence, run = start(clone)
        stop(run)
        again = []
        for _ in range(options.rounds):
            seconds, _, run = start(clone)
            stop(run)
            again.append(seconds)
        table.seconds("first start from a clean clone to the first page", [first], 150)
        table.seconds("longest silence meanwhile", [silence], 15)
        table.seconds("second start to the first page", again, 10)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table.print(options.strict)


if __name__ == "__main__":
    main()
