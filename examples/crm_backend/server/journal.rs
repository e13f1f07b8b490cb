//! What has been asked of the service, on disk, and from time to time what has become of it: read again when it starts.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use whodid::live::Saved;
use whodid::{Timestamp, Transition};

use super::campaigns::Campaigns;
use super::deed::Entry;
use super::told::Told;

const VERSION: u32 = 1;
const JOURNAL: &str = "journal.ndjson";
const STATE: &str = "state.json";

/// The first line of a journal.
#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    /// When it was begun.
    began: Timestamp,
}

/// What has become of the first entries of a journal.
#[derive(Serialize, Deserialize)]
pub struct Kept {
    version: u32,
    pub entries: u64,
    pub live: Saved,
    pub campaigns: Campaigns,
    pub told: Told<Transition>,
}

/// The entries of a journal, one a line. It ends before a line that was not written to its end: that was never answered.
pub struct Entries {
    directory: PathBuf,
    file: File,
    lines: BufReader<File>,
    /// When the journal was begun.
    pub began: Timestamp,
    /// What is read so far: bytes, and entries.
    length: u64,
    count: u64,
}

/// A journal that is written on.
pub struct Journal {
    directory: PathBuf,
    file: File,
    length: u64,
    pub count: u64,
    /// Entries of which it is kept what has become of them, and how many more there are before it is kept again.
    kept: u64,
    every: u64,
}

impl Journal {
    /// Opens a journal, or begins one, which nobody else may write then; and what was kept of it.
    pub fn open(directory: &Path, now: Timestamp) -> io::Result<(Entries, Option<Kept>)> {
        fs::create_dir_all(directory)?;
        let path = directory.join(JOURNAL);
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                io::Error::new(ErrorKind::ResourceBusy, "another process writes the journal")
            }
            TryLockError::Error(error) => error,
        })?;
        let mut lines = BufReader::new(File::open(&path)?);
        let mut first = line(&mut lines)?;
        if first.is_none() {
            begin(directory, &file, now)?;
            lines = BufReader::new(File::open(&path)?);
            first = line(&mut lines)?;
        }
        let first = first.unwrap_or_default();
        let header: Header =
            serde_json::from_slice(&first).map_err(|error| damaged("its first line", error))?;
        if header.version != VERSION {
            return Err(damaged("its version", format!("it is {}, and {VERSION} is read", header.version)));
        }
        let kept = kept(&directory.join(STATE))?;
        let (directory, length) = (directory.to_owned(), first.len() as u64);
        Ok((Entries { directory, file, lines, began: header.began, length, count: 0 }, kept))
    }

    /// Writes an entry down. It is on disk then; where it is not, nothing of it is.
    pub fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        // What an attempt that failed has left behind, or one that was cut short.
        if self.file.metadata()?.len() != self.length {
            self.file.set_len(self.length)?;
        }
        if let Err(error) = self.file.write_all(&line).and_then(|()| self.file.sync_data()) {
            _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += line.len() as u64;
        self.count += 1;
        Ok(())
    }

    /// Whether there is much that has to be done again when the service starts.
    pub fn is_due(&self) -> bool {
        self.count - self.kept >= self.every
    }

    /// Keeps what has become of all entries, in place of what was kept before.
    pub fn keep(&mut self, live: Saved, campaigns: Campaigns, told: Told<Transition>) -> io::Result<()> {
        let kept = Kept { version: VERSION, entries: self.count, live, campaigns, told };
        let (new, path) = (self.directory.join("state.json.new"), self.directory.join(STATE));
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec(&kept)?)?;
        file.sync_all()?;
        fs::rename(new, path)?;
        self.kept = kept.entries;
        sync_names(&self.directory)
    }
}

impl Entries {
    /// Writes on behind the last entry.
    pub fn into_journal(self, kept: u64, every: u64) -> io::Result<Journal> {
        let Self { directory, file, length, count, .. } = self;
        if kept > count {
            return Err(damaged(STATE, format!("it is of {kept} entries, and there are {count}")));
        }
        Ok(Journal { directory, file, length, count, kept, every })
    }
}

impl Iterator for Entries {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<io::Result<Entry>> {
        let line = match line(&mut self.lines) {
            Ok(line) => line?,
            Err(error) => return Some(Err(error)),
        };
        self.count += 1;
        self.length += line.len() as u64;
        let entry = serde_json::from_slice(&line);
        Some(entry.map_err(|error| damaged(format!("its line {}", self.count + 1), error)))
    }
}

/// The next line, if it is whole.
fn line(lines: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    lines.read_until(b'\n', &mut line)?;
    Ok(line.ends_with(b"\n").then_some(line))
}

/// Begins a journal; of one whose first line is not whole nothing was ever answered.
fn begin(directory: &Path, mut file: &File, began: Timestamp) -> io::Result<()> {
    let mut header = serde_json::to_vec(&Header { version: VERSION, began })?;
    header.push(b'\n');
    file.set_len(0)?;
    file.write_all(&header)?;
    file.sync_all()?;
    sync_names(directory)
}

fn kept(path: &Path) -> io::Result<Option<Kept>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let kept: Kept = serde_json::from_slice(&text).map_err(|error| damaged(STATE, error))?;
    match kept.version {
        VERSION => Ok(Some(kept)),
        other => Err(damaged(STATE, format!("it is of version {other}, and {VERSION} is read"))),
    }
}

fn damaged(what: impl std::fmt::Display, why: impl std::fmt::Display) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("the journal cannot be read: {what}: {why}"))
}

/// A file that is new under its name is so after a crash, too.
fn sync_names(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
