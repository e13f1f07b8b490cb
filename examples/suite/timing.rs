//! Timing: hot as often as asked, cold after the caches were streamed over.

use std::hint::black_box;
use std::time::Instant;

/// Bytes streamed between cold runs, well beyond the last level of cache of the machines we know.
const STREAMED: usize = 128 << 20;

/// Memory to stream through the caches.
pub struct Cold(Vec<u64>);

impl Cold {
    pub fn new() -> Self {
        Self(vec![1; STREAMED / size_of::<u64>()])
    }

    /// Reads and writes all of it, so that nothing else is left in a cache.
    pub fn stream(&mut self) {
        for word in &mut self.0 {
            *word = word.wrapping_add(1);
        }
        black_box(&self.0);
    }
}

/// Microseconds of one call, and its answer.
pub fn time<T>(mut call: impl FnMut() -> T) -> (f64, T) {
    let start = Instant::now();
    let answer = black_box(call());
    (start.elapsed().as_secs_f64() * 1e6, answer)
}

/// Seconds after which no more calls of a kind are made, once there are three.
const ENOUGH: f64 = 3.0;

/// Median microseconds of so many calls, or of fewer where they are slow; `before` runs untimed before each.
pub fn median<T>(runs: usize, mut before: impl FnMut(), mut call: impl FnMut() -> T) -> f64 {
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < 3 || (times.len() < runs && start.elapsed().as_secs_f64() < ENOUGH) {
        before();
        times.push(time(&mut call).0);
    }
    quantile(&mut times, 0.5)
}

/// The value below which such a part of them lies.
pub fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let index = (last as f64 * part).round() as usize;
    values.get(index).copied().unwrap_or(f64::NAN)
}

/// Bytes of memory that the process holds; `None` where the system does not tell.
pub fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// Seconds of processor time that this process has used: on a busy machine, what a call would have taken on an idle
/// one. `None` where the system does not tell.
pub fn processor() -> Option<f64> {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_ascii_whitespace().collect();
    // The 14th and 15th of all fields; the name of the program, the second, is cut off with what precedes it.
    let ticks = [11, 12].map(|i| fields.get(i).and_then(|ticks| ticks.parse::<f64>().ok()));
    Some((ticks[0]? + ticks[1]?) / TICKS_A_SECOND)
}
