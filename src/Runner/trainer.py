"""trainer.py --spec bundle/spec.json: runs the backend that the spec asks for.

Exit codes: 0 done, 64 bad spec, 69 a package is missing, 73 disk full, 143 stopped after a checkpoint, else failed.
"""
import argparse
import errno
import importlib.util
import os
import sys

import command
import smoke
import spec as specs
from metrics import Metrics
from stopping import Requests

MISSING_PACKAGE = 69
PACKAGES = {
    "unsloth": ("torch", "unsloth"),
    "trl": ("torch", "transformers", "peft", "datasets", "trl"),
    "hf": ("torch", "transformers", "peft", "accelerate"),
}


def choose(spec):
    """The backend's name: what is asked for by name is never replaced by another."""
    asked = spec.get("backend", "auto")
    if asked != "auto":
        return asked
    if spec.get("preset") == "command":
        return "command"
    return "stdlib" if spec.get("preset") == "smoke" or spec.section("model").get("id") == "smoke" else "trl"


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--spec", required=True)
    path = os.path.realpath(parser.parse_args(arguments).spec)
    bundle = os.path.dirname(path)
    root = os.path.dirname(bundle)
    out = os.path.join(root, "out")
    try:
        spec = specs.load(path)
        backend = choose(spec)
        if backend in PACKAGES:
            lacking = [name for name in PACKAGES[backend] if importlib.util.find_spec(name) is None]
            print("missing-package: backend %s needs %s" % (backend, ", ".join(lacking)) if lacking
                  else "missing-package: this bundle carries no trainer for backend %s" % backend)
            return MISSING_PACKAGE
        os.makedirs(out, exist_ok=True)
        requests = Requests(out)
        metrics = Metrics(os.path.join(root, "metrics.jsonl"), spec.get("attempt"))
        if backend == "command":
            return command.run(spec, root, bundle, out, metrics, requests)
        return smoke.SmokeRun(spec, bundle, out, metrics, requests).run()
    except specs.SpecError as error:
        print("bad spec: %s" % error)
        return specs.BAD_SPEC
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print("disk full: %s" % error)
        return smoke.DISK_FULL


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
