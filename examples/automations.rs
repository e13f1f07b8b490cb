//! Automations: which mails the last month of a product would have sent, to whom, and when.
//!
//! ```text
//! cargo run --release --example automations
//! ```
//!
//! The store holds the whole year that `simulate_saas` wrote, and the clock is that of the year: facts come to exist as
//! time passes. A service does the same by its own clock: it sleeps until [`Automations::wake`], takes facts as they come
//! ([`Live::take`]) and acts on what either tells it. In the middle of the month this one is stopped and goes on.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;

use serde::{Deserialize, Serialize};
use whodid::live::rules::{Dwell, FrequencyCap, Once, OncePer, QuietHours, Rule, Signal};
use whodid::{
    Catalog, Changes, Evaluate, Importer, Live, LiveError, MemoryStore, Movement, Saved, Timestamp, Tz,
    attribute, days, hours,
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/campaigns");

/// Segments, and the mail that is sent when a user enters one.
const MAILS: [(&str, &str); 4] = [
    ("signed_up", "welcome"),
    ("trial_ends_within_3_days", "your trial ends"),
    ("abandoned_upgrade", "shall we help with the upgrade?"),
    ("silent_14_days", "we miss you"),
];
/// Everyone else lives in UTC.
const ZONES: [(&str, Tz); 4] = [
    ("US", Tz::America__New_York),
    ("IN", Tz::Asia__Kolkata),
    ("DE", Tz::Europe__Berlin),
    ("BR", Tz::America__Sao_Paulo),
];

/// What is to be known of the past to decide what is sent. Nothing is sent at night; what remembers stands behind what holds
/// back, so that nobody is told twice.
#[derive(Serialize, Deserialize)]
struct Rules {
    welcome: (QuietHours, Once),
    /// All other mails: to those who have been in for an hour, once a month.
    nudges: (Dwell, (QuietHours, OncePer)),
    /// Whatever is to be sent: one mail in two days.
    any: FrequencyCap,
}

impl Rules {
    /// The store is asked once where users live; a service calls `set_zone` when one tells.
    fn new(store: &MemoryStore) -> Result<Self, Box<dyn Error>> {
        let mut quiet = QuietHours::new("21:00".parse()?, "08:00".parse()?).unless_left();
        let users = store.snapshot();
        for (country, zone) in ZONES {
            let there = users.members(&attribute("country").eq(country), Timestamp::MAX)?;
            there.ids().for_each(|id| quiet.set_zone(id, zone));
        }
        Ok(Self {
            welcome: (quiet.clone(), Once::default()),
            nudges: (Dwell::new(hours(1)), (quiet, OncePer::new(days(30)))),
            any: FrequencyCap::new(1, days(2)),
        })
    }

    /// What comes out of rows side by side, in order of time, for what they share.
    fn share(&mut self, [mut ready, others]: [Vec<Signal>; 2]) -> Vec<Signal> {
        ready.extend(others);
        ready.sort_by_key(|signal| signal.at);
        ready.into_iter().flat_map(|signal| self.any.take(signal)).collect()
    }
}

/// Two rows side by side, and one rule behind both.
impl Rule for Rules {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        let mut mails = self.pass(Timestamp::from_millis(signal.at.millis() - 1));
        let ready = match signal.segment.as_str() {
            "signed_up" => [self.welcome.take(signal), Vec::new()],
            segment if MAILS.iter().any(|(of, _)| *of == segment) => [Vec::new(), self.nudges.take(signal)],
            _ => return mails,
        };
        mails.extend(self.share(ready));
        mails
    }

    fn pass(&mut self, to: Timestamp) -> Vec<Signal> {
        let ready = [self.welcome.pass(to), self.nudges.pass(to)];
        self.share(ready)
    }

    fn wake(&self) -> Option<Timestamp> {
        self.welcome.wake().into_iter().chain(self.nudges.wake()).min()
    }

    fn forget(&mut self, id: &str) {
        self.welcome.forget(id);
        self.nudges.forget(id);
        self.any.forget(id);
    }

    fn merge(&mut self, from: &str, into: &str, at: Timestamp) -> Vec<Signal> {
        let ready = [self.welcome.merge(from, into, at), self.nudges.merge(from, into, at)];
        let mut mails = self.share(ready);
        mails.extend(self.any.merge(from, into, at));
        mails
    }
}

