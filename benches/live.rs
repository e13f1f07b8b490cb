//! Live membership under a stream of events: throughput with transitions, and how long single events take.
//!
//!     cargo bench --bench live -- [--users N] [--history N] [--events N] [--segments N]…
//!
//! The facts are made up, alike on every machine; the segments are mixed like those of the speed suite. What is
//! printed are wall-clock figures of one thread.

#![allow(clippy::expect_used)] // a bench that cannot go on should stop

#[allow(dead_code)] // shared with the speed benches
#[path = "speed/data.rs"]
mod data;

use std::time::{Duration, Instant};

use data::{NAMES, PLANS, Random, id, now};
use whodid::segment::Segment;
use whodid::{
    AttributeWrite, Catalog, Event, Ingest, Live, MemoryStore, Timestamp, all, attribute, days, did, property,
};

struct Options {
    users: u32,
    history: usize,
    events: usize,
    segments: Vec<usize>,
}

impl Options {
    /// Small where cargo only tests that the bench runs.
    fn read() -> Self {
        let mut options = Self { users: 20_000, history: 200_000, events: 20_000, segments: Vec::new() };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut number = || args.next().and_then(|value| value.parse::<usize>().ok()).unwrap_or(1);
            match arg.as_str() {
                "--users" => options.users = number() as u32,
                "--history" => options.history = number(),
                "--events" => options.events = number(),
                "--segments" => options.segments.push(number()),
                _ => {}
            }
        }
        if options.segments.is_empty() {
            options.segments = vec![10, 1_000];
        }
        options
    }
}

/// A year of events and then more of the same, in order of time.
struct Stream {
    random: Random,
    users: u32,
    at: f64,
    /// Milliseconds between two events.
    pace: f64,
}

impl Stream {
    fn next(&mut self) -> Event {
        let user = (f64::from(self.users) * self.random.unit().powi(3)) as u32;
        let name = NAMES[(NAMES.len() as f64 * self.random.unit().powi(2)) as usize];
        self.at += self.pace * 2.0 * self.random.unit();
        let event = Event::new(id(user), name, Timestamp::from_millis(self.at as i64));
        match name {
            "purchase" | "add_to_cart" => {
                event.with("amount", (self.random.unit().powi(4) * 2_000.0).round() / 4.0)
            }
            _ => event,
        }
    }
}

/// As the portfolio of the speed suite.
fn segments(count: usize) -> Vec<Segment> {
    let mut random = Random::new(7);
    let pick = |random: &mut Random, of: &[u32]| of[random.below(of.len() as u64) as usize];
    let leaf = |random: &mut Random| -> Segment {
        let event = NAMES[random.below(NAMES.len() as u64) as usize];
        let last = days(pick(random, &[1, 3, 7, 14, 30, 60, 90, 180]));
        match random.below(100) {
            0..30 => did(event).last(last).into(),
            30..50 => !did(event).last(last),
            50..70 => did(event).at_least(pick(random, &[2, 3, 5, 10])).last(last).into(),
            70..76 => {
                did("purchase").where_(property("amount").gt(pick(random, &[20, 50, 100]))).last(last).into()
            }
            76..82 => {
                did("purchase").sum("amount").at_least(pick(random, &[100, 500, 1_000])).last(last).into()
            }
            82..88 => {
                let last = days(pick(random, &[7, 14, 28]));
                did("*").active_days().at_least(pick(random, &[2, 3, 5])).last(last).into()
            }
            _ => attribute("plan").eq(PLANS[random.below(4) as usize]).into(),
        }
    };
    let segment = |_| {
        let count = pick(&mut random, &[1, 2, 2, 3, 4]);
        all((0..count).map(|_| leaf(&mut random)).collect::<Vec<_>>())
    };
    (0..count).map(segment).collect()
}

fn catalog(count: usize) -> Catalog {
    let mut catalog = Catalog::new();
    for (i, segment) in segments(count).into_iter().enumerate() {
        catalog.insert(format!("segment {i}"), segment).expect("a valid segment");
    }
    catalog
}

fn history(options: &Options) -> (MemoryStore, Stream) {
    let year = days(365);
    let start = now().minus(year).millis();
    let pace = (now().millis() - start) as f64 / options.history as f64;
    let mut stream = Stream { random: Random::new(1), users: options.users, at: start as f64, pace };
    let mut store = MemoryStore::new();
    for user in 0..options.users {
        let plan = PLANS[user as usize % 4];
        let at = Timestamp::from_millis(start);
        store.write(AttributeWrite::set(id(user), "plan", plan, at)).expect("a valid write");
    }
    for _ in 0..options.history {
        store.record(stream.next()).expect("a valid event");
    }
    store.compact();
    (store, stream)
}

fn run(options: &Options, segments: usize, store: MemoryStore, stream: &mut Stream) {
    let start = Instant::now();
    let at = Timestamp::from_millis(stream.at as i64);
    let mut live = Live::new(catalog(segments), store, at).expect("a valid catalog");
    let made = start.elapsed();
    let events: Vec<Event> = (0..options.events).map(|_| stream.next()).collect();
    let mut took: Vec<Duration> = Vec::with_capacity(events.len());
    let mut transitions = 0;
    let start = Instant::now();
    for event in events {
        let one = Instant::now();
        transitions += live.record(event).expect("a valid event").len();
        took.push(one.elapsed());
    }
    let total = start.elapsed();
    took.sort_unstable();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
    println!(
        "{segments} segments: {:.0} events/s, {:.1} transitions an event; one event: median {:?}, 99 % {:?}, \
         99.9 % {:?}, longest {:?}; made in {made:?}; {:.1} MB beyond the store",
        options.events as f64 / total.as_secs_f64(),
        transitions as f64 / options.events as f64,
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
        live.memory_usage() as f64 / 1e6,
    );
    let to = live.now();
    let second = Instant::now();
    let changes = live.advance(to.plus(whodid::seconds(1))).expect("an instant").len();
    let second = second.elapsed();
    let day = Instant::now();
    let in_a_day = live.advance(to.plus(days(1))).expect("an instant").len();
    println!(
        "  a second passes in {second:?} ({changes} transitions), a day in {:?} ({in_a_day})",
        day.elapsed()
    );
}

fn main() {
    let options = Options::read();
    for segments in &options.segments {
        let (store, mut stream) = history(&options);
        run(&options, *segments, store, &mut stream);
    }
}
