//! Steady while data arrives: readers ask the suite's questions while one writer takes events in.
//!
//!     cargo run --release --example steady -- DIR [--readers N] [--seconds N] [--publish EVENTS] [--json FILE]
//!
//! DIR as for the example `suite`. Half of the events are taken in first. Then three phases of so many seconds:
//! the writer alone, the readers alone, and both; how much got done and how long single calls took, half of them and
//! all but one in a thousand. The writer hands a snapshot out after so many events; readers pick up the newest.

#[allow(dead_code)] // shared with the suite, which uses all of it
#[path = "../suite/columns.rs"]
mod columns;
mod phase;
#[allow(dead_code)]
#[path = "../suite/timing.rs"]
mod timing;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use whodid::segment::Segment;
use whodid::{Ingest, MemoryStore};

use columns::Columns;
use phase::{Setting, Writer, run};

struct Options {
    folder: PathBuf,
    readers: usize,
    seconds: u64,
    publish: usize,
    json: Option<PathBuf>,
}

impl Options {
    fn read() -> Result<Self, Box<dyn Error>> {
        let mut options = Self { folder: PathBuf::new(), readers: 1, seconds: 5, publish: 1_000, json: None };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{arg}: a value is missing"));
            match arg.as_str() {
                "--readers" => options.readers = value()?.parse()?,
                "--seconds" => options.seconds = value()?.parse()?,
                "--publish" => options.publish = value()?.parse::<usize>()?.max(1),
                "--json" => options.json = Some(value()?.into()),
                _ if arg.starts_with('-') => return Err(format!("{arg}: unknown").into()),
                _ => options.folder = arg.into(),
            }
        }
        Ok(options)
    }
}

fn questions(folder: &Path) -> Result<Vec<(String, Segment)>, Box<dyn Error>> {
    let suite: BTreeMap<String, Segment> =
        serde_json::from_str(&fs::read_to_string(folder.join("suite.json"))?)?;
    Ok(suite.into_iter().collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::read()?;
    let questions = questions(&options.folder)?;
    let columns = Columns::read(&options.folder)?;
    let mut store = MemoryStore::new();
    for write in columns.attributes() {
        store.write(write)?;
    }
    let history = columns.events() / 2;
    for row in 0..history {
        store.record(columns.event(row))?;
    }
    println!("{history} events of {} users; the rest arrives now", columns.users());

    let setting = Setting {
        columns: &columns,
        questions: &questions,
        at: columns.as_of,
        time: Duration::from_secs(options.seconds),
        publish: options.publish,
    };
    // Either phase of the writer has half of what is left.
    let mut writer = Writer { store, next: history, until: columns.events() / 4 * 3 };
    let alone = run(&setting, &mut writer, true, 0)?;
    println!("writer alone   {alone}");
    let readers = run(&setting, &mut writer, false, options.readers)?;
    println!("readers alone  {readers}");
    writer.until = columns.events();
    let both = run(&setting, &mut writer, true, options.readers)?;
    println!("both           {both}");
    if let Some(file) = options.json {
        let report = json!({
            "readers": options.readers, "seconds": options.seconds, "publish": options.publish, "history": history,
            "writer_alone": alone.json(), "readers_alone": readers.json(), "both": both.json(),
        });
        fs::write(file, serde_json::to_string_pretty(&report)?)?;
    }
    Ok(())
}
