#!/usr/bin/env python3
"""Runs the crate and its peers alternately on the same data and prints who took how long.

    python3 bench/run.py [--size small|large] [--rounds 3] [--runs 5] [--work DIR] [--out DIR] [--engines duckdb,...]

Makes a virtual environment with the peers' wheels, generates the data, builds the example `suite` in release, and then, round by
round, runs the crate and each peer in turn, each in a process of its own. Times are medians over the rounds of each run's medians,
so compare them within one table only. The crate works on one thread, the peers on as many as they want. Everything made lies below
--work; results.json and table.md go to --out.

The data, the questions and the peers' statements are not part of this repository: gen.py, suite.py and peers.py are looked for in
../shared/bench beside it, or in --suite.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
SIZES = {"small": (100_000, 5_000_000), "large": (1_000_000, 50_000_000)}
WHEELS = ["numpy", "pyarrow", "duckdb", "chdb", "polars", "datafusion"]
DAY = 86_400_000
SAID = {
    "q01": "purchase, ever", "q02": "login in 30 days", "q03": "no login in 14 days", "q04": "feature_used ≥ 5 in 30 days",
    "q05": "purchase 2 to 4 times in a quarter", "q06": "purchase over 100 in 90 days", "q07": "sum of purchases ≥ 500 in 90 days",
    "q08": "first purchase in the last 7 days", "q09": "cart, then purchase within 3 days, in 60", "q10": "plan, country and age",
    "q11": "composite: enterprise, onboarded, fading", "q12": "active on ≥ 5 of 14 days", "q13": "abandoned cart in 30 days",
    "q14": "≥ 3 distinct items in 180 days", "q15": "100 mixed segments",
}


def run(*command, **options):
    print("+", " ".join(map(str, command)), file=sys.stderr, flush=True)
    return subprocess.run([str(c) for c in command], check=True, **options)


def environment(work):
    """The Python of a virtual environment that has the peers."""
    python = work / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(work / "venv", with_pip=True)
    missing = subprocess.run([str(python), "-c", "import " + ", ".join(WHEELS)], capture_output=True).returncode
    if missing:
        run(python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", *WHEELS)
    return python


def data(python, suite, work, size):
    """The folder with the columns and the segments, and the answers of bench/expected.py now and 90 days earlier."""
    users, events = SIZES[size]
    folder = work / f"data-{size}"
    if not (folder / "meta.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        run(python, "-B", suite / "gen.py", "--users", users, "--events", events, "--out", folder)
    run(python, "-B", suite / "suite.py", folder)
    as_of = json.loads((folder / "meta.json").read_text())["as_of"]
    answers = []
    for at in (as_of, as_of - 90 * DAY):
        answers.append(folder / f"expected-{at}.json")
        if not answers[-1].exists():
            run(python, "-B", ROOT / "bench" / "expected.py", folder, "--at", at, "--json", answers[-1])
    return folder, answers


def build(features):
    run("cargo", "build", "--release", "--example", "suite", *(["--features", features] if features else []), cwd=ROOT)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "examples" / "suite"


def rounds(a, python, suite, folder, answers, binary, out):
    """Each engine's report of each round, the crate's answers from a store that is not compacted, and whether all agree."""
    reports, agree = {"whodid": []}, True
    expected = json.loads(answers[0].read_text())["expected"]
    for r in range(a.rounds):
        report = out / f"whodid-{r}.json"
        report.unlink(missing_ok=True)
        checks = [x for f in answers for x in ("--expected", f)]
        agree &= subprocess.run([binary, folder, *checks, "--runs", str(a.crate_runs), "--json", report]).returncode == 0
        reports["whodid"].append(json.loads(report.read_text()))
        for engine in a.engines.split(","):
            report = out / f"{engine}-{r}.json"
            run(python, "-B", "-W", "ignore", suite / "peers.py", folder, "--engines", engine, "--runs", a.runs, "--json", report,
                stdout=subprocess.DEVNULL)
            one = json.loads(report.read_text())
            reports.setdefault(engine, []).append(one)
            for q, answer in one["expected"].items():
                if answer != expected[q]:
                    agree = False
                    print(f"{engine} {q}: {answer} != {expected[q]}", file=sys.stderr)
    # As it stands when facts stop arriving: parts not merged, the latest events in no part yet.
    report = out / "whodid-tail.json"
    agree &= subprocess.run([binary, folder, "--expected", answers[0], "--no-compact", "--now", "--json", report]).returncode == 0
    return reports, json.loads(report.read_text())["now"], agree


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def summary(reports):
    """Medians over the rounds, in milliseconds, and the ratios to the fastest peer."""
    peers = [e for e in reports if e != "whodid"]
    ours = reports["whodid"]
    queries = {}
    for q in SAID:
        row = {e: median(r[e]["ms"].get(q) for r in reports[e]) for e in peers}
        have = {e: ms for e, ms in row.items() if ms is not None}
        if not have or q not in ours[0].get("now", {}):
            continue
        fastest = min(have, key=have.get)
        mine = {f"{when}_{what}": median(r[when][q][f"{what}_us"] / 1e3 for r in ours if q in r.get(when, {}))
                for when in ("now", "past") for what in ("first", "hot", "cold", "count_hot", "count_cold")}
        queries[q] = {"peers_ms": row, "fastest": fastest, "whodid_ms": mine,
                      **{f"ratio_{what}": have[fastest] / mine[f"now_{what}"] for what in ("first", "hot", "cold")},
                      **{f"past_{what}": mine[f"past_{what}"] / mine[f"now_{what}"] for what in ("hot", "cold")}}
    single = [v for q, v in queries.items() if q != "q15"]
    mean = {w: statistics.geometric_mean(v[f"ratio_{w}"] for v in single) for w in ("first", "hot", "cold")} if single else {}
    return queries, mean


def number(ms):
    """Milliseconds, to three figures."""
    return "–" if ms is None else f"{ms:,.0f}" if ms >= 100 else f"{ms:.1f}" if ms >= 10 else f"{ms:.2f}" if ms >= 1 else f"{ms * 1e3:.0f} µs"


def times(ratio):
    return f"{ratio:,.0f}×" if ratio >= 10 else f"{ratio:.1f}×"


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine()) \
        if pathlib.Path("/proc/cpuinfo").exists() else platform.machine()
    return {"cpu": model, "cores": os.cpu_count(), "python": platform.python_version()}


def busy(results):
    """A warning, where the machine had other work: the peers want every core and suffer most, so ratios flatter the crate."""
    load, cores = max(results["load_before_and_after"]), results["machine"]["cores"]
    return [f"**The machine was busy (load {load:.1f} on {cores} cores): no figure for a page, the ratios flatter the crate.**", ""] \
        if load > cores + 1 else []


def table(results):
    peers = list(results["versions"])
    meta, ingest = results["meta"], results["ingest"]
    lines = busy(results) + [
        f"{meta['users']:,} users, {meta['events']:,} events; milliseconds unless said otherwise; medians of {results['rounds']} alternating "
        f"rounds on {results['machine']['cores']} cores ({results['machine']['cpu']}).",
        "The crate on one thread: *first* (the first time asked, with what that builds), *hot* (asked again, as the peers are timed), *cold* "
        "(after streaming 128 MiB). The ratios are to the fastest peer; *90 days back* is in proportion to now; *not compacted* is hot, with the "
        "latest events still in the tail.",
        "",
        "| | question | " + " | ".join(f"{e} {results['versions'][e]}" for e in peers) + " | whodid first | hot | cold | hot ratio | cold ratio | 90 days back, hot | not compacted, hot |",
        "|" + " --- |" * 2 + " ---: |" * (len(peers) + 7),
    ]
    for q, v in results["queries"].items():
        cells = [f"**{number(v['peers_ms'][e])}**" if e == v["fastest"] else number(v["peers_ms"][e]) for e in peers]
        mine = v["whodid_ms"]
        lines.append(f"| {q} | {SAID[q]} | " + " | ".join(cells) + f" | {number(mine['now_first'])} | {number(mine['now_hot'])} | "
                     f"{number(mine['now_cold'])} | {times(v['ratio_hot'])} | {times(v['ratio_cold'])} | {times(v['past_hot'])} | {number(mine['tail_hot'])} |")
    mean = results["geometric_mean"]
    if mean:
        lines += ["", f"Geometric mean of q01 to q14 against the fastest peer of each: {times(mean['hot'])} hot, {times(mean['cold'])} cold, "
                      f"{times(mean['first'])} the first time asked."]
    lines += [f"Ingestion, one thread, batches of 1024: {ingest['events_taken_per_s'] / 1e6:.2f} million events a second, "
              f"{ingest['events_per_s'] / 1e6:.2f} million with making them."]
    if ingest.get("instant_bytes_per_event"):
        lines += [f"Memory of sealed events: {ingest['instant_bytes_per_event']:.2f} bytes an event for user, name and instant; "
                  f"{ingest['resident_bytes_per_event'] or 0:.1f} for everything that the process grew by, users and attributes included."]
    if results.get("is_member_ns"):
        lines += [f"`is_member` of q11, random users: {results['is_member_ns']:.0f} ns."]
    return "\n".join(lines) + "\n"


def figures(results):
    """The README's short form of the table."""
    turns = "One round" if results["rounds"] == 1 else f"Medians of {results['rounds']} alternating rounds"
    lines = busy(results) + [f"{turns}, each engine's medians of several runs, on {results['machine']['cores']} cores ({results['machine']['cpu']}), "
             f"{results['date']}; {results['meta']['users']:,} users, {results['meta']['events']:,} events. The crate works on one thread.", "",
             "| question | whodid, hot | whodid, cold | fastest peer, all cores | which | ratio hot | ratio cold |",
             "| --- | ---: | ---: | ---: | --- | ---: | ---: |"]
    for q, v in results["queries"].items():
        mine, peer = v["whodid_ms"], v["fastest"]
        unit = lambda ms: number(ms) if number(ms).endswith("µs") else number(ms) + " ms"
        lines.append(f"| {q}: {SAID[q]} | {unit(mine['now_hot'])} | {unit(mine['now_cold'])} | {unit(v['peers_ms'][peer])} | {peer} | "
                     f"{times(v['ratio_hot'])} | {times(v['ratio_cold'])} |")
    mean, ingest = results["geometric_mean"], results["ingest"]
    lines.append(f"| geometric mean, q01 to q14 | | | | | {times(mean['hot'])} | {times(mean['cold'])} |")
    first = [v["whodid_ms"]["now_first"] for q, v in results["queries"].items() if q != "q15"]
    lines += ["", f"*Hot*: asked again, as the peers are timed, with the indexes that the first time built; *cold*: after 128 MiB of other "
              f"memory were read. The first time a shape of question is asked takes {number(min(first))} to {number(max(first))} ms"
              f"{', ' + number(results['queries']['q15']['whodid_ms']['now_first']) + ' ms for the 100 of q15' if 'q15' in results['queries'] else ''}.",
              "", "| | measured |", "| --- | --- |",
              f"| bytes an event for user, name and instant | {ingest['instant_bytes_per_event']:.2f} |",
              f"| ingestion, typed events in batches, one thread | {ingest['events_taken_per_s'] / 1e6:.2f} million a second "
              f"({ingest['events_per_s'] / 1e6:.2f} million with making them) |",
              f"| one user, one composite segment (random users) | {results['is_member_ns']:,.0f} ns |"]
    return "\n".join(lines) + "\n"


