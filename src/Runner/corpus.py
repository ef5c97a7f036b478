"""The characters a smoke run trains on: the bundle's own lines, or a built-in text."""
import collections
import glob
import json
import os
import random

from spec import SpecError

LONGEST = 1000000  # characters; a smoke run sees far fewer
LARGEST_VOCABULARY = 64

SUBJECTS = ("the machine", "the trainer", "the meter", "the price")
VERBS = ("was low", "ran well", "went home", "stood still")
WHEN = ("at noon", "at dusk", "in time", "all night")


def built_in():
    """Some 9,000 characters of small sentences: held-out ones are new, but not of another kind."""
    words = random.Random(0)
    return " ".join("%s %s %s." % (words.choice(SUBJECTS), words.choice(VERBS), words.choice(WHEN)) for _ in range(300))


def text_of(value):
    """The text of one dataset line, whatever its format: all strings in reading order."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "\n".join(filter(None, (text_of(part) for key, part in value.items() if key not in ("role", "from", "id"))))
    if isinstance(value, list):
        return "\n".join(filter(None, map(text_of, value)))
    return ""


def read_jsonl(path):
    samples, size = [], 0
    with open(path, encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                samples.append(text_of(json.loads(line)))
            except ValueError as error:
                raise SpecError("%s line %d is not JSON: %s" % (os.path.basename(path), number, error)) from error
            size += len(samples[-1])
            if size > LONGEST:
                break
    return samples


def load(bundle, data):
    """(training text, validation text, characters). Raises SpecError when the data is missing or too short to learn from."""
    named, valid = data.get("train"), data.get("valid")
    inside = os.path.realpath(bundle) + os.sep
    for key, name in (("data.train", named), ("data.valid", valid)):
        if name and not (os.path.realpath(os.path.join(bundle, name)).startswith(inside) and os.path.isfile(os.path.join(bundle, name))):
            raise SpecError("%s: no file %r in the bundle" % (key, name))
    files = [os.path.join(bundle, named)] if named else sorted(glob.glob(os.path.join(glob.escape(bundle), "data", "*.jsonl")))
    held_out = os.path.join(bundle, valid) if valid else None
    samples = [sample for path in files if path != held_out for sample in read_jsonl(path)]
    text = "\n".join(samples)[:LONGEST] if files else built_in()
    if len(text) < 200:
        raise SpecError("the data holds %d characters, a smoke run needs 200" % len(text))
    if held_out:
        train, rest = text, "\n".join(read_jsonl(held_out))[:LONGEST]
    else:
        cut = len(text) - max(20, len(text) // 20)
        train, rest = text[:cut], text[cut:]
    counts = collections.Counter(train)
    common = sorted(counts, key=lambda character: (-counts[character], character))[:LARGEST_VOCABULARY]
    known = set(common)
    train, rest = ("".join(c for c in part if c in known) for part in (train, rest))
    return train, rest if len(rest) > 8 else train, sorted(common)
