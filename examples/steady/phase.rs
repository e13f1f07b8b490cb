//! One phase: a writer, readers, or both, for some time.

use std::error::Error;
use std::fmt;
use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use whodid::segment::Segment;
use whodid::{Evaluate, Ingest, IngestError, MemoryStore, Snapshot, Timestamp};

use crate::columns::Columns;
use crate::timing::quantile;

/// What all phases share.
pub struct Setting<'a> {
    pub columns: &'a Columns,
    pub questions: &'a [(String, Segment)],
    pub at: Timestamp,
    pub time: Duration,
    /// After so many events the writer hands a snapshot out.
    pub publish: usize,
}

/// The store, and which rows arrive next.
pub struct Writer {
    pub store: MemoryStore,
    pub next: usize,
    pub until: usize,
}

/// Calls of one kind: how many a second, and how long they took.
#[derive(Default)]
struct Calls {
    micros: Vec<f64>,
    /// From the first to the last, with what lies between.
    seconds: f64,
}

#[allow(clippy::cast_precision_loss)]
impl Calls {
    fn rate(&self) -> f64 {
        self.micros.len() as f64 / self.seconds
    }

    fn quantiles(&self) -> [f64; 4] {
        let mut micros = self.micros.clone();
        [0.5, 0.99, 0.999, 1.0].map(|part| quantile(&mut micros, part))
    }

    fn json(&self) -> Json {
        let [p50, p99, p999, max] = self.quantiles();
        json!({
            "calls": self.micros.len(), "per_s": self.rate(),
            "p50_us": p50, "p99_us": p99, "p999_us": p999, "max_us": max,
        })
    }
}

/// What a phase showed.
#[derive(Default)]
pub struct Phase {
    events: Calls,
    snapshots: Calls,
    /// By question.
    answers: Vec<(String, Calls)>,
}

impl Phase {
    fn all_answers(&self) -> Calls {
        let micros = self.answers.iter().flat_map(|(_, calls)| calls.micros.iter().copied()).collect();
        Calls { micros, seconds: self.answers.iter().map(|(_, calls)| calls.seconds).fold(0.0, f64::max) }
    }

    pub fn json(&self) -> Json {
        let questions: serde_json::Map<_, _> =
            self.answers.iter().map(|(name, calls)| (name.clone(), calls.json())).collect();
        json!({
            "events": self.events.json(), "snapshots": self.snapshots.json(),
            "answers": self.all_answers().json(), "questions": questions,
        })
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds =
            [("events", &self.events), ("snapshots", &self.snapshots), ("answers", &self.all_answers())];
        for (name, calls) in kinds.into_iter().filter(|(_, calls)| !calls.micros.is_empty()) {
            let [p50, _, p999, max] = calls.quantiles();
            let rate = calls.rate();
            write!(f, "{name} {rate:.0}/s, µs: half {p50:.1}, 99.9 % {p999:.1}, all {max:.1};  ")?;
        }
        Ok(())
    }
}

fn micros(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}

/// Takes events in until the time is up or none is left.
fn write(
    setting: &Setting<'_>,
    writer: &mut Writer,
    newest: &Mutex<Snapshot>,
) -> Result<(Calls, Calls), IngestError> {
    let (mut events, mut snapshots) = (Calls::default(), Calls::default());
    let start = Instant::now();
    while start.elapsed() < setting.time && writer.next < writer.until {
        let event = setting.columns.event(writer.next);
        writer.next += 1;
        let call = Instant::now();
        writer.store.record(event)?;
        events.micros.push(micros(call));
        if writer.next.is_multiple_of(setting.publish) {
            let call = Instant::now();
            let snapshot = writer.store.snapshot();
            let old = newest.lock().map(|mut newest| std::mem::replace(&mut *newest, snapshot));
            snapshots.micros.push(micros(call));
            drop(old); // outside the lock: it may be the last to hold something
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    (events.seconds, snapshots.seconds) = (seconds, seconds);
    Ok((events, snapshots))
}

/// Asks one question after the other until told to stop.
fn read(setting: &Setting<'_>, newest: &Mutex<Snapshot>, stop: &AtomicBool) -> Vec<(String, Calls)> {
    let mut answers: Vec<(String, Calls)> =
        setting.questions.iter().map(|(name, _)| (name.clone(), Calls::default())).collect();
    let start = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        for ((_, segment), (_, calls)) in setting.questions.iter().zip(&mut answers) {
            let Ok(snapshot) = newest.lock().map(|newest| newest.clone()) else { return answers };
            let call = Instant::now();
            black_box(snapshot.members(segment, setting.at).map(|members| members.len())).ok();
            calls.micros.push(micros(call));
        }
    }
    answers.iter_mut().for_each(|(_, calls)| calls.seconds = start.elapsed().as_secs_f64());
    answers
}

/// Runs a phase with so many readers, and the writer or not.
pub fn run(
    setting: &Setting<'_>,
    writer: &mut Writer,
    writes: bool,
    readers: usize,
) -> Result<Phase, Box<dyn Error>> {
    let newest = Mutex::new(writer.store.snapshot());
    let stop = AtomicBool::new(false);
    let mut phase = Phase::default();
    let (written, read) = thread::scope(|scope| {
        let readers: Vec<_> = (0..readers).map(|_| scope.spawn(|| read(setting, &newest, &stop))).collect();
        let written = if writes {
            Some(write(setting, writer, &newest))
        } else {
            thread::sleep(setting.time);
            None
        };
        stop.store(true, Ordering::Relaxed);
        (written, readers.into_iter().map(|reader| reader.join()).collect::<Vec<_>>())
    });
    if let Some(calls) = written {
        (phase.events, phase.snapshots) = calls?;
    }
    for answers in read {
        let answers = answers.map_err(|_| "a reader panicked")?;
        if phase.answers.is_empty() {
            phase.answers = answers;
        } else {
            for ((_, all), (_, more)) in phase.answers.iter_mut().zip(answers) {
                all.micros.extend(more.micros);
            }
        }
    }
    Ok(phase)
}
