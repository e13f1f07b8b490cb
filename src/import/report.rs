//! What an import tells: what it read, what it kept, and what it rejected, where and why.

use std::collections::BTreeMap;
use std::fmt;

/// How many rejections are kept with their positions; all are counted.
const KEPT_REJECTIONS: usize = 1_000;

/// What an import read, kept and rejected.
///
/// What a rejected message held is in none of the counts but those of lines, bytes and rejections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Lines read, blank ones and those skipped by `start_at` included.
    pub lines: u64,
    /// Bytes taken from the reader, compressed ones where it is compressed.
    pub bytes: u64,
    /// Messages (of a table: rows) taken; [`taken`](Self::taken) has them by kind.
    pub messages: u64,
    /// Messages (rows, lines that hold no message) rejected; [`reasons`](Self::reasons) has them by reason.
    pub rejected: u64,
    /// Events kept.
    pub events: u64,
    /// Events whose id had arrived before: not kept.
    pub duplicates: u64,
    /// Events older than what the store retains: not kept.
    pub before_horizon: u64,
    /// Attribute writes kept, removals included.
    pub attribute_writes: u64,
    /// Merges made, by `alias` and by stitching.
    pub merges: u64,
    /// Messages whose anonymous id belongs to somebody else already, so that it was not merged again.
    pub shared_devices: u64,
    /// Values that no value can hold, kept as their JSON text in a string.
    pub coerced: u64,
    /// Properties, traits and fields with an empty name, which were dropped.
    pub dropped_names: u64,
    /// Values of names declared as instants, numbers or strings that did not read so and stayed what they were.
    pub unparsed: u64,
    /// `properties`, `traits` and `context` that were neither an object nor empty, and were left out.
    pub ignored: u64,
    /// The first thousand rejections, in the order of the input.
    pub rejections: Vec<Rejection>,
    /// Where to resume, if the import ended before the input did.
    pub resume: Option<Position>,
    by_kind: BTreeMap<&'static str, u64>,
    by_reason: BTreeMap<&'static str, u64>,
}

impl Report {
    /// How many messages of each kind were taken: `track`, `page`, …; of a table: `row`.
    pub fn taken(&self) -> &BTreeMap<&'static str, u64> {
        &self.by_kind
    }

    /// How many were rejected for each reason, by [`Reason::name`]: all of them, not only those kept.
    pub fn reasons(&self) -> &BTreeMap<&'static str, u64> {
        &self.by_reason
    }

    pub(crate) fn take(&mut self, kind: &'static str, tally: Tally) {
        self.messages += 1;
        *self.by_kind.entry(kind).or_default() += 1;
        self.coerced += tally.coerced;
        self.dropped_names += tally.dropped_names;
        self.unparsed += tally.unparsed;
        self.ignored += tally.ignored;
    }

    pub(crate) fn reject(&mut self, rejection: Rejection) {
        self.rejected += 1;
        *self.by_reason.entry(rejection.reason.name()).or_default() += 1;
        if self.rejections.len() < KEPT_REJECTIONS {
            self.rejections.push(rejection);
        }
    }
}

/// A few lines to read: what was taken, what was kept, what was rejected for which reason.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = |counts: &BTreeMap<&str, u64>| {
            counts.iter().map(|(name, n)| format!("{n} {name}")).collect::<Vec<_>>().join(", ")
        };
        writeln!(f, "{} lines: {} messages taken ({})", self.lines, self.messages, counts(&self.by_kind))?;
        let Self { events, attribute_writes, merges, duplicates, .. } = self;
        write!(
            f,
            "{events} events, {attribute_writes} attribute writes, {merges} merges, {duplicates} duplicates"
        )?;
        for (n, what) in [
            (self.before_horizon, "events older than what is retained"),
            (self.shared_devices, "shared devices"),
            (self.coerced, "values kept as JSON text"),
            (self.dropped_names, "empty names dropped"),
            (self.unparsed, "values not as declared"),
            (self.ignored, "properties, traits or contexts that are no objects"),
        ] {
            if n > 0 {
                write!(f, ", {n} {what}")?;
            }
        }
        match self.rejected {
            0 => Ok(()),
            n => write!(f, "\n{n} rejected ({})", counts(&self.by_reason)),
        }
    }
}

/// What one message adds to a report if it is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) coerced: u64,
    pub(crate) dropped_names: u64,
    pub(crate) unparsed: u64,
    pub(crate) ignored: u64,
}

/// How far an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Lines read.
    pub lines: u64,
    /// Bytes taken from the reader, compressed ones where it is compressed: comparable to the size of a file.
    pub bytes: u64,
    /// Events kept.
    pub events: u64,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, the first being 1; of a table, the line on which the row begins.
    pub line: u64,
    /// The index within the line's `batch`, the first being 0.
    pub index: Option<usize>,
}

/// As errors say it: `line 12`, or `line 12, batch[3]`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        self.index.map_or(Ok(()), |index| write!(f, ", batch[{index}]"))
    }
}

