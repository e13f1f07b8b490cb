//! Ingestion through the typed API, in batches such as a consumer of a queue takes, timed.

use std::error::Error;
use std::fmt;
use std::time::Instant;

use serde_json::{Value as Json, json};
use whodid::{Ingest, MemoryStore, MemoryUsage};

use crate::columns::Columns;
use crate::timing::{processor, resident};

/// Events that are taken in together.
const BATCH: usize = 1024;

/// How ingestion went.
pub struct Ingested {
    pub events: usize,
    attributes_s: f64,
    events_s: f64,
    /// The same without making the events, which is the caller's part.
    taking_s: f64,
    /// Processor time of the same, without what others took of a busy machine.
    events_processor_s: Option<f64>,
    compact_s: Option<f64>,
    /// How much the process has grown, the columns it read from left out.
    resident: Option<u64>,
    /// What the store says that it holds.
    held: MemoryUsage,
}

/// Takes all facts in, in order of arrival, and lets the columns of events go.
pub fn ingest(columns: &mut Columns, compact: bool) -> Result<(MemoryStore, Ingested), Box<dyn Error>> {
    let before = resident();
    let mut store = MemoryStore::new();
    let start = Instant::now();
    for write in columns.attributes() {
        store.write(write)?;
    }
    let attributes_s = start.elapsed().as_secs_f64();
    let (start, busy, events) = (Instant::now(), processor(), columns.events());
    let mut taking_s = 0.0;
    for from in (0..events).step_by(BATCH) {
        let batch = (from..events.min(from + BATCH)).map(|row| columns.event(row).into()).collect();
        let start = Instant::now();
        store.take_all(batch)?;
        taking_s += start.elapsed().as_secs_f64();
    }
    let events_s = start.elapsed().as_secs_f64();
    let events_processor_s = processor().zip(busy).map(|(after, before)| after - before);
    let compact_s = compact.then(|| {
        let start = Instant::now();
        store.compact();
        start.elapsed().as_secs_f64()
    });
    let resident = resident().zip(before).map(|(after, before)| after.saturating_sub(before));
    columns.let_events_go();
    let held = store.memory_usage();
    Ok((
        store,
        Ingested { events, attributes_s, events_s, taking_s, events_processor_s, compact_s, resident, held },
    ))
}

impl Ingested {
    #[allow(clippy::cast_precision_loss)]
    fn each(&self, total: f64) -> f64 {
        total / self.events.max(1) as f64
    }

    #[allow(clippy::cast_precision_loss)]
    pub fn json(&self) -> Json {
        json!({
            "attributes_s": self.attributes_s,
            "events_s": self.events_s,
            "events_per_s": 1.0 / self.each(self.events_s),
            "events_taken_per_s": 1.0 / self.each(self.taking_s),
            "events_per_processor_s": self.events_processor_s.map(|seconds| 1.0 / self.each(seconds)),
            "compact_s": self.compact_s,
            "resident_bytes": self.resident,
            "resident_bytes_per_event": self.resident.map(|bytes| self.each(bytes as f64)),
            "held": usage(&self.held),
            "instant_bytes_per_event": self.each(self.held.instants as f64),
        })
    }
}

/// What a store holds, by part, in bytes.
pub fn usage(held: &MemoryUsage) -> Json {
    json!({
        "instants": held.instants, "properties": held.properties, "tail": held.tail, "users": held.users,
        "attributes": held.attributes, "dictionary": held.dictionary, "event_ids": held.event_ids,
        "indexes": held.indexes, "total": held.total(),
    })
}

#[allow(clippy::cast_precision_loss)]
impl fmt::Display for Ingested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = 1e-6 / self.each(self.events_s);
        write!(f, "{} events in {:.1} s: {rate:.2} million a second", self.events, self.events_s)?;
        write!(f, ", {:.2} million once they are made", 1e-6 / self.each(self.taking_s))?;
        if let Some(seconds) = self.events_processor_s {
            write!(f, " ({:.2} of processor time, making included)", 1e-6 / self.each(seconds))?;
        }
        write!(f, "; attributes {:.1} s", self.attributes_s)?;
        if let Some(seconds) = self.compact_s {
            write!(f, "; compacted in {seconds:.1} s")?;
        }
        if let Some(bytes) = self.resident {
            write!(f, "; grown by {} MiB, {:.1} bytes an event", bytes >> 20, self.each(bytes as f64))?;
        }
        write!(f, "\nuser, name and instant: {:.2} bytes an event; ", self.each(self.held.instants as f64))?;
        self.held.fmt(f)
    }
}
