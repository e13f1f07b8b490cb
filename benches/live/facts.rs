//! Facts and segments as in the speed suite (`bench/`): the same distributions, from a generator of its own.

use whodid::segment::Segment;
use whodid::{AttributeWrite, Event, Ingest, MemoryStore, Timestamp, all, attribute, days, did, property};

/// Names of events, the most frequent first but for the last, which each user has at most once.
const NAMES: [&str; 24] = [
    "page_view",
    "login",
    "feature_used",
    "email_opened",
    "search",
    "email_clicked",
    "add_to_cart",
    "comment_added",
    "purchase",
    "file_uploaded",
    "report_viewed",
    "invite_sent",
    "settings_changed",
    "support_contacted",
    "export_run",
    "limit_hit",
    "integration_added",
    "trial_extended",
    "payment_failed",
    "plan_upgraded",
    "subscription_cancelled",
    "webinar_attended",
    "review_left",
    "onboarding_completed",
];
const PLANS: [&str; 4] = ["free", "starter", "pro", "enterprise"];
const COUNTRIES: [&str; 16] =
    ["US", "DE", "FR", "GB", "IN", "BR", "JP", "CA", "ES", "IT", "NL", "SE", "PL", "AU", "MX", "ZA"];
const DAY: f64 = 86_400_000.0;

/// The end of the history.
const NOW: i64 = 1_781_481_600_000;

/// SplitMix64: enough randomness, the same everywhere.
pub struct Random(u64);

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
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[(self.next() % of.len() as u64) as usize]
    }

    /// A place among cumulative weights.
    fn weighted(&mut self, cumulative: &[f64]) -> usize {
        let point = self.unit() * cumulative.last().copied().unwrap_or(0.0);
        cumulative.partition_point(|below| *below < point).min(cumulative.len() - 1)
    }

    /// About normal: twelve uniform numbers, less six.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

fn cumulative(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sum = 0.0;
    weights.map(|weight| (sum += weight, sum).1).collect()
}

/// The external id of a user.
fn id(user: usize) -> String {
    format!("u{user:07}")
}

/// Events in order of time, but for some that come late; a year of them, and then as many more as are wanted.
pub struct Stream {
    random: Random,
    /// By user: power-law activity, added up; 6 % never act.
    activity: Vec<f64>,
    /// By user: when it signed up, within two years.
    signup: Vec<f64>,
    names: Vec<f64>,
    at: f64,
    /// Milliseconds between two events.
    pub pace: f64,
    /// The share that comes up to three days late.
    pub late: f64,
}

impl Stream {
    fn new(users: usize, history: usize) -> Self {
        let mut random = Random(1);
        let activity = (0..users).map(|_| match random.unit() {
            below if below < 0.06 => 0.0,
            _ => (random.unit().powf(-1.0 / 1.15) - 0.95).min(3_000.0),
        });
        let activity = cumulative(activity);
        let signup =
            (0..users).map(|_| NOW as f64 - (random.unit().powf(1.3) * 730.0 + 0.01) * DAY).collect();
        let names = cumulative((1..=23).map(|rank| f64::from(rank).powf(-1.05)));
        let year = 365.0 * DAY;
        Self {
            random,
            activity,
            signup,
            names,
            at: NOW as f64 - year,
            pace: year / history as f64,
            late: 0.02,
        }
    }

    /// The instant that has been reached.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.at as i64)
    }

    /// Lets the events to come follow one another in so many milliseconds.
    pub fn at_pace(&mut self, pace: f64) {
        self.pace = pace;
    }

    pub fn next(&mut self) -> Event {
        self.at += self.pace * 2.0 * self.random.unit();
        let user = loop {
            let user = self.random.weighted(&self.activity);
            if self.signup[user] < self.at {
                break user;
            }
        };
        let name = NAMES[self.random.weighted(&self.names)];
        let late = if self.random.unit() < self.late { self.random.unit() * 3.0 * DAY } else { 0.0 };
        let at = (self.at - late).max(self.signup[user]);
        let event = Event::new(id(user), name, Timestamp::from_millis(at as i64));
        match name {
            "purchase" | "add_to_cart" => {
                let amount = ((3.6 + 0.9 * self.random.normal()).exp() * 4.0).round() / 4.0;
                event.with("amount", amount).with("item", (5_000.0 * self.random.unit().powi(4)) as u32)
            }
            _ => event,
        }
    }
}

/// A store with a year of history, and what comes next.
pub fn history(users: usize, events: usize) -> (MemoryStore, Stream) {
    let mut stream = Stream::new(users, events);
    let mut store = MemoryStore::new();
    let plans = [0.62, 0.82, 0.95, 1.0];
    let countries = cumulative((1..=16).map(|rank| 1.0 / f64::from(rank)));
    for user in 0..users {
        let at = Timestamp::from_millis(stream.signup[user] as i64);
        let plan = PLANS[stream.random.weighted(&plans)];
        let country = COUNTRIES[stream.random.weighted(&countries)];
        for (name, value) in [("plan", plan), ("country", country)] {
            store.write(AttributeWrite::set(id(user), name, value, at)).expect("a valid write");
        }
    }
    for _ in 0..events {
        store.record(stream.next()).expect("a valid event");
    }
    store.compact();
    (store, stream)
}

/// As `portfolio` of the speed suite makes a hundred.
pub fn segments(count: usize) -> Vec<Segment> {
    let mut random = Random(7);
    let segment = |_| {
        let count = random.pick(&[1, 2, 2, 3, 4]);
        all((0..count).map(|_| leaf(&mut random)).collect::<Vec<_>>())
    };
    (0..count).map(segment).collect()
}

fn leaf(random: &mut Random) -> Segment {
    let event = random.pick(&NAMES);
    let last = days(random.pick(&[1, 3, 7, 14, 30, 60, 90, 180]));
    match (random.unit() * 100.0) as u32 {
        0..30 => did(event).last(last).into(),
        30..50 => !did(event).last(last),
        50..70 => did(event).at_least(random.pick(&[2, 3, 5, 10])).last(last).into(),
        70..76 => {
            did("purchase").where_(property("amount").gt(random.pick(&[20, 50, 100]))).last(last).into()
        }
        76..82 => did("purchase").sum("amount").at_least(random.pick(&[100, 500, 1_000])).last(last).into(),
        82..88 => {
            let last = days(random.pick(&[7, 14, 28]));
            did("*").active_days().at_least(random.pick(&[2, 3, 5])).last(last).into()
        }
        88..95 => attribute("plan").eq(random.pick(&PLANS)).into(),
        _ => {
            let first = random.pick(&[0, 1, 2, 3]);
            attribute("country").one_of(COUNTRIES[first..first + 3].iter().copied()).into()
        }
    }
}
