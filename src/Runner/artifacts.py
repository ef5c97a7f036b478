"""Files that prove they are whole: hashes, COMPLETE in a directory, MANIFEST.sha256 over everything to bring home."""
import hashlib
import json
import os
import re
import shutil

COMPLETE = "COMPLETE"


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def write(path, data):
    """Writes bytes or JSON whole or not at all: temporary file, fsync, rename."""
    if not isinstance(data, bytes):
        data = (json.dumps(data, separators=(",", ":")) + "\n").encode()
    with open(path + ".part", "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".part", path)


def write_directory(path, files):
    """Writes name -> bytes or JSON, then COMPLETE (name -> size, sha256). Returns (bytes, sha256 of COMPLETE)."""
    shutil.rmtree(path, ignore_errors=True)  # what is there lacks COMPLETE or is being replaced
    os.makedirs(path)
    listing = {}
    for name, data in files.items():
        file = os.path.join(path, name)
        write(file, data)
        listing[name] = {"size": os.path.getsize(file), "sha256": sha256(file)}
    complete = os.path.join(path, COMPLETE)
    write(complete, listing)
    return sum(entry["size"] for entry in listing.values()), sha256(complete)


def copy_directory(path, files):
    """As write_directory, from name -> file on this machine."""
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    listing = {}
    for name, source in files.items():
        target = os.path.join(path, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(source, target)
        listing[name] = {"size": os.path.getsize(target), "sha256": sha256(target)}
    complete = os.path.join(path, COMPLETE)
    write(complete, listing)
    return sum(entry["size"] for entry in listing.values()), sha256(complete)


def is_complete(path):
    try:
        with open(os.path.join(path, COMPLETE), encoding="utf-8") as file:
            listing = json.load(file)
        return all(sha256(os.path.join(path, name)) == entry["sha256"] for name, entry in listing.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def checkpoints(out):
    """(step, directory) of every checkpoint directory, newest first, complete or not."""
    found = []
    for name in os.listdir(out) if os.path.isdir(out) else []:
        match = re.fullmatch(r"checkpoint-(\d+)", name)
        if match:
            found.append((int(match.group(1)), os.path.join(out, name)))
    return sorted(found, reverse=True)


def newest_complete(out):
    """(step, directory) of the newest checkpoint whose hashes hold, or None."""
    return next((found for found in checkpoints(out) if is_complete(found[1])), None)


def to_resume(out, bundle):
    """(step, directory) of the checkpoint to go on from: the newest whole one, of this machine or brought along from an earlier attempt; or None."""
    found = [newest_complete(folder) for folder in (out, os.path.join(bundle, "resume"))]
    return max((each for each in found if each), key=lambda each: each[0], default=None)


def prune(out, keep):
    """Leaves the newest `keep` whole checkpoints."""
    complete = [path for _, path in checkpoints(out) if os.path.exists(os.path.join(path, COMPLETE))]
    for path in complete[keep:]:
        shutil.rmtree(path, ignore_errors=True)


def write_manifest(out, roots):
    """out/MANIFEST.sha256 (`sha256sum -c` format) over the files and directories named in `roots`."""
    lines = []
    for root in roots:
        top = os.path.join(out, root)
        paths = [top] if os.path.isfile(top) else sorted(
            os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names)
        for path in paths:
            if os.path.isfile(path) and not os.path.islink(path):
                lines.append("%s  %s\n" % (sha256(path), os.path.relpath(path, out)))
    write(os.path.join(out, "MANIFEST.sha256"), "".join(lines).encode("utf-8", "surrogateescape"))
