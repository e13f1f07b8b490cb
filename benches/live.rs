//! Live membership under a stream of events: throughput with transitions, how long single events take, what the
//! passing of time costs, and what is held beyond the store.
//!
//!     cargo bench --bench live -- [--users N] [--history N] [--events N] [--segments N]… [--per-second N] [--runs N]
//!
//! Facts and segments are distributed like those of the speed suite. Events come at two paces:
//!
//! - *replayed*: as far apart as in the history, so that with each event of a year of 20 million about 1.6 s pass and
//!   each edge of each window is crossed as often as events happen. This is catching up.
//! - *rushing*: so many a second of the stream's own time (200 000), as they would come to an engine that just keeps up.
//!
//! On a machine that others use much of what single events take is theirs. Several runs do the very same: of each batch and
//! each event the least that it took in any of them is what the engine needs, or little more.
//!
//! What is printed are figures of one thread. Without arguments it is small, and only tests that it runs.

#![allow(clippy::expect_used)] // a bench that cannot go on should stop

#[path = "live/facts.rs"]
mod facts;

use std::hint::black_box;
use std::time::{Duration, Instant};

use facts::{Stream, history, segments};
use whodid::live::{Announce, Changes};
use whodid::segment::{EventPattern, Segment};
use whodid::{
    Answers, Catalog, Evaluate, Event, Fact, Live, MemoryStore, Snapshot, Timestamp, days, did, seconds,
};

struct Options {
    users: usize,
    history: usize,
    events: usize,
    segments: Vec<usize>,
    per_second: usize,
    runs: usize,
}

impl Options {
    fn read() -> Self {
        let mut options = Self {
            users: 20_000,
            history: 200_000,
            events: 20_000,
            segments: Vec::new(),
            per_second: 200_000,
            runs: 1,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut number = || args.next().and_then(|value| value.parse::<usize>().ok()).unwrap_or(1);
            match arg.as_str() {
                "--users" => options.users = number(),
                "--history" => options.history = number(),
                "--events" => options.events = number(),
                "--segments" => options.segments.push(number()),
                "--per-second" => options.per_second = number(),
                "--runs" => options.runs = number(),
                _ => {}
            }
        }
        if options.segments.is_empty() {
            options.segments = vec![10, 1_000];
        }
        options
    }
}

fn catalog(count: usize) -> Catalog {
    let mut catalog = Catalog::new();
    for (i, segment) in segments(count).into_iter().enumerate() {
        catalog.insert(format!("segment {i}"), segment).expect("a valid segment");
    }
    catalog
}

/// How long this thread has been on a processor, and how often it was put on one, where the system tells: on a busy
/// machine it is on none for much of the time.
fn on_processor() -> (Duration, u64) {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let mut numbers = told.split_ascii_whitespace().map(|number| number.parse().unwrap_or(0));
    let nanos = numbers.next().unwrap_or(0);
    (Duration::from_nanos(nanos), numbers.nth(1).unwrap_or(0))
}

/// How a loop that does nothing is interrupted on this machine: an event that meets such a pause takes that much longer.
fn interruptions() {
    let (start, mut last) = (Instant::now(), Instant::now());
    let mut pauses = Vec::new();
    while start.elapsed() < Duration::from_secs(2) {
        let pause = last.elapsed();
        last = Instant::now();
        if pause > Duration::from_micros(5) {
            pauses.push(pause);
        }
    }
    pauses.sort_unstable();
    let at = |part: f64| pauses.get((pauses.len() as f64 * part) as usize).copied().unwrap_or_default();
    let a_second = pauses.len() as f64 / start.elapsed().as_secs_f64();
    println!(
        "a loop that does nothing is interrupted {a_second:.0} times a second for more than 5 µs: half of them {:?} or more, a tenth {:?}",
        at(0.5),
        at(0.9),
    );
}

/// Events that come together.
const BATCH: usize = 256;

/// How long each batch took, and each single event.
struct Took {
    batches: Vec<Duration>,
    single: Vec<Duration>,
}

