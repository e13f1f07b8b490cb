//! How long the batches took.

use std::time::Instant;

use crate::transition::Digest;

/// What a run leaves: the transitions, and how fast it went.
pub struct Outcome {
    pub digest: Digest,
    pub clock: Clock,
    /// Bytes that are there for the question alone, where the engine tells: events and users aside.
    pub state: Option<usize>,
}

/// Notes every batch.
pub struct Clock {
    last: Instant,
    /// Events and seconds of each batch.
    batches: Vec<(usize, f64)>,
}

impl Clock {
    pub fn start() -> Self {
        Self { last: Instant::now(), batches: Vec::new() }
    }

    /// What comes next counts; what was before, since the last batch, made the input.
    pub fn begin(&mut self) {
        self.last = Instant::now();
    }

    /// A batch of so many events is done, its transitions out.
    pub fn note(&mut self, events: usize) {
        let now = Instant::now();
        self.batches.push((events, (now - self.last).as_secs_f64()));
        self.last = now;
    }

    /// Events a second, of all batches or of the later half, when the window is full.
    pub fn rate(&self, later_half: bool) -> f64 {
        let skipped = if later_half { self.batches.len() / 2 } else { 0 };
        let of = self.batches.iter().skip(skipped);
        let (events, seconds) = of.fold((0, 0.0), |(n, s), (events, seconds)| (n + events, s + seconds));
        events as f64 / seconds
    }

    /// Seconds of a batch below which such a part of them lies.
    pub fn quantile(&self, part: f64) -> f64 {
        let mut seconds: Vec<f64> = self.batches.iter().map(|(_, seconds)| *seconds).collect();
        seconds.sort_unstable_by(f64::total_cmp);
        let index = ((seconds.len().saturating_sub(1)) as f64 * part).round() as usize;
        seconds.get(index).copied().unwrap_or(f64::NAN)
    }
}
