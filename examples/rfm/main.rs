//! Recency, frequency and money of real customers: purchases from a CSV file, as of the day after the last.
//!
//! `cargo run --release --example rfm -- ../shared/data/cdnow.csv`

mod segments;

use std::error::Error;
use std::fs::File;

use roaring::RoaringBitmap;
use whodid::{Evaluate, EventStore};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or("../shared/data/cdnow.csv".to_owned());
    let store = segments::load(File::open(&path).map_err(|error| format!("{path}: {error}"))?)?;
    let snapshot = store.snapshot();
    let customers = snapshot.everyone(segments::AT)?;
    println!("{} customers as of {}\n", customers.len(), segments::AT);
    for (name, segment) in segments::segments() {
        let size = snapshot.count(&segment, segments::AT)?;
        let share = 100.0 * size as f64 / customers.len().max(1) as f64;
        let bar = "█".repeat((share / 2.5).round() as usize);
        println!("{}", format!("{name:46} {size:>6} {share:>5.1} %  {bar}").trim_end());
    }

    let spent = snapshot.measure(segments::spent(), segments::AT)?;
    let mut most: Vec<_> = spent.iter().map(|(user, dollars)| (dollars.to_number(), user)).collect();
    most.sort_by_key(|(dollars, _)| std::cmp::Reverse(*dollars));
    println!("\nWho spent the most:");
    for (dollars, user) in most.into_iter().take(5) {
        let one = RoaringBitmap::from([user.number()]);
        snapshot.ids(&one, &mut |_, id| println!("{id}  {:>9.2}", dollars.as_f64()))?;
    }
    Ok(())
}
