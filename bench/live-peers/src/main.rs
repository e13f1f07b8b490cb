//! Live rolling membership ("at least 5 in the last 30 days", per user, with who enters and who leaves) on incremental engines.
//!
//!     cargo run --release -- [--engine NAME|all] [--users N] [--events N] [--days N] [--batch N] [--grain instant|batch] [--ids numbers|text] [--workers N]
//!
//! Every engine runs in a process of its own, so that its memory is its own, and its transitions are compared with those of a slow
//! reference. One line of JSON a run.

mod by_hand;
mod clock;
#[cfg(feature = "differential")]
mod differential;
mod expiry;
#[cfg(feature = "dbsp")]
mod feldera;
mod ids;
mod memory;
mod question;
mod reference;
mod stream;
mod transition;
#[cfg(feature = "whodid")]
mod whodid_live;

use std::process::{Command, ExitCode};
#[cfg(feature = "differential")]
use std::sync::Arc;

use clock::Outcome;
use question::Grain;
use stream::Event;

const ENGINES: [&str; 6] =
    ["whodid", "by-hand", "differential", "differential-future", "dbsp", "dbsp-window"];

struct Options {
    engine: String,
    users: usize,
    events: usize,
    days: u64,
    batch: usize,
    grain: Grain,
    /// Every engine is given users by their external ids, not by numbers.
    text_ids: bool,
    workers: usize,
}

impl Options {
    fn read() -> Result<Self, String> {
        let mut options = Self {
            engine: "all".into(),
            users: 100_000,
            events: 1_000_000,
            days: 90,
            batch: 1_000,
            grain: Grain::Batch,
            text_ids: false,
            workers: 1,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let value = args.next().ok_or_else(|| format!("{arg}: a value is missing"))?;
            let number = || value.parse::<usize>().map_err(|error| format!("{arg} {value}: {error}"));
            match arg.as_str() {
                "--engine" => options.engine = value,
                "--users" => options.users = number()?.max(1),
                "--events" => options.events = number()?,
                "--days" => options.days = number()? as u64,
                "--batch" => options.batch = number()?,
                "--workers" => options.workers = number()?.max(1),
                "--grain" if value == "instant" => options.grain = Grain::Instant,
                "--ids" if value == "text" || value == "numbers" => options.text_ids = value == "text",
                "--grain" if value == "batch" => options.grain = Grain::Batch,
                _ => return Err(format!("{arg} {value}: unknown")),
            }
        }
        Ok(options)
    }
}

/// Runs one engine; `None` where there is none of that name, or not with these options.
#[allow(unused_variables)]
fn run(engine: &str, events: Vec<Event>, options: &Options) -> Option<Outcome> {
    let Options { batch, grain, text_ids, workers, .. } = *options;
    match engine {
        "by-hand" if workers == 1 => {
            Some(by_hand::run(&events, text_ids.then(ids::Ids::default), batch, grain))
        }
        #[cfg(feature = "differential")]
        "differential" => Some(differential::run(
            Arc::new(events),
            text_ids,
            batch,
            grain,
            differential::Expiries::Queued,
            workers,
        )),
        #[cfg(feature = "differential")]
        "differential-future" if grain == Grain::Instant => Some(differential::run(
            Arc::new(events),
            text_ids,
            batch,
            grain,
            differential::Expiries::InFuture,
            workers,
        )),
        #[cfg(feature = "dbsp")]
        "dbsp" => Some(feldera::run(
            &events,
            text_ids.then(ids::Ids::default),
            batch,
            grain,
            feldera::Expiries::Queued,
            workers,
        )),
        #[cfg(feature = "dbsp")]
        "dbsp-window" => Some(feldera::run(
            &events,
            text_ids.then(ids::Ids::default),
            batch,
            grain,
            feldera::Expiries::Windowed,
            workers,
        )),
        #[cfg(feature = "whodid")]
        "whodid" if workers == 1 => Some(whodid_live::run(&events, batch, grain)),
        _ => None,
    }
}

/// Runs and checks one engine in this process; whether its transitions are right.
fn run_here(options: &Options) -> bool {
    let events = stream::generate(options.users, options.events, options.days);
    let given = events.clone();
    let before = memory::reset_peak();
    let Some(Outcome { digest, clock, state }) = run(&options.engine, given, options) else {
        println!("{{\"engine\":\"{}\",\"skipped\":true}}", options.engine);
        return true;
    };
    let grown = memory::peak().saturating_sub(before);
    let right = digest == reference::run(&events, options.users, options.batch, options.grain);
    println!(
        "{{\"engine\":\"{}\",\"workers\":{},\"batch\":{},\"grain\":\"{:?}\",\"text_ids\":{},\"events\":{},\"entered\":{},\"left\":{},\"right\":{right},\
         \"events_per_s\":{:.0},\"later_half_per_s\":{:.0},\"batch_p50_us\":{:.1},\"batch_p999_us\":{:.1},\"peak_mib\":{}{}}}",
        options.engine,
        options.workers,
        options.batch,
        options.grain,
        options.text_ids,
        options.events,
        digest.entered,
        digest.left,
        clock.rate(false),
        clock.rate(true),
        clock.quantile(0.5) * 1e6,
        clock.quantile(0.999) * 1e6,
        grown >> 20,
        state.map_or_else(String::new, |bytes| format!(
            ",\"state_mib\":{:.1}",
            bytes as f64 / (1 << 20) as f64
        )),
    );
    right
}

/// Runs every engine in a process of its own.
fn run_all() -> Result<bool, std::io::Error> {
    let mut right = true;
    for engine in ENGINES {
        let given = std::env::args().skip(1);
        let status =
            Command::new(std::env::current_exe()?).args(given).args(["--engine", engine]).status()?;
        right &= status.success();
    }
    Ok(right)
}

fn main() -> ExitCode {
    let options = match Options::read() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let right = if options.engine == "all" {
        run_all().unwrap_or_else(|error| {
            eprintln!("{error}");
            false
        })
    } else {
        run_here(&options)
    };
    if right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
