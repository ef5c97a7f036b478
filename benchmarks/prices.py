"""Storage of the price history: one poll of 5,000 offers, and a year of 5-minute polls of 192 series.

The storage is stressed here far beyond what a provider's row quota lets us poll. Peers run in the same process and round,
by turns: `sqlite3 .import` and EF's SaveChanges store the raw rows alone, ours stores points and roll-ups as well.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile

import figures

DLL = pathlib.Path(__file__).resolve().parent / "Prices" / "bin" / "Release" / "net10.0" / "Dashboard.Benchmarks.Prices.dll"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strict", action="store_true", help="fail when a target does not hold")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--days", type=int, default=365, help="length of the year, to try it out with less")
    return parser.parse_args()


def milliseconds(samples):
    return f"{statistics.median(samples) * 1000:.2f} ms (n={len(samples)})"


def ratio(table, figure, ours, peer, name, target, at_least=False):
    value = statistics.median(ours) / statistics.median(peer)
    value = 1 / value if at_least else value
    table.rows.append((figure, milliseconds(ours), f"{milliseconds(peer)} {name}", f"{value:.2f}", f"{'>=' if at_least else '<='} {target:g}", value >= target if at_least else value <= target))


def limit(table, figure, ours, most_ms):
    value = statistics.median(ours) * 1000
    table.rows.append((figure, milliseconds(ours), f"{most_ms:g} ms", f"{value / most_ms:.2f}", f"<= {most_ms:g} ms", value <= most_ms))


def most(table, figure, ours, unit, limit):
    table.rows.append((figure, f"{ours:,.0f} {unit}", f"{limit:,.0f} {unit}", f"{ours / limit:.2f}" if limit else "", f"<= {limit:,.0f} {unit}", ours <= limit))


def main():
    options = arguments()
    folder = tempfile.mkdtemp(prefix="dashboard-bench-", dir="/var/tmp")
    try:
        run = subprocess.run(["dotnet", "exec", DLL, folder, str(options.rounds), str(options.days)], check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "DOTNET_TieredPGO": "0"})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    samples = json.loads(run.stdout.splitlines()[-1])
    table = figures.Figures()
    ratio(table, "one poll of 5,000 offers with points and roll-ups", samples["store"], samples["import"], "sqlite3 .import of the rows", 1.2)
    ratio(table, "the same beside EF", samples["store"], samples["ef"], "SaveChanges of the rows", 0.15)
    ratio(table, f"a day's points by one of 4 readers, {samples['polls meanwhile'][0]:.0f} polls meanwhile, p50", samples["read while storing"], samples["read quiet"], "quiet", 1.5)
    most(table, "busy errors meanwhile", samples["busy errors"][0], "", 0)
    limit(table, f"90-day hourly trend by ADO, {samples['points'][0] / 1e6:.1f} M points, {samples['hours read'][0]:.0f} rows", samples["trend by ADO"], 1)
    limit(table, "the same by EF, with the lowest and highest of each hour", samples["trend by EF"], 3)
    ratio(table, "the same on SQLite's own interface, as the page reads it", samples["trend"], samples["trend from points"], "from the 5-minute points", 10, at_least=True)
    limit(table, "all that is known of these hours, as the page reads it", samples["buckets"], 3)
    most(table, "points to the browser, lowest and highest of each bucket kept" if samples["shape kept"][0] else "points to the browser, SHAPE LOST", samples["points to the browser"][0], "", 1_500 if samples["shape kept"][0] else 0)
    most(table, f"kept of {options.days} days and 48 h of raw rows ({samples['seconds to prune'][0]:.0f} s to prune)", samples["bytes kept"][0] / 1e6, "MB", 450)
    table.print(options.strict)


if __name__ == "__main__":
    main()
