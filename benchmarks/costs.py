"""The cost explorer over a million ledger entries, beside hand-written SQL over the same file.

Each figure is the slowest grouping's 95th percentile, warm; the whole answer of the page is timed: rows, second split, bars,
totals, the days compared with, names. The peer sums each group and day, and the days before, straight from the ledger.
"""

import pathlib
import statistics
import subprocess

import figures

ENTRIES = 1_000_000
LIMIT_MS = 150
TIMES_SQL = 2
PROGRAM = pathlib.Path("benchmarks/Costs/bin/Release/net10.0/Dashboard.Benchmarks.Costs.dll")


def percentile(samples):
    return sorted(samples)[min(len(samples) - 1, int(.95 * len(samples)))]


def main():
    wanted = figures.arguments(rounds=20)
    said = subprocess.run(["dotnet", "exec", str(PROGRAM), str(wanted.rounds), str(ENTRIES)], check=True, stdout=subprocess.PIPE, text=True).stdout
    series = {}
    for line in said.splitlines():
        figure, group, samples = line.split("\t")
        series.setdefault(figure.split(", ")[0], {}).setdefault(group, {})[figure.split(", ")[1]] = [float(sample) for sample in samples.split()]

    table = figures.Figures()
    for period, groups in series.items():
        for group, both in groups.items():
            table.percentile(f"this {period} by {group.lower()}", [ms / 1000 for ms in both["ours"]], .95, LIMIT_MS / 1000)
    for period, groups in series.items():
        worst = max(groups.values(), key=lambda both: statistics.median(both["ours"]) / statistics.median(both["SQL"]))
        table.at_most(f"this {period}, the worst grouping beside SQL", [ms / 1000 for ms in worst["ours"]], "hand-written SQL", [ms / 1000 for ms in worst["SQL"]], TIMES_SQL)
    table.print(wanted.strict)


if __name__ == "__main__":
    main()