/// A message that was rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// Where it stands.
    pub position: Position,
    /// Why.
    pub reason: Reason,
}

/// As errors say it: `line 12, batch[3]: no user`.
impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position, self.reason)
    }
}

/// Why a message (a row, a line) is rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The line, or the item of a batch, is no JSON object.
    #[error("not a JSON object")]
    NotAnObject,
    /// The line is longer than the importer was told to take.
    #[error("line too long: more than {limit} bytes")]
    LineTooLong {
        /// How many bytes are taken.
        limit: usize,
    },
    /// `type` is missing or none of those that are read.
    #[error("unknown type")]
    UnknownType,
    /// There is neither a user id nor an anonymous one.
    #[error("no user")]
    NoUser,
    /// The instant is malformed or outside the years 1 to 9999.
    #[error("bad instant")]
    BadInstant,
    /// There is no instant, and the caller gave none for that.
    #[error("no instant")]
    NoInstant,
    /// A `track` without the name of its event.
    #[error("no event name")]
    NoEventName,
    /// An `alias` whose `previousId` is missing or the user itself.
    #[error("bad alias")]
    BadAlias,
    /// A name, an id or a string is longer than the law allows.
    #[error("too long: {field} has {bytes} bytes where at most {limit} are allowed")]
    TooLong {
        /// Which field: `userId`, `properties.note`, the column of a table.
        field: String,
        /// How many bytes it has.
        bytes: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// An event has more properties than the law allows.
    #[error("too many: {field} holds {count} where at most {limit} are allowed")]
    TooMany {
        /// Which field.
        field: String,
        /// How many it holds.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// A cell of a table does not read as what its column was declared.
    #[error("bad value: column {column} holds {text}, expected {expected}")]
    BadValue {
        /// The column.
        column: String,
        /// What the cell holds, in quotes, cut short where it is long.
        text: String,
        /// What the column was declared.
        expected: &'static str,
    },
    /// A row has more or fewer cells than the header or the first row.
    #[error("wrong number of columns: {count} where {expected} are expected")]
    WrongColumns {
        /// How many cells it has.
        count: usize,
        /// How many it should have.
        expected: usize,
    },
    /// A row holds bytes that are no UTF-8.
    #[error("not UTF-8: column {column}")]
    NotUtf8 {
        /// The column.
        column: String,
    },
}

impl Reason {
    /// The reason in few words, without what differs from message to message: `no user`, `too long`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotAnObject => "not a JSON object",
            Self::LineTooLong { .. } => "line too long",
            Self::UnknownType => "unknown type",
            Self::NoUser => "no user",
            Self::BadInstant => "bad instant",
            Self::NoInstant => "no instant",
            Self::NoEventName => "no event name",
            Self::BadAlias => "bad alias",
            Self::TooLong { .. } => "too long",
            Self::TooMany { .. } => "too many",
            Self::BadValue { .. } => "bad value",
            Self::WrongColumns { .. } => "wrong number of columns",
            Self::NotUtf8 { .. } => "not UTF-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_thousand_rejections_are_kept_and_all_are_counted() {
        let mut report = Report::default();
        for line in 1..=1_500 {
            report.reject(Rejection { position: Position { line, index: None }, reason: Reason::NoUser });
        }
        assert_eq!((report.rejected, report.rejections.len()), (1_500, 1_000));
        assert_eq!(report.reasons().get("no user"), Some(&1_500));
        assert_eq!(report.rejections[999].to_string(), "line 1000: no user");
    }

    #[test]
    fn it_reads_as_a_few_lines() {
        let mut report = Report { lines: 3, events: 1, merges: 1, ..Report::default() };
        report.take("track", Tally { coerced: 2, ..Tally::default() });
        report.take("alias", Tally::default());
        report.reject(Rejection { position: Position { line: 3, index: None }, reason: Reason::BadInstant });
        let want = "3 lines: 2 messages taken (1 alias, 1 track)\n\
            1 events, 0 attribute writes, 1 merges, 0 duplicates, 2 values kept as JSON text\n\
            1 rejected (1 bad instant)";
        assert_eq!(report.to_string(), want);
    }

    #[test]
    fn a_reason_begins_with_its_name() {
        let field = String::from("properties.note");
        for reason in [
            Reason::NotAnObject,
            Reason::LineTooLong { limit: 10 },
            Reason::UnknownType,
            Reason::NoUser,
            Reason::BadInstant,
            Reason::NoInstant,
            Reason::NoEventName,
            Reason::BadAlias,
            Reason::TooLong { field: field.clone(), bytes: 2, limit: 1 },
            Reason::TooMany { field: field.clone(), count: 2, limit: 1 },
            Reason::BadValue { column: field.clone(), text: "x".into(), expected: "a whole number" },
            Reason::WrongColumns { count: 2, expected: 3 },
            Reason::NotUtf8 { column: field },
        ] {
            assert!(reason.to_string().starts_with(reason.name()), "{reason}");
        }
    }
}