def fill(page, text):
    """Puts the figures between the marks of a page."""
    start, end = "<!-- figures -->\n", "<!-- /figures -->"
    page_text = page.read_text()
    before, rest = page_text.split(start, 1)
    page.write_text(before + start + text + end + rest.split(end, 1)[1])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--size", choices=SIZES, default="large")
    ap.add_argument("--rounds", type=int, default=3, help="how often the engines take turns")
    ap.add_argument("--runs", type=int, default=5, help="timed runs of a query in a round, for the peers")
    ap.add_argument("--crate-runs", type=int, default=15, help="the same, for the crate")
    ap.add_argument("--engines", default="duckdb,clickhouse,polars,datafusion")
    ap.add_argument("--readme", action="store_true", help="put the figures into README.md, unless the machine was busy")
    ap.add_argument("--features", help="features of the crate to build with")
    ap.add_argument("--suite", type=pathlib.Path, default=ROOT.parent / "shared" / "bench", help="where gen.py, suite.py and peers.py are")
    ap.add_argument("--work", type=pathlib.Path, default=ROOT / "target" / "bench-peers", help="virtual environment and data (2 GB)")
    ap.add_argument("--out", type=pathlib.Path, help="where the results go; default: below --work")
    a = ap.parse_args()
    missing = [name for name in ("gen.py", "suite.py", "peers.py") if not (a.suite / name).exists()]
    if missing:
        sys.exit(f"missing in {a.suite}: {', '.join(missing)} (say where they are with --suite)")
    out = a.out or a.work / f"results-{a.size}"
    out.mkdir(parents=True, exist_ok=True)
    python = environment(a.work)
    folder, answers = data(python, a.suite, a.work, a.size)
    binary = build(a.features)
    load = [os.getloadavg()[0]]
    reports, tail, agree = rounds(a, python, a.suite, folder, answers, binary, out)
    load.append(os.getloadavg()[0])
    queries, mean = summary(reports)
    for q, v in queries.items():
        v["whodid_ms"]["tail_hot"] = tail[q]["hot_us"] / 1e3
    results = {
        "meta": reports["whodid"][0]["meta"], "machine": machine(), "date": datetime.date.today().isoformat(), "rounds": a.rounds,
        "runs": a.runs, "load_before_and_after": load, "features": a.features,
        "versions": {e: r[0][e]["version"] for e, r in reports.items() if e != "whodid"},
        "answers_agree": agree, "queries": queries, "geometric_mean": mean,
        "ingest": {k: median(r["ingest"].get(k) for r in reports["whodid"]) for k in reports["whodid"][0]["ingest"]
                   if not isinstance(reports["whodid"][0]["ingest"][k], dict)},
        "is_member_ns": median(r.get("is_member", {}).get("ns") for r in reports["whodid"]),
    }
    (out / "results.json").write_text(json.dumps(results, indent=1))
    (out / "table.md").write_text(table(results))
    if mean:
        (out / "figures.md").write_text(figures(results))
        if a.readme and agree and not busy(results):
            fill(ROOT / "README.md", figures(results))
    print(table(results))
    print(f"answers {'all agree' if agree else 'DIFFER, see above'}; {out / 'results.json'}, {out / 'table.md'}")
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
