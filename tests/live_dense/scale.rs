//! How far apart things happen.

use whodid::Timestamp;

/// Everything happens on a tick after the start, and spans are as many ticks, or a calendar's.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    pub base: i64,
    pub tick: i64,
    /// Ticks that facts lie in.
    pub facts: i64,
    /// The tick to which time passes.
    pub end: i64,
    /// By length.
    pub spans: &'static [&'static str],
    pub zones: &'static [&'static str],
}

impl Scale {
    /// A tick, as an instant.
    pub fn at(self, tick: i64) -> Timestamp {
        Timestamp::from_millis(self.base + tick * self.tick)
    }

    /// The instants of ticks after one and up to another.
    pub fn between(self, after: i64, to: i64) -> impl Iterator<Item = i64> {
        let first = (after - self.base).div_euclid(self.tick) + 1;
        (first..).map(move |tick| self.base + tick * self.tick).take_while(move |at| *at <= to)
    }
}

/// Milliseconds around what calendars trip over.
pub fn milliseconds() -> Vec<Scale> {
    let bases = [
        1_774_738_800_000, // midnight in Berlin before the day whose clocks are set ahead
        1_774_746_000_000, // those clocks are set ahead
        1_792_890_000_000, // clocks are set back
        1_772_323_200_000, // the first of March: a month before, there is no such day as three days earlier
        1_767_225_600_000, // a new year
        1_541_300_400_000, // a day in Sao Paulo without a midnight
    ];
    let scale = |base: i64| Scale {
        base: base - 7,
        tick: 1,
        facts: 18,
        end: 26,
        spans: &["1ms", "2ms", "3ms", "5ms", "8ms", "1d", "1d2ms", "1mo", "1mo1ms", "2mo"],
        zones: &["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata"],
    };
    bases.map(scale).to_vec()
}

/// Hours of some days, in which clocks are set ahead or back.
pub fn hours() -> Vec<Scale> {
    let bases = [
        1_774_569_600_000, // 27 March 2026
        1_792_713_600_000, // 23 October 2026
        1_772_150_400_000, // 27 February 2026
    ];
    let scale = |base: i64| Scale {
        base,
        tick: 3_600_000,
        facts: 150,
        end: 260,
        spans: &["1h", "6h", "1d", "2d", "3d", "73h", "4d", "7d", "10d", "11d"],
        zones: &["UTC", "Europe/Berlin", "America/New_York"],
    };
    bases.map(scale).to_vec()
}