/// What is kept beside the store when the process ends, in one transaction with the mails that are on their way.
#[derive(Serialize, Deserialize)]
struct Kept {
    live: Saved,
    rules: Rules,
}

struct Automations {
    live: Live,
    rules: Rules,
}

impl Automations {
    /// When something may be to do next, unless a fact comes before.
    fn wake(&self) -> Option<Timestamp> {
        self.live.next_change().into_iter().chain(self.rules.wake()).min()
    }

    /// Lets time pass; the mails that are to be sent.
    fn advance(&mut self, to: Timestamp) -> Result<Vec<Signal>, LiveError> {
        let changes = self.live.advance(to)?;
        Ok(self.act(&changes))
    }

    /// The mails that are to be sent as something has changed, by a fact or by time.
    fn act(&mut self, changes: &Changes) -> Vec<Signal> {
        let mut mails = self.rules.follow(changes, self.live.now());
        mails.retain(|signal| signal.movement == Movement::Entered);
        mails
    }

    fn keep(self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Kept { live: self.live.save(), rules: self.rules })
    }

    /// Goes on where it was stopped; with the mails that are to be sent as facts have come meanwhile.
    fn go_on(kept: &str, store: MemoryStore) -> Result<(Self, Vec<Signal>), Box<dyn Error>> {
        let Kept { live, rules } = serde_json::from_str(kept)?;
        let (live, changes) = Live::restore(&live, store)?;
        let mut automations = Self { live, rules };
        let mails = automations.act(&changes);
        Ok((automations, mails))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let [start, middle, end]: [Timestamp; 3] =
        ["2026-06-01T00:00:00Z".parse()?, "2026-06-16T00:00:00Z".parse()?, "2026-07-01T00:00:00Z".parse()?];
    let store = read_store()?;
    let all = Catalog::from_json(&std::fs::read_to_string(format!("{FOLDER}/segments.json"))?)?;
    let rules = Rules::new(&store)?;
    let mut automations = Automations { live: Live::new(all, store, start)?, rules };
    let mut sent = Sent::default();
    let mut woken = 0;
    while let Some(wake) = automations.wake().filter(|wake| *wake < end) {
        if automations.live.now() < middle && middle <= wake {
            let kept = automations.keep()?;
            println!("stopped before {wake}, with {} kB to keep\n", kept.len() / 1_000);
            let mails;
            (automations, mails) = Automations::go_on(&kept, read_store()?)?;
            sent.add(mails);
        }
        woken += 1; // a service has slept until then
        sent.add(automations.advance(wake)?);
    }
    println!("from {start} to {end}, woken {woken} times:\n");
    sent.print();
    Ok(())
}

fn read_store() -> Result<MemoryStore, Box<dyn Error>> {
    let mut store = MemoryStore::new();
    let importer = Importer::segment_spec().instants(["signed_up_at", "trial_ends_at", "renews_at"]);
    importer.skip_rejected().read(File::open(format!("{FOLDER}/year.ndjson.gz"))?, &mut store)?;
    Ok(store)
}

/// Mails that went out, by the segment that was entered.
#[derive(Default)]
struct Sent(BTreeMap<String, Vec<Signal>>);

impl Sent {
    fn add(&mut self, mails: Vec<Signal>) {
        for mail in mails {
            self.0.entry(mail.segment.clone()).or_default().push(mail);
        }
    }

    fn print(&self) {
        println!("{:32} {:>5}  the first three", "mail", "sent");
        for (segment, subject) in MAILS {
            let mails = self.0.get(segment).map_or(&[][..], Vec::as_slice);
            let first: Vec<String> =
                mails.iter().take(3).map(|mail| format!("{} {}", mail.at, mail.id)).collect();
            println!("{subject:32} {:>5}  {}", mails.len(), first.join(", "));
        }
    }
}
