//! All instants at which some membership may change, found by brute force: every instant in a fact, moved by
//! every span in a segment, and every local midnight.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike};
use whodid::oracle::Named;
use whodid::testing::Change;
use whodid::{Scalar, Span, Timestamp, Tz, Value};

const QUARTER: i64 = 15 * 60 * 1_000;

#[derive(Clone, Debug, Default)]
pub struct Instants {
    of_facts: BTreeSet<i64>,
    spans: Vec<Span>,
    zones: Vec<Tz>,
    calendars: bool,
    anniversaries: bool,
}

impl Instants {
    pub fn of(named: &Named) -> Self {
        let mut instants = Self { zones: vec![Tz::UTC], ..Self::default() };
        instants.read_all(named);
        instants
    }

    pub fn read_all(&mut self, named: &Named) {
        for segment in named.segments.values() {
            let text = segment.to_json();
            let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            self.read(&json);
            self.calendars |= text.contains("calendar");
            self.anniversaries |= text.contains("anniversary");
        }
    }

    /// Any text in a segment may be a span, a zone or an instant.
    fn read(&mut self, json: &serde_json::Value) {
        match json {
            serde_json::Value::String(text) => {
                self.spans.extend(text.parse::<Span>().ok().filter(|span| !self.spans.contains(span)));
                self.zones.extend(text.parse::<Tz>().ok().filter(|zone| !self.zones.contains(zone)));
                self.of_facts.extend(text.parse::<Timestamp>().map(Timestamp::millis));
            }
            serde_json::Value::Array(many) => many.iter().for_each(|json| self.read(json)),
            serde_json::Value::Object(object) => object.values().for_each(|json| self.read(json)),
            _ => {}
        }
    }

    pub fn add(&mut self, change: &Change) {
        self.of_facts.extend(change.at().map(Timestamp::millis));
        match change {
            Change::Event(event) => event.properties().iter().for_each(|(_, value)| self.value(value)),
            Change::Attribute(write) => write.value().into_iter().for_each(|value| self.value(value)),
            _ => {}
        }
    }

    fn value(&mut self, value: &Value) {
        let mut scalar = |one: &Scalar| {
            if let Scalar::Instant(at) = one {
                self.of_facts.insert(at.millis());
            }
        };
        match value {
            Value::Scalar(one) => scalar(one),
            Value::List(many) => many.iter().for_each(scalar),
            Value::Records(records) => {
                records.iter().flat_map(|record| record.fields()).for_each(|(_, one)| scalar(one));
            }
        }
    }

    /// Those in a stretch of time, the first excluded and the last included.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let mut found = BTreeSet::new();
        let (from, to) = (from.millis(), to.millis());
        let mut add = |at: i64| {
            // One beside each, should an edge be off by one.
            found.extend((at - 1..=at + 1).filter(|at| from < *at && *at <= to));
        };
        for at in &self.of_facts {
            add(*at);
            for span in &self.spans {
                add(Timestamp::from_millis(*at).plus(*span).millis());
                add(first(*at, to, |t| t.minus(*span)));
                add(first(*at, to, |t| t.plus(*span)));
            }
        }
        if self.calendars || self.anniversaries {
            for midnight in self.midnights(from, to) {
                add(midnight);
                for span in self.spans.iter().filter(|_| self.anniversaries) {
                    add(first(midnight, to, |t| t.plus(*span)));
                }
            }
        }
        found.into_iter().map(Timestamp::from_millis).collect()
    }

    /// When a local day begins, in every zone, to the millisecond: offsets were not always whole minutes.
    fn midnights(&self, from: i64, to: i64) -> Vec<i64> {
        let mut midnights = Vec::new();
        let ahead = if self.anniversaries { 40 * 96 } else { 0 };
        for zone in &self.zones {
            let day_at = |at: i64| {
                let utc = DateTime::from_timestamp_millis(at).expect("in range");
                utc.with_timezone(zone).num_days_from_ce()
            };
            let day = |quarter: i64| day_at(quarter * QUARTER);
            let mut last = day(from / QUARTER - 1);
            for quarter in from / QUARTER..=to / QUARTER + ahead {
                let now = day(quarter);
                if now != last {
                    let (mut before, mut after) = ((quarter - 1) * QUARTER, quarter * QUARTER);
                    while after - before > 1 {
                        let middle = before.midpoint(after);
                        if day_at(middle) == last { before = middle } else { after = middle }
                    }
                    midnights.push(after);
                }
                last = now;
            }
        }
        midnights
    }
}

/// The first `t` up to `to` for which a monotone step reaches `at`.
fn first(at: i64, to: i64, step: impl Fn(Timestamp) -> Timestamp) -> i64 {
    let (mut low, mut high) = (at.min(to) - 400_000_000_000, to + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if step(Timestamp::from_millis(middle)).millis() >= at { high = middle } else { low = middle + 1 }
    }
    low
}