impl Took {
    /// Of each the least.
    fn least(runs: &[Self]) -> Self {
        let least = |of: fn(&Self) -> &Vec<Duration>| {
            let place = |place: usize| runs.iter().filter_map(|run| of(run).get(place).copied()).min();
            (0..).map_while(place).collect()
        };
        Self { batches: least(|run| &run.batches), single: least(|run| &run.single) }
    }

    fn per_second(&self) -> f64 {
        let total: Duration = self.batches.iter().sum();
        self.single.len() as f64 / total.as_secs_f64() // half of all are fed in batches
    }

    fn of_single(&self) -> String {
        let mut took = self.single.clone();
        took.sort_unstable();
        let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
        format!("median {:?}, 99 % {:?}, 99.9 % {:?}, longest {:?}", at(0.5), at(0.99), at(0.999), at(1.0))
    }
}

/// Feeds events, half of them in batches for throughput, and half one by one for how long each takes.
fn feed(live: &mut Live, stream: &mut Stream, count: usize, pace: &str) -> Took {
    let mut events: Vec<Event> = (0..count).map(|_| stream.next()).collect();
    let single = events.split_off(count / 2);
    let mut transitions = 0;
    let of_stream = live.now();
    let mut batches: Vec<Vec<Fact>> = Vec::new();
    for (i, event) in events.into_iter().enumerate() {
        match batches.last_mut() {
            Some(batch) if i % BATCH != 0 => batch.push(event.into()),
            _ => batches.push(vec![event.into()]),
        }
    }
    let mut took = Took { batches: Vec::new(), single: Vec::with_capacity(single.len()) };
    let busy = on_processor();
    for batch in batches {
        let one = Instant::now();
        transitions += black_box(live.take_all(batch).expect("a valid batch")).len();
        took.batches.push(one.elapsed());
    }
    let busy = on_processor().0 - busy.0;
    let passed = (live.now().millis() - of_stream.millis()) as f64 / 1e3;
    let turns = on_processor().1;
    for event in single {
        let one = Instant::now();
        _ = black_box(live.record(event).expect("a valid event"));
        took.single.push(one.elapsed());
    }
    println!(
        "  {pace}: {:.0} events/s ({:.0} by processor time), {:.1} transitions an event, over {passed:.0} s of the stream; one event: \
         {}; others had the processor {} times",
        took.per_second(),
        (count / 2) as f64 / busy.as_secs_f64(),
        transitions as f64 / (count / 2) as f64,
        took.of_single(),
        on_processor().1 - turns,
    );
    took
}

/// Lets time pass without events.
fn advance(live: &mut Live) {
    let mut quiet = Vec::new();
    for _ in 0..2_000 {
        let to = live.now().plus(seconds(1));
        let start = Instant::now();
        if live.advance(to).expect("an instant").is_empty() {
            quiet.push(start.elapsed());
        }
    }
    quiet.sort_unstable();
    let median = quiet.get(quiet.len() / 2);
    println!("  a second in which nothing changes: median {median:?} of {}", quiet.len());

    let to = live.now().plus(days(1));
    let start = Instant::now();
    let changes = live.advance(to).expect("an instant");
    let day = start.elapsed();
    let mut changed: Vec<&str> = changes.iter().map(|change| &*change.segment).collect();
    changed.sort_unstable();
    changed.dedup();
    let mut again = Catalog::new();
    for (name, segment) in live.catalog().segments().filter(|(name, _)| changed.binary_search(name).is_ok()) {
        again.insert(name, segment.clone()).expect("a valid segment");
    }
    let (snapshot, plan) = (live.snapshot(), again.plan().expect("a valid catalog"));
    let evaluate = |at: Timestamp| {
        let start = Instant::now();
        let answers = black_box(snapshot.evaluate(&plan, at).expect("a valid plan"));
        (start.elapsed(), answers)
    };
    let (first, answers) = evaluate(to);
    let (again, tomorrow) = evaluate(to.plus(days(1)));
    println!(
        "  a day in one step: {day:?} for {} transitions in {} segments, which evaluate in {first:?}, for the day after in {again:?}",
        changes.len(),
        changed.len(),
    );
    let (once, again) = members(live, &answers);
    println!("  the members of a segment: {once:?}, asked again {again:?}");
    let changes = live.advance(to.plus(days(1))).expect("an instant");
    members(live, &tomorrow);
    println!("  another day makes {} transitions", changes.len());
}

