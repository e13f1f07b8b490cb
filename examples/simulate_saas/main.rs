//! A SaaS product's year, made up: what its senders would have sent, as messages in the Segment spec.
//!
//! `cargo run --release --example simulate_saas -- examples/campaigns/year.ndjson.gz` writes the sample that
//! `campaigns` reads. Whole numbers only, from one seed: the same messages on every machine.

use std::io::{self, Write};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Map, Value, json};
use whodid::Timestamp;

mod person;

use person::Person;

const PEOPLE: u64 = 2_600;
const VISITORS: u64 = 400;
/// 2025-07-01T00:00:00Z, the first day of the year.
const START: i64 = 1_751_328_000_000;
const DAYS: i64 = 365;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

#[allow(dead_code)] // a test takes the messages, not the program
fn main() -> io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or("examples/campaigns/year.ndjson.gz".to_owned());
    let mut out = GzEncoder::new(std::fs::File::create(&path)?, Compression::best());
    let lines = year();
    for line in &lines {
        writeln!(out, "{line}")?;
    }
    let file = out.finish()?;
    println!("{}: {} lines, {} bytes", path, lines.len(), file.metadata()?.len());
    Ok(())
}

/// The year's lines, in the order in which they arrive.
pub fn year() -> Vec<String> {
    let mut sent = Vec::new();
    for number in 0..PEOPLE {
        Person::new(number).live(&mut sent);
    }
    for number in 0..VISITORS {
        visit(number, &mut sent);
    }
    sent.sort_by_key(|(at, _)| *at);
    deliver(sent)
}

/// Messages and when each is sent.
type Sent = Vec<(i64, Map<String, Value>)>;

/// SplitMix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `low` to just below `high`.
    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.roll() % (high - low).unsigned_abs()) as i64
    }

    /// So many times in a thousand.
    fn chance(&mut self, per_mille: i64) -> bool {
        self.between(0, 1_000) < per_mille
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.between(0, of.len() as i64) as usize]
    }
}

/// Somebody who looks around and never signs up.
fn visit(number: u64, sent: &mut Sent) {
    let mut dice = Dice(number ^ 0x0071_5170);
    let device = format!("dev-v{:05x}", dice.roll() & 0xf_ffff);
    let mut at = START + dice.between(0, DAYS * 24 * 60 - 90) * MINUTE;
    for _ in 0..dice.between(1, 5) {
        let page = dice.pick(&["Home", "Pricing", "Blog", "Docs"]);
        send(sent, at, json!({"type":"page","anonymousId":device,"name":page}));
        at += dice.between(1, 15) * MINUTE;
    }
}

fn send(sent: &mut Sent, at: i64, message: Value) {
    if let Value::Object(message) = message {
        sent.push((at, message));
    }
}

/// As senders deliver: some late, some twice, some in batches.
fn deliver(sent: Sent) -> Vec<String> {
    let mut dice = Dice(0x00de_11fe);
    let mut lines: Vec<(i64, String)> = Vec::with_capacity(sent.len());
    let mut batch: Vec<Value> = Vec::new();
    for (number, (at, mut message)) in sent.into_iter().enumerate() {
        if at >= START + DAYS * DAY {
            continue;
        }
        message.insert("timestamp".into(), json!(instant(at)));
        message.insert("messageId".into(), json!(format!("m{number}")));
        let arrives = at + if dice.chance(30) { dice.between(1, 36) * HOUR } else { 0 };
        let message = Value::Object(message);
        if dice.chance(4) {
            lines.push((arrives + HOUR, message.to_string()));
        }
        match dice.between(0, 100) {
            0..3 => batch.push(message),
            _ => lines.push((arrives, message.to_string())),
        }
        if batch.len() == 20 {
            lines.push((arrives, json!({ "batch": std::mem::take(&mut batch) }).to_string()));
        }
    }
    lines.push((i64::MAX, json!({ "batch": batch }).to_string()));
    lines.sort_by_key(|(arrives, _)| *arrives);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn instant(at: i64) -> String {
    Timestamp::from_millis(at).to_string()
}
