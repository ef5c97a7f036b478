"""The custom command: runs the bundle's script in a folder of its own and gathers the files to bring home."""
import os
import platform
import shutil
import stat
import subprocess
import time
from pathlib import Path, PurePosixPath

import artifacts
from spec import SpecError
from stopping import STOPPED

NOT_FOUND = 127


def collect(work, patterns, files):
    """Copies what the globs match below `work` to `files`. Returns (missing patterns, refused paths)."""
    root = os.path.realpath(work)
    missing, refused = [], []
    for pattern in patterns:
        found = False
        for match in sorted(Path(work).glob(pattern)):
            for path in sorted(match.rglob("*")) if match.is_dir() else [match]:
                if path.is_dir():
                    continue
                name, real = os.path.relpath(path, work), os.path.realpath(path)
                # A link may point anywhere on the machine, a name with a line break would forge a manifest line.
                if not real.startswith(root + os.sep) or "\n" in name or not os.path.exists(real) or not stat.S_ISREG(os.stat(real).st_mode):
                    refused.append(name)
                    continue
                target = os.path.join(files, name)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                if os.path.realpath(os.path.dirname(target)).startswith(os.path.realpath(files)):
                    shutil.copyfile(real, target)
                    found = True
        if not found:
            missing.append(pattern)
    return missing, refused


def check_patterns(patterns):
    for pattern in patterns:
        if not isinstance(pattern, str) or not pattern or PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
            raise SpecError("command.collect must name files below the work folder, not %r" % (pattern,))


def run(spec, root, bundle, out, metrics, requests):
    """Returns the script's own exit code, or 143 when it ended in peace because it was asked to."""
    command = spec.section("command")
    script = os.path.join(bundle, command.get("script", "script.sh"))
    if not os.path.realpath(script).startswith(os.path.realpath(bundle) + os.sep) or not os.path.isfile(script):
        raise SpecError("command.script: no file %r in the bundle" % command.get("script", "script.sh"))
    patterns = command.get("collect", [])
    check_patterns(patterns)
    work, files = os.path.join(root, "work"), os.path.join(out, "files")
    for folder in (work, files):
        os.makedirs(folder, exist_ok=True)
    environment = {key: value for key, value in os.environ.items() if key != "CONTAINER_API_KEY"}
    environment.update(GD_OUT=files, GD_METRICS=os.path.join(root, "metrics.jsonl"), GD_DATA=os.path.join(bundle, "data"),
                       GD_STOP=requests.stop_file, GD_CHECKPOINT=requests.checkpoint_file,
                       GD_SAVE=os.path.join(bundle, "savepoint.py"), GD_ROOT_OF_ATTEMPT=root, GD_ATTEMPT=str(spec.get("attempt", 1)),
                       GD_KEEP=str(spec.positive("save.keep", 2)))
    resumed = artifacts.to_resume(out, bundle)
    environment["GD_RESUME"] = resumed[1] if resumed else ""
    metrics.write("start", backend="command", versions={"python": platform.python_version()}, total_steps=None, resumed_from=resumed[0] if resumed else None)
    metrics.phase("train")
    clock = time.monotonic()
    # Descriptors stay open: the script keeps the trainer's lock, so no second one starts while it lives.
    code = subprocess.call(["sh", script], cwd=work, env=environment, stdin=subprocess.DEVNULL, close_fds=False)
    seconds = round(time.monotonic() - clock, 3)
    code = 128 - code if code < 0 else code
    if code == 0 and requests.stop():
        code = STOPPED  # cut short, whatever the script made of it
    if code == NOT_FOUND:
        print("this machine runs the script with what its image has")
    metrics.phase("save")
    missing, refused = collect(work, patterns, files)
    for pattern in missing:
        print("missing: nothing below the work folder matches %s" % pattern)
    for name in refused:
        print("refused: %s is no plain file below the work folder" % name.encode("unicode_escape").decode())
    reason = "done" if code == 0 else "stopped" if code == STOPPED else "failed"
    artifacts.write(os.path.join(out, "result.json"), {
        "v": 1, "backend": "command", "reason": reason, "exit_code": code, "missing": missing, "refused": refused, "seconds": seconds,
        "versions": {"python": platform.python_version()}})
    artifacts.write_manifest(out, ["files", "result.json"])
    metrics.write("end", reason=reason, elapsed_s=seconds)
    return code
