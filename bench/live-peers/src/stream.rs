//! The stream: events in order of time, of users with a power-law activity.

/// An event: who, and when in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub user: u32,
    pub at: u64,
}

/// SplitMix64: enough randomness, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In (0, 1].
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }
}

/// So many events of so many users, spread evenly over so many days.
pub fn generate(users: usize, events: usize, days: u64) -> Vec<Event> {
    let mut random = Random(20_260_615);
    let mut cumulative = Vec::with_capacity(users);
    let mut sum = 0.0;
    for _ in 0..users {
        // Pareto with the exponent of the speed suite's data; the tail is cut so that no user is most of it.
        sum += (random.unit().powf(-1.0 / 1.15) - 0.95).min(3_000.0);
        cumulative.push(sum);
    }
    let mean_gap = (days * 86_400_000) as f64 / events as f64;
    let mut now = 0.0;
    let event = |_| {
        now -= random.unit().ln() * mean_gap;
        let point = random.unit() * sum;
        let user = cumulative.partition_point(|below| *below < point).min(users - 1);
        // Later than one window, so that no instant is negative.
        Event { user: user as u32, at: 40 * 86_400_000 + now as u64 }
    };
    (0..events).map(event).collect()
}

/// Cuts the stream into batches of at least so many events. All events of an instant lie in one batch.
pub fn batches(events: &[Event], size: usize) -> Vec<&[Event]> {
    let (mut batches, mut rest) = (Vec::new(), events);
    while !rest.is_empty() {
        let last = rest[size.clamp(1, rest.len()) - 1].at;
        let (batch, after) = rest.split_at(rest.partition_point(|event| event.at <= last));
        batches.push(batch);
        rest = after;
    }
    batches
}
