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


class Figures:
    def __init__(self):
        self.rows = []

    def seconds(self, figure, samples, limit, peer=None):
        """The median of `samples` against `limit` seconds; beside it the slowest, and a peer's median where there is one."""
        ours = statistics.median(samples)
        against = statistics.median(peer) if peer else limit
        shown = f"{ours:.2f} s" if len(samples) == 1 else f"{ours:.2f} s (max {max(samples):.2f}, n={len(samples)})"
        peer_shown = f"{against:.2f} s ssh" if peer else f"{against:.2f} s limit"
        self.rows.append((figure, shown, peer_shown, f"{ours / against:.2f}", f"<= {limit:g} s", ours <= limit))

    def bare(self, figure, samples):
        """A figure without a target, for the reader."""
        self.rows.append((figure, f"{statistics.median(samples):.2f} s (max {max(samples):.2f}, n={len(samples)})", "", "", "", None))

    def print(self, strict):
        load = os.getloadavg()[0]
        rows = [HEAD] + [(*row[:5], {True: "yes", False: "NO", None: ""}[row[5]]) for row in self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        print(f"{os.cpu_count()} cores, load {load:.1f}")
        if strict and any(row[5] is False for row in self.rows):
            sys.exit(1)
