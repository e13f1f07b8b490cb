//! Deterministic facts for the benches: users with a power-law activity, a year of events with late arrivals.

use std::sync::OnceLock;

use whodid::{AttributeWrite, Event, Ingest, MemoryStore, Snapshot, Timestamp, days};

/// Names of events, the most frequent first.
pub const NAMES: [&str; 12] = [
    "page_view",
    "login",
    "feature_used",
    "email_opened",
    "search",
    "add_to_cart",
    "comment_added",
    "purchase",
    "file_uploaded",
    "invite_sent",
    "support_contacted",
    "plan_upgraded",
];
pub const PLANS: [&str; 4] = ["free", "starter", "pro", "enterprise"];
const COUNTRIES: [&str; 6] = ["US", "DE", "FR", "GB", "IN", "BR"];
const DAY: u64 = 86_400_000;

/// How many users and events: little where criterion only tests that the benches run (`cargo bench -- --test`).
pub fn size() -> (u32, usize) {
    if std::env::args().any(|arg| arg == "--test") { (1_000, 20_000) } else { (100_000, 2_000_000) }
}

/// The instant up to which there are facts.
pub fn now() -> Timestamp {
    Timestamp::from_millis(1_781_481_600_000)
}

/// SplitMix64: enough randomness, the same everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// In [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The external id of a user.
pub fn id(user: u32) -> String {
    format!("u{user:07}")
}

fn event(random: &mut Random, users: u32, back: u64) -> Event {
    // The third power of a uniform number: a tenth of the users have about half of the events.
    let user = (f64::from(users) * random.unit().powi(3)) as u32;
    let name = NAMES[(NAMES.len() as f64 * random.unit().powi(2)) as usize];
    let late = if random.below(50) == 0 { random.below(3 * DAY) } else { 0 };
    let at = now().millis() - (back + late) as i64;
    let event = Event::new(id(user), name, Timestamp::from_millis(at));
    match name {
        "purchase" | "add_to_cart" => {
            let amount = (random.unit().powi(4) * 2_000.0).round() / 4.0;
            event.with("amount", amount).with("item", random.below(5_000) as u32)
        }
        "feature_used" => {
            event.with("feature", ["export", "share", "chart", "api"][random.below(4) as usize])
        }
        _ => event,
    }
}

/// So many events in order of arrival, spread over the year before [`now`].
pub fn events(users: u32, count: usize) -> impl Iterator<Item = Event> {
    let mut random = Random::new(7);
    let gap = 365 * DAY / count as u64;
    (0..count).map(move |i| event(&mut random, users, (count - i) as u64 * gap))
}

/// The attributes of every user, written two years before [`now`].
pub fn attributes(users: u32) -> impl Iterator<Item = AttributeWrite> {
    let mut random = Random::new(11);
    (0..users).flat_map(move |user| {
        let at = now().minus(days(730 - (user % 360)));
        let plan = PLANS[(4.0 * random.unit().powi(2)) as usize];
        let country = COUNTRIES[random.below(6) as usize];
        [
            AttributeWrite::set(id(user), "plan", plan, at),
            AttributeWrite::set(id(user), "country", country, at),
            AttributeWrite::set(id(user), "age", 18 + random.below(57) as u32, at),
        ]
    })
}

/// The store that all questions go to; made once.
pub fn snapshot() -> &'static Snapshot {
    static SNAPSHOT: OnceLock<Snapshot> = OnceLock::new();
    SNAPSHOT.get_or_init(|| {
        let (users, count) = size();
        let mut store = MemoryStore::new();
        for write in attributes(users) {
            store.write(write).expect("a good write");
        }
        for event in events(users, count) {
            store.record(event).expect("a good event");
        }
        store.snapshot()
    })
}
