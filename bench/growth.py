#!/usr/bin/env python3
"""How the time of each question grows: with users at four sizes, and with events outside its window.

    python3 bench/growth.py [--work DIR] [--runs 15] [--python PYTHON]

Makes the data of 125 000 to 1 000 000 users with 50 events each (below --work, once), builds the example `suite` in release, asks
everything at the end of the data, and prints a table: hot microseconds at each size; and at the largest once more without the events
of more than 185 days ago, which no window of 180 days or less reaches: what still answers alike must take as long.
gen.py and suite.py are looked for as in run.py; PYTHON must have numpy.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import run as bench

SIZES = [125_000, 250_000, 500_000, 1_000_000]
WINDOWED = ["q02", "q03", "q04", "q05", "q06", "q07", "q09", "q12", "q13", "q14"]


def measured(binary, folder, runs, report, *more):
    subprocess.run([binary, folder, "--now", "--runs", str(runs), "--json", report, *more], check=True, stdout=subprocess.DEVNULL)
    return json.loads(pathlib.Path(report).read_text())["now"]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--runs", type=int, default=15)
    ap.add_argument("--python", default=sys.executable)
    ap.add_argument("--suite", type=pathlib.Path, default=bench.ROOT.parent / "shared" / "bench")
    ap.add_argument("--work", type=pathlib.Path, default=bench.ROOT / "target" / "bench-peers")
    a = ap.parse_args()
    binary, columns = bench.build(None), []
    for users in SIZES:
        folder = a.work / f"growth-{users}"
        if not (folder / "portfolio.json").exists():
            folder.mkdir(parents=True, exist_ok=True)
            bench.run(a.python, "-B", a.suite / "gen.py", "--users", users, "--events", users * 50, "--out", folder)
            bench.run(a.python, "-B", a.suite / "suite.py", folder)
        columns.append(measured(binary, folder, a.runs, folder / "growth.json"))
    recent = measured(binary, folder, a.runs, folder / "growth.json", "--last-days", "185")
    print("| | question | " + " | ".join(f"{n:,} users" for n in SIZES) + " | without older events |")
    print("| --- " * (len(SIZES) + 3) + "|")
    for q in sorted(columns[0]):
        cells = [f"{c[q]['hot_us']:,.0f} µs" for c in columns]
        flat = f"{recent[q]['hot_us']:,.0f} µs" if q in WINDOWED else "–"
        same = q not in WINDOWED or recent[q]["members"] == columns[-1][q]["members"] or q in ("q03",)
        print(f"| {q} | {bench.SAID[q]} | " + " | ".join(cells) + f" | {flat}{'' if same else ' (other users)'} |")


if __name__ == "__main__":
    main()
