//! Whatever happens to a live engine, in any order (facts, merges, erasure, retention, time, a restart), its members
//! are those that the store evaluates, its numbers are without gaps, and it is never woken too late.
//!
//! An input is segments in JSON, a line each, a byte of 0, and what happens: four bytes each say what, whom, with what,
//! and when.

#![no_main]

#[path = "../../tests/live/feed.rs"]
mod feed;

use feed::feed;
use libfuzzer_sys::fuzz_target;
use whodid::segment::{EventPattern, Segment};
use whodid::testing::{Change, take};
use whodid::{AttributeWrite, Catalog, Changes, Evaluate, Event, Live, MemoryStore, Plan, Timestamp, Value};

/// So much happens at most.
const MOST: usize = 96;
const USERS: [&str; 5] = ["ada", "bob", "cyd", "dan", "eve"];
const EVENTS: [&str; 6] = ["view", "cart", "buy", "email_open", "email_click", "5*"];
const ATTRIBUTES: [&str; 4] = ["plan", "ends", "born", "score"];
/// Milliseconds: time passes by multiples of these.
const STEPS: [i64; 8] = [0, 1, 1_000, 60_000, 3_600_000, 86_400_000, 7 * 86_400_000, 31 * 86_400_000];

fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|byte| *byte == 0) else { return };
    let Ok(text) = std::str::from_utf8(&bytes[..end]) else { return };
    let Some(mut run) = Run::new(text) else { return };
    let (steps, _) = bytes[end + 1..].as_chunks::<4>();
    steps.iter().take(MOST).for_each(|step| run.step(*step));
});

struct Run {
    live: Live,
    plan: Plan,
    taken: Vec<Change>,
    sequence: u64,
}

impl Run {
    fn new(text: &str) -> Option<Self> {
        let mut catalog = Catalog::new();
        for (i, line) in text.lines().take(6).enumerate() {
            catalog.insert(format!("s{i}"), Segment::from_json(line).ok()?).ok()?;
        }
        let plan = catalog.plan().ok()?;
        // Soon clocks are set ahead in Europe.
        let start: Timestamp = "2026-03-28T22:00:00Z".parse().ok()?;
        let live = Live::new(catalog, MemoryStore::new().seal_after(5), start).ok()?;
        Some(Self { live, plan, taken: Vec::new(), sequence: 0 })
    }

    fn step(&mut self, [what, whom, with, when]: [u8; 4]) {
        let by = STEPS[usize::from(when % 8)] * i64::from((when / 8) as i8 - 8);
        let at = Timestamp::from_millis(self.live.now().millis().saturating_add(by));
        let user = USERS[usize::from(whom) % USERS.len()].to_owned();
        let event = Event::new(&user, EVENTS[usize::from(whom / 8) % EVENTS.len()], at);
        let attribute = ATTRIBUTES[usize::from(whom / 8) % ATTRIBUTES.len()];
        let change = match what % 16 {
            0..5 => Change::Event(event),
            5 | 6 => Change::Event(event.with("amount", value(with, at)).id(format!("m{}", with % 4))),
            7 => Change::Event(event.with("item", value(with, at)).with("due", value(whom, at))),
            8 | 9 => Change::Attribute(AttributeWrite::set(user, attribute, value(with, at), at)),
            10 => Change::Attribute(AttributeWrite::removed(user, attribute, at)),
            11 => Change::User { id: user, seen: at },
            12 => Change::Merge { from: user, into: USERS[usize::from(with) % USERS.len()].to_owned() },
            13 if with % 2 == 0 => Change::Forget { user },
            13 => Change::Retain { since: at, events: vec![EventPattern::from("*")] },
            14 => return self.restart(),
            _ => return self.advance(at),
        };
        self.taken.push(change.clone());
        if let Ok(changes) = feed(&mut self.live, change) {
            self.told(&changes);
        }
    }

    fn advance(&mut self, to: Timestamp) {
        let wake = self.live.next_change();
        let Ok(changes) = self.live.advance(to) else { return };
        let first = changes.first().map(|change| change.at);
        assert!(first.is_none() || wake.is_some() && wake <= first, "woken at {wake:?}, not {first:?}");
        self.told(&changes);
    }

    /// The transitions are numbered, and membership is what the store evaluates.
    fn told(&mut self, changes: &Changes) {
        for change in changes {
            self.sequence += 1;
            assert_eq!(change.sequence, self.sequence);
        }
        assert!(changes.is_sorted_by_key(|change| change.at));
        let (now, snapshot) = (self.live.now(), self.live.snapshot());
        let answers = snapshot.evaluate(&self.plan, now).expect("an answer");
        for (name, members) in answers.iter() {
            assert_eq!(self.live.members(name).as_ref(), Some(members.bitmap()), "{name} at {now}");
            assert_eq!(self.live.count(name), Some(members.len()), "{name} at {now}");
        }
    }

    fn restart(&mut self) {
        let mut store = MemoryStore::new().seal_after(3);
        for change in &self.taken {
            // Some were refused before as well.
            let _taken = take(&mut store, change.clone());
        }
        let (live, changes) = Live::restore(&self.live.save(), store).expect("what was saved");
        assert_eq!((changes.len(), live.sequence()), (0, self.sequence));
        self.live = live;
    }
}

fn value(with: u8, at: Timestamp) -> Value {
    let by = STEPS[usize::from(with / 4 % 8)] * i64::from((with / 32) as i8 - 2);
    match with % 4 {
        0 => Value::from(i64::from(with)),
        1 => Value::from(["free", "pro", "a"][usize::from(with) % 3]),
        2 => Value::from(with % 8 == 2),
        _ => Value::from(Timestamp::from_millis(at.millis().saturating_add(by))),
    }
}
