#!/usr/bin/env python3
"""The suite's answers at any instant, the slow and plain way, from the raw columns: numpy and no engine.

    python3 expected.py DIR [--at MS] [--json OUT.json]

The peers answer as of the end of the data only; this checks time travel, and the peers. One function a leaf, each over all events
at once; an answer is the count, the sum and the xor of the user numbers, as in peers.py. Needs numpy; reads DIR/suite.json and
DIR/portfolio.json (suite.py writes them).
"""
import argparse
import json
import pathlib

import numpy as np

DAY = 86_400_000


class Data:
    def __init__(self, folder, at=None):
        d = pathlib.Path(folder)
        self.meta = json.loads((d / "meta.json").read_text())
        self.at = self.meta["as_of"] if at is None else at
        event = {k: np.fromfile(d / f"event_{k}.{t}", dt) for k, t, dt in
                 [("user", "u32", "<u4"), ("name", "u8", "u1"), ("ts", "i64", "<i8"), ("amount", "f64", "<f8"), ("item", "u32", "<u4")]}
        known = event["ts"] <= self.at  # facts later than the instant do not exist
        self.event = {k: v[known] for k, v in event.items()}
        self.user = {k: np.fromfile(d / f"user_{k}.{t}", dt) for k, t, dt in
                     [("plan", "u8", "u1"), ("country", "u8", "u1"), ("age", "i32", "<i4"), ("signup", "i64", "<i8")]}
        self.universe = self.user["signup"] <= self.at
        self.rows = {}

    def of(self, name):
        """The events of a name, by user and then time; all events for "*"."""
        if name not in self.rows:
            e = self.event
            pick = np.ones(e["ts"].size, bool) if name == "*" else e["name"] == self.meta["names"].index(name)
            e = {k: v[pick] for k, v in e.items()}
            order = np.lexsort((e["ts"], e["user"]))
            self.rows[name] = {k: v[order] for k, v in e.items()}
        return self.rows[name]

    def inside(self, ts, window):
        if window is None:
            return np.ones(ts.size, bool)
        if "last" in window:
            return ts > self.at - int(window["last"][:-1]) * DAY
        ms = lambda text: np.datetime64(text.rstrip("Z"), "ms").astype("i8")
        return (ts >= ms(window["from"])) & (ts < ms(window["to"]))

    def members(self, users):
        found = np.zeros(self.universe.size, bool)
        found[users] = True
        return found

    def did(self, b):
        e = self.of(b["event"])
        if "first" in b:
            users, first = np.unique(e["user"], return_index=True)  # rows are in time order within a user
            return self.members(users[self.inside(e["ts"][first], b["first"]["in"])])
        pick = self.inside(e["ts"], b.get("in"))
        if "where" in b:
            pick &= e["amount"] > b["where"]["gt"]  # NaN passes nothing
        user, ts = e["user"][pick], e["ts"][pick]
        size = self.universe.size
        if "sum" in b:  # amounts are quarters: every sum is exact
            amount = e["amount"][pick]
            have = np.bincount(user, np.nan_to_num(amount), size) >= b["sum"]["at_least"]
        elif "distinct" in b:
            item = e["item"][pick]
            pairs = np.unique(user[item != 0].astype("u8") << np.uint64(32) | item[item != 0])
            have = np.bincount((pairs >> np.uint64(32)).astype("i8"), minlength=size) >= b["distinct"]["at_least"]
        elif "active" in b:
            pairs = np.unique(user.astype("u8") << np.uint64(32) | (ts // DAY).astype("u8"))
            have = np.bincount((pairs >> np.uint64(32)).astype("i8"), minlength=size) >= b["active"]["at_least"]
        else:
            have = np.bincount(user, minlength=size)
            low, high = b["times"].get("between", [b["times"].get("at_least"), size * 10 ** 6]) if "times" in b else [1, size * 10 ** 6]
            have = (have >= low) & (have <= high)
        return have

    def keyed(self, name, window):
        """User and instant of a name's events in a window, as one sorted number each."""
        e = self.of(name)
        pick = self.inside(e["ts"], window)
        return e["user"][pick].astype("i8") << 42 | e["ts"][pick]

    def sequence(self, s):
        first = self.keyed(s["steps"][0]["event"], s["in"])
        if "then_not" in s:  # no such event within the span after, and the deadline has passed
            span = int(s["then_not"]["within"][:-1]) * DAY
            first = first[(first & (1 << 42) - 1) + span <= self.at]
            other = self.keyed(s["then_not"]["event"], None)
            hit = np.searchsorted(other, first, "right") == np.searchsorted(other, first + span, "right")
            return self.members(first[hit] >> 42)
        span = int(s["steps"][1]["within"][:-1]) * DAY
        then = self.keyed(s["steps"][1]["event"], s["in"])
        hit = np.searchsorted(then, first, "right") < np.searchsorted(then, first + span, "right")
        return self.members(first[hit] >> 42)

    def attribute(self, a):
        column, codes = self.user[a["name"]], self.meta.get({"plan": "plans", "country": "countries"}.get(a["name"]))
        if "eq" in a:
            return column == codes.index(a["eq"])
        if "in" in a:
            return np.isin(column, [codes.index(x) for x in a["in"]])
        return (column >= a["between"][0]) & (column <= a["between"][1])

    def holds(self, expression):
        (form, body), = expression.items()
        if form == "all":
            found = self.universe
            for part in body:
                found = found & self.holds(part)
            return found
        if form == "not":
            return self.universe & ~self.holds(body)
        return self.universe & {"did": self.did, "sequence": self.sequence, "attribute": self.attribute}[form](body)

    def answer(self, expression):
        users = np.flatnonzero(self.holds(expression))
        return [int(users.size), int(users.sum()), int(np.bitwise_xor.reduce(users)) if users.size else 0]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("dir"), ap.add_argument("--at", type=int), ap.add_argument("--json")
    a = ap.parse_args()
    data = Data(a.dir, a.at)
    read = lambda name: json.loads((pathlib.Path(a.dir) / name).read_text())
    expected = {q: data.answer(segment) for q, segment in read("suite.json").items()}
    expected["q15"] = [data.answer(segment) for segment in read("portfolio.json")]
    text = json.dumps({"meta": {"as_of": data.at}, "expected": expected}, indent=1)
    pathlib.Path(a.json).write_text(text) if a.json else print(text)


if __name__ == "__main__":
    main()
