//! Lines a second through the importer: typical messages of 300 to 500 bytes, on one core.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a bench that cannot go on ends")]

use std::fmt::Write;
use std::hint::black_box;
use std::io::Write as _;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use whodid::import::Importer;
use whodid::{MemoryStore, Timestamp};

const LINES: u64 = 100_000;
const USERS: u64 = 20_000;

/// The splitmix64 generator: the same messages on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % n
    }
}

/// Six in ten messages are tracks, two pages, the others identifies and groups.
fn messages() -> String {
    let (mut out, mut dice) = (String::new(), Dice(1));
    for i in 0..LINES {
        let at =
            Timestamp::from_millis(1_700_000_000_000 + i64::try_from(i * 997 + dice.below(60_000)).unwrap());
        let user = dice.below(USERS);
        let context = format!(
            r#""context":{{"ip":"10.0.{}.{}","library":{{"name":"analytics.js","version":"2.11.1"}},"locale":"en-US"}}"#,
            user % 256,
            user / 256
        );
        let ids = format!(
            r#""anonymousId":"a{user:08x}-4d5e-4b3c-9f1a","messageId":"ajs-{i:016x}","userId":"user-{user}","timestamp":"{at}""#
        );
        let body = match dice.below(10) {
            0..6 => format!(
                r#""type":"track","event":"{}","properties":{{"feature":"export","plan":"pro","amount":{}.{:02},"items":{},"cart":{{"id":"c-{}","total":{}}},"tags":["new","mobile"]}}"#,
                ["Order Completed", "Feature Used", "Product Viewed", "Signed In"][dice.below(4) as usize],
                dice.below(500),
                dice.below(100),
                dice.below(9),
                dice.below(100_000),
                dice.below(5_000),
            ),
            6..8 => format!(
                r#""type":"page","name":"Pricing","properties":{{"path":"/pricing/{}","referrer":"https://example.org/search?q=exact+segments","title":"Pricing | Example","url":"https://example.com/pricing"}}"#,
                dice.below(50)
            ),
            8 => format!(
                r#""type":"identify","traits":{{"email":"user-{user}@example.com","plan":"pro","seats":{},"createdAt":"2023-04-05T06:07:08Z","address":{{"city":"Bonn","country":"DE"}}}}"#,
                dice.below(50)
            ),
            _ => format!(
                r#""type":"group","groupId":"g-{}","traits":{{"name":"Acme GmbH","industry":"Technology","employees":{},"website":"https://acme.example"}}"#,
                user % 500,
                dice.below(400)
            ),
        };
        writeln!(out, "{{{ids},{body},{context}}}").unwrap();
    }
    out
}

fn import(c: &mut Criterion) {
    let lines = messages();
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    zip.write_all(lines.as_bytes()).unwrap();
    let zipped = zip.finish().unwrap();
    println!("{} bytes a line", lines.len() as u64 / LINES);

    let mut group = c.benchmark_group("import");
    group.throughput(Throughput::Elements(LINES)).sample_size(10).measurement_time(Duration::from_secs(6));
    for (name, bytes) in [("lines", lines.as_bytes()), ("gzip", &zipped)] {
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let mut store = MemoryStore::new();
                let report = Importer::segment_spec().instants(["createdAt"]).read(bytes, &mut store);
                assert_eq!(report.unwrap().messages, LINES);
                black_box(store.snapshot());
            });
        });
    }
    group.finish();
}

criterion_group!(benches, import);
criterion_main!(benches);
