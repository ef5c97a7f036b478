"""The table a benchmark prints: figure, ours, peer or limit, ratio, target, holds."""

import argparse
import os
import statistics
import sys

HEAD = ("figure", "ours", "peer or limit", "ratio", "target", "holds")


def arguments(rounds):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strict", action="store_true", help="fail when a target does not hold")
    parser.add_argument("--rounds", type=int, default=rounds)
    return parser.parse_args()


def shown(samples):
    median = f"{statistics.median(samples):.2f} s"
    return median if len(samples) == 1 else f"{median} (max {max(samples):.2f}, n={len(samples)})"


class Figures:
    def __init__(self):
        self.rows = []

    def seconds(self, figure, samples, limit):
        """The median of `samples` against a limit in seconds, and beside it the slowest."""
        ours = statistics.median(samples)
        self.rows.append((figure, shown(samples), f"{limit:g} s", f"{ours / limit:.2f}", f"<= {limit:g} s", ours <= limit))

    def percentile(self, figure, samples, share, limit):
        """The value that `share` of `samples` stay below, against a limit in seconds; shown in milliseconds with the median."""
        ours = sorted(samples)[min(len(samples) - 1, int(share * len(samples)))]
        shown_here = f"{ours * 1000:.0f} ms (median {statistics.median(samples) * 1000:.0f}, n={len(samples)})"
        self.rows.append((figure, shown_here, f"{limit * 1000:g} ms", f"{ours / limit:.2f}", f"<= {limit * 1000:g} ms", ours <= limit))

    def beside(self, figure, samples, peer, peer_samples):
        """The median of `samples` beside a peer's of the same rounds, for the reader: no target."""
        ratio = statistics.median(samples) / statistics.median(peer_samples)
        self.rows.append((figure, shown(samples), f"{shown(peer_samples)} {peer}", f"{ratio:.2f}", "", None))

    def at_most(self, figure, samples, peer, peer_samples, times):
        """The median of `samples` beside a peer's of the same rounds, which it may exceed so many times."""
        ratio = statistics.median(samples) / statistics.median(peer_samples)
        self.rows.append((figure, shown(samples), f"{shown(peer_samples)} {peer}", f"{ratio:.2f}", f"<= {times:g} x", ratio <= times))

    def print(self, strict):
        load = os.getloadavg()[0]
        rows = [HEAD] + [(*row[:5], {True: "yes", False: "NO", None: ""}[row[5]]) for row in self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        print(f"{os.cpu_count()} cores, load {load:.1f}")
        if strict and any(row[5] is False for row in self.rows):
            sys.exit(1)
