//! The speed suite through the public API: what `bench/run.py` runs beside the peers.
//!
//!     cargo run --release --example suite -- DIR [--expected FILE]… [--json FILE] [--runs N] [--only q01,q11] [--no-compact] [--now] [--last-days N]
//!
//! DIR holds the columns of `gen.py` and the segments of `suite.py`. FILE after `--expected` is a run of `peers.py` or
//! of `bench/expected.py`: answers at its instant must have its counts, sums and xors. Everything is asked at the end
//! of the data and again 90 days earlier, on one thread. `--last-days` leaves older events out, as if they had never been.

mod answer;
mod ask;
mod columns;
mod ingest;
mod timing;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value as Json, json};
use whodid::{Evaluate, days};

use answer::{Answer, Numbers};
use ask::{Asked, Question};
use columns::Columns;

struct Options {
    folder: PathBuf,
    expected: Vec<PathBuf>,
    json: Option<PathBuf>,
    runs: usize,
    only: Option<Vec<String>>,
    compact: bool,
    /// Only at the end of the data.
    now: bool,
    /// Events of so many days before the end of the data, and no others.
    last_days: Option<u32>,
}

impl Options {
    fn read() -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            folder: PathBuf::new(),
            expected: Vec::new(),
            json: None,
            runs: 9,
            only: None,
            compact: true,
            now: false,
            last_days: None,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg}: a value is missing"));
            match arg.as_str() {
                "--expected" => options.expected.push(value()?.into()),
                "--json" => options.json = Some(value()?.into()),
                "--runs" => options.runs = value()?.parse()?,
                "--only" => options.only = Some(value()?.split(',').map(str::to_owned).collect()),
                "--now" => options.now = true,
                "--last-days" => options.last_days = Some(value()?.parse()?),
                "--no-compact" => options.compact = false,
                _ if arg.starts_with('-') => return Err(format!("{arg}: unknown").into()),
                _ => options.folder = arg.into(),
            }
        }
        if options.folder.as_os_str().is_empty() {
            return Err("the folder with the columns is missing".into());
        }
        Ok(options)
    }

    fn asks(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|one| one == name))
    }
}

/// What others answered, by instant and name of the question.
type Expected = BTreeMap<(i64, String), Vec<Answer>>;

fn expected(files: &[PathBuf]) -> Result<Expected, Box<dyn Error>> {
    let mut all = Expected::new();
    for file in files {
        let peers: Json = serde_json::from_str(&fs::read_to_string(file)?)?;
        let at = peers["meta"]["as_of"].as_i64().ok_or("meta.as_of is missing")?;
        for (name, answer) in peers["expected"].as_object().ok_or("expected is missing")? {
            let several = || answer.as_array()?.iter().map(Answer::read).collect::<Option<Vec<_>>>();
            let answers = Answer::read(answer).map(|one| vec![one]).or_else(several);
            all.insert((at, name.clone()), answers.ok_or_else(|| format!("{name}: {answer}"))?);
        }
    }
    Ok(all)
}

/// Says how a question went, on one line, and tells whether the answer is wrong.
fn say(name: &str, asked: &Asked, expected: Option<&Vec<Answer>>) -> bool {
    let verdict = match expected {
        None => "unchecked",
        Some(want) if *want == asked.answers => "right",
        Some(_) => "WRONG",
    };
    let members: u64 = asked.answers.iter().map(|answer| answer.count).sum();
    println!(
        "{name}  first {:>11.1}  hot {:>11.1}  cold {:>11.1}  count hot {:>11.1}  cold {:>11.1} µs  {members:>8} {verdict}",
        asked.first, asked.hot, asked.cold, asked.count_hot, asked.count_cold,
    );
    if let Some(want) = expected.filter(|_| verdict == "WRONG") {
        let wrong = asked.answers.iter().zip(want).enumerate().find(|(_, (have, want))| have != want);
        println!("     {wrong:?} (number, (here, expected))");
    }
    verdict == "WRONG"
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read()?;
    let expected = expected(&options.expected)?;
    let questions = Question::read(&options.folder)?;
    let mut columns = Columns::read(&options.folder)?;
    if let Some(last) = options.last_days {
        columns.keep_since(columns.as_of.minus(days(last)));
    }
    let (store, ingested) = ingest::ingest(&mut columns, options.compact)?;
    println!("{ingested}");

    let snapshot = store.snapshot();
    let numbers = Numbers::of(&snapshot, snapshot.everyone(columns.as_of)?.bitmap())?;
    let mut report = json!({
        "engine": "whodid",
        "version": env!("CARGO_PKG_VERSION"),
        "meta": { "users": columns.users(), "events": ingested.events, "as_of": columns.as_of.millis() },
        "ingest": ingested.json(),
    });
    let mut wrong = 0;
    let mut cold = timing::Cold::new();
    let mut instants = vec![("now", columns.as_of), ("past", columns.as_of.minus(days(90)))];
    instants.truncate(if options.now { 1 } else { 2 });
    for (when, at) in instants {
        println!("\nat {at}");
        for (name, question) in questions.iter().filter(|(name, _)| options.asks(name)) {
            let asked = question.ask(&snapshot, at, &numbers, options.runs, &mut cold)?;
            let want = expected.get(&(at.millis(), name.clone()));
            wrong += usize::from(say(name, &asked, want));
            report[when][name] = asked.json(want.map(|want| *want == asked.answers));
        }
    }
    if let Some(Question::One(segment)) = questions.get("q11").filter(|_| options.asks("q11")) {
        let point = ask::point(&snapshot, segment, columns.as_of, &columns.ids)?;
        println!(
            "\nis_member of q11: {:.0} ns a call, {} of {} random users",
            point.ns, point.members, point.calls
        );
        report["is_member"] = json!({ "ns": point.ns, "calls": point.calls, "members": point.members });
    }
    let held = store.memory_usage();
    println!("with what the questions made: {held}");
    report["held_at_the_end"] = ingest::usage(&held);
    report["wrong"] = json!(wrong);
    if let Some(file) = &options.json {
        fs::write(file, serde_json::to_string_pretty(&report)?)?;
    }
    if wrong > 0 { Err(format!("{wrong} answers differ from those expected").into()) } else { Ok(()) }
}