/// How long asking for the members of one segment takes, who are as evaluated, and asking again.
fn members(live: &Live, answers: &Answers<'_, Snapshot>) -> (Duration, Duration) {
    let (mut once, mut again) = (Duration::ZERO, Duration::ZERO);
    for (name, expected) in answers.iter() {
        for took in [&mut once, &mut again] {
            let start = Instant::now();
            let members = live.members(name).expect("a segment");
            *took += start.elapsed();
            assert!(members == *expected.bitmap(), "{name} differs");
            assert_eq!(live.count(name), Some(members.len()), "{name} is counted wrong");
        }
    }
    let segments = u32::try_from(answers.len().max(1)).unwrap_or(u32::MAX);
    (once / segments, again / segments)
}

/// How long the engine takes for a changed catalog, and for dropping what is old.
fn edits(live: &mut Live) {
    let timed = |live: &mut Live, what: &str, change: &dyn Fn(&mut Live) -> Changes| {
        let start = Instant::now();
        let transitions = change(live).len();
        println!("  {what}: {:?}, {transitions} transitions", start.elapsed());
    };
    let put = |segment: Segment| {
        move |live: &mut Live| live.insert("new", segment.clone(), Announce::Transitions).expect("a segment")
    };
    timed(live, "a segment more", &put(did("purchase").at_least(2).last(days(45)).into()));
    timed(
        live,
        "another in its place",
        &put(did("purchase").sum("amount").at_least(200).last(days(45)).into()),
    );
    timed(live, "with nothing new to ask", &put(!did("purchase").sum("amount").at_least(200).last(days(45))));
    timed(live, "taken out", &|live| live.remove("new", Announce::Transitions).expect("a segment"));
    let all = [EventPattern::Prefix(String::new())];
    for kept in [300, 299, 100, 99] {
        let what = format!("events of {kept} days kept");
        let since = live.now().minus(days(kept));
        timed(live, &what, &|live| live.retain(since, &all).expect("an instant"));
    }
}

/// What events took at both paces.
fn run(options: &Options, segments: usize, store: MemoryStore, mut stream: Stream) -> [Took; 2] {
    let start = Instant::now();
    let catalog = catalog(segments);
    let plan = catalog.plan().expect("a valid catalog");
    let leaves = plan.leaves().len();
    let mut live = Live::new(catalog, store, stream.now()).expect("a valid catalog");
    println!("{segments} segments, {leaves} leaves, made in {:?}", start.elapsed());
    let replayed = feed(&mut live, &mut stream, options.events, "replayed");
    let replay = stream.pace;
    stream.at_pace(1e3 / options.per_second as f64);
    let rushing = feed(&mut live, &mut stream, options.events, "rushing");
    stream.at_pace(replay);
    let bytes = live.memory_usage();
    println!("  {:.1} MB beyond the store", bytes as f64 / 1e6);
    advance(&mut live);
    edits(&mut live);
    [replayed, rushing]
}

fn main() {
    let options = Options::read();
    interruptions();
    for segments in &options.segments {
        let (mut replayed, mut rushing) = (Vec::new(), Vec::new());
        for _ in 0..options.runs {
            let start = Instant::now();
            let (store, stream) = history(options.users, options.history);
            println!(
                "{} users, {} events of history in {:?}",
                options.users,
                options.history,
                start.elapsed()
            );
            let [replay, rush] = run(&options, *segments, store, stream);
            replayed.push(replay);
            rushing.push(rush);
        }
        for (pace, runs) in
            [("replayed", replayed), ("rushing", rushing)].into_iter().filter(|(_, runs)| runs.len() > 1)
        {
            let least = Took::least(&runs);
            println!(
                "{segments} segments {pace}, of each batch and event the least of {} runs: {:.0} events/s; one event: {}",
                runs.len(),
                least.per_second(),
                least.of_single(),
            );
        }
    }
}
