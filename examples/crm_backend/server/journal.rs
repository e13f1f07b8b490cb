//! What has been asked of the service, on disk, done again when it starts: a line for each group of entries that were
//! written at once, so that none of them is there unless all are.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, ErrorKind, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use whodid::Timestamp;

use super::deed::Entry;

const VERSION: u32 = 1;

/// Bytes of a first line, at most.
const LONGEST: u64 = 64;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    /// When the journal was begun.
    began: Timestamp,
}

/// The entries of a journal, up to a line that was not written to its end: that was never answered.
pub struct Entries {
    lines: BufReader<File>,
    /// What is left of the line that was read last.
    group: std::vec::IntoIter<Entry>,
    /// When the journal was begun.
    pub began: Timestamp,
    /// What is read so far: bytes, and lines.
    length: u64,
    count: u64,
}

/// A journal that is written on.
pub struct Journal {
    file: File,
    /// Behind the last entry.
    length: u64,
}

impl Journal {
    /// Opens the journal of a directory, or begins it. Nobody else can then.
    pub fn open(directory: &Path, now: Timestamp) -> io::Result<Entries> {
        fs::create_dir_all(directory)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600); // it tells of people
        let file = options.open(directory.join("journal.ndjson"))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                io::Error::new(ErrorKind::ResourceBusy, "another process writes the journal")
            }
            TryLockError::Error(error) => error,
        })?;
        let mut lines = BufReader::new(file);
        if line(&mut lines)?.is_none() {
            if lines.get_ref().metadata()?.len() > LONGEST {
                return Err(damaged(1, "it does not end"));
            }
            begin(directory, lines.get_mut(), now)?;
        }
        lines.rewind()?;
        let first = line(&mut lines)?.unwrap_or_default();
        let header: Header = serde_json::from_slice(&first).map_err(|error| damaged(1, error))?;
        if header.version != VERSION {
            return Err(damaged(1, format!("it is of version {}, and {VERSION} is read", header.version)));
        }
        let group = Vec::new().into_iter();
        Ok(Entries { lines, group, began: header.began, length: first.len() as u64, count: 1 })
    }

    /// Writes entries down, at once. They are on disk then; where they are not, nothing of them is.
    pub fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        let mut line = serde_json::to_vec(entries)?;
        // What could not be read would keep the service from starting.
        serde_json::from_slice::<Vec<Entry>>(&line)?;
        line.push(b'\n');
        // What was there when it was opened, cut short.
        if self.file.metadata()?.len() != self.length {
            self.file.set_len(self.length)?;
        }
        self.file.seek(SeekFrom::Start(self.length))?;
        if let Err(error) = self.file.write_all(&line).and_then(|()| self.file.sync_data()) {
            if let Err(worse) = self.file.set_len(self.length).and_then(|()| self.file.sync_data()) {
                // Nobody knows what is on disk, until it is read again.
                eprintln!("the journal can neither be written nor be cut: {error}; {worse}");
                std::process::abort();
            }
            return Err(error);
        }
        self.length += line.len() as u64;
        Ok(())
    }
}

impl Entries {
    /// Writes on behind the last entry.
    pub fn into_journal(self) -> Journal {
        Journal { file: self.lines.into_inner(), length: self.length }
    }

    /// Reads the next line; tells whether there is one.
    fn read(&mut self) -> io::Result<bool> {
        let Some(line) = line(&mut self.lines)? else { return Ok(false) };
        match serde_json::from_slice::<Vec<Entry>>(&line) {
            Ok(group) => {
                self.group = group.into_iter();
                self.count += 1;
                self.length += line.len() as u64;
                Ok(true)
            }
            // Power may fail between the parts of a line, the first of which need not be written first.
            Err(error) if self.lines.fill_buf()?.is_empty() => {
                eprintln!("the last line of the journal is left out, {} bytes: {error}", line.len());
                Ok(false)
            }
            Err(error) => Err(damaged(self.count + 1, error)),
        }
    }
}

impl Iterator for Entries {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<io::Result<Entry>> {
        loop {
            if let Some(entry) = self.group.next() {
                return Some(Ok(entry));
            }
            match self.read() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The next line, if it is whole.
fn line(lines: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    lines.read_until(b'\n', &mut line)?;
    Ok(line.ends_with(b"\n").then_some(line))
}

/// Begins a journal; of one whose first line is not whole nothing was ever answered.
fn begin(directory: &Path, file: &mut File, began: Timestamp) -> io::Result<()> {
    let mut header = serde_json::to_vec(&Header { version: VERSION, began })?;
    header.push(b'\n');
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&header)?;
    file.sync_all()?;
    // So that it is found after a crash, too.
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

fn damaged(line: u64, why: impl std::fmt::Display) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("line {line} of the journal cannot be read: {why}"))
}
