"""Reads spec.json strictly: a misspelt key must not train the wrong thing for hours."""
import json
import os

BAD_SPEC = 64
BACKENDS = ("auto", "unsloth", "trl", "hf", "stdlib", "command")

# Allowed keys; a dict is a nested object, a tuple the accepted types of a value (null always means "default").
TEXT, NUMBER, WHOLE, FLAG, ANY = (str,), (int, float), (int,), (bool,), (object,)
KEYS = {
    "v": WHOLE, "attempt": (int, str), "job": (int, str), "preset": TEXT, "backend": TEXT,
    "model": {"id": TEXT, "revision": TEXT, "local": (str, bool)},
    "method": {"kind": TEXT, "r": WHOLE, "alpha": NUMBER, "dropout": NUMBER, "targets": (list, str), "rslora": FLAG,
               "dora": FLAG, "init": ANY},
    "quant": TEXT, "precision": TEXT,
    "data": {"train": TEXT, "valid": TEXT, "format": TEXT, "max_length": WHOLE, "packing": (bool, str), "loss_on": TEXT},
    "train": {"epochs": NUMBER, "max_steps": WHOLE, "lr": NUMBER, "scheduler": TEXT, "warmup_steps": WHOLE, "batch": WHOLE,
              "accumulation": WHOLE, "max_grad_norm": NUMBER, "weight_decay": NUMBER, "optim": TEXT, "seed": WHOLE},
    "save": {"steps": WHOLE, "keep": WHOLE},
    "eval": {"steps": WHOLE},
    "limits": {"max_runtime_s": WHOLE, "grace_s": WHOLE, "lease_s": WHOLE, "dead_man_s": WHOLE, "log_mb": WHOLE},
    "pace_s": NUMBER,
    "command": {"script": TEXT, "collect": (list,)},
}


class SpecError(Exception):
    """The spec cannot be trusted; the message names the key."""


class Section:
    """One object of the spec; an absent or null value reads as the default."""

    def __init__(self, values):
        self._values = values or {}

    def get(self, key, default=None):
        value = self._values.get(key)
        return default if value is None else value

    def section(self, key):
        return Section(self._values.get(key))

    def positive(self, path, default):
        """The number at `path` ("train.batch"), at least 1."""
        name, key = path.split(".")
        value = self.section(name).get(key, default)
        if value < 1:
            raise SpecError("%s must be at least 1, not %r" % (path, value))
        return value


def check(values, allowed, where=""):
    if not isinstance(values, dict):
        raise SpecError("%s must be an object" % (where.rstrip(".") or "spec"))
    for key, value in values.items():
        path = where + key
        if key not in allowed:
            raise SpecError("unknown key %s" % path)
        if value is None:
            continue
        kind = allowed[key]
        if isinstance(kind, dict):
            check(value, kind, path + ".")
        elif not isinstance(value, kind) or (isinstance(value, bool) and bool not in kind and object not in kind):
            raise SpecError("%s has the wrong type: %r" % (path, value))


def load(path):
    """The checked spec; raises SpecError."""
    def once(pairs):
        values = dict(pairs)
        if len(values) != len(pairs):
            raise SpecError("a key appears twice among %s" % ", ".join(key for key, _ in pairs))
        return values

    try:
        with open(path, encoding="utf-8") as file:
            values = json.load(file, object_pairs_hook=once)
    except (OSError, ValueError) as error:
        raise SpecError("%s: %s" % (os.path.basename(path), error)) from error
    check(values, KEYS)
    if values.get("v") != 1:
        raise SpecError("v must be 1, not %r" % (values.get("v"),))
    if values.get("backend", "auto") not in BACKENDS + (None,):
        raise SpecError("backend must be one of %s, not %r" % (", ".join(BACKENDS), values["backend"]))
    return Section(values)
