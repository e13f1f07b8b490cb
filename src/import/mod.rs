//! Reading messages and tables into a store: [`Importer`].
//!
//! ```
//! use whodid::import::Importer;
//! use whodid::{did, Evaluate, MemoryStore, Timestamp};
//!
//! let lines = r#"
//! {"type":"page","anonymousId":"a-1","name":"Pricing","timestamp":"2026-06-01T09:00:00Z"}
//! {"type":"identify","anonymousId":"a-1","userId":"ada","traits":{"plan":"pro"},"timestamp":"2026-06-01T09:05:00Z"}
//! {"type":"track","userId":"ada","event":"Signed Up","messageId":"m-1","timestamp":"2026-06-01T09:05:01Z"}
//! {"type":"track","userId":"bob"}
//! "#;
//! let mut store = MemoryStore::new();
//! let report = Importer::segment_spec().skip_rejected().read(lines.as_bytes(), &mut store)?;
//! assert_eq!((report.events, report.merges, report.rejected), (2, 1, 1));
//! assert_eq!(report.rejections[0].to_string(), "line 5: no instant");
//!
//! // What was done before signing up counts.
//! let now: Timestamp = "2026-06-02T00:00:00Z".parse()?;
//! let snapshot = store.snapshot();
//! let members = snapshot.members(&did("page"), now)?;
//! assert_eq!(members.ids().collect::<Vec<_>>(), ["ada"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Segment-spec messages
//! [`Importer::segment_spec`] reads newline-delimited JSON, compressed with gzip or not: a line is a message or
//! a `{"batch":[message, …]}`. Blank lines are passed over; a byte-order mark and `\r\n` are fine.
//!
//! | field | reads as |
//! | --- | --- |
//! | `type` | in any case: `track`, `page`, `screen`, `identify`, `group`, `alias`; else `unknown type` |
//! | `userId`, `anonymousId` | the user: the first that is a non-empty string or an integer; else `no user` |
//! | `timestamp`, `originalTimestamp`, `sentAt`, `receivedAt` | the instant: the first that is neither missing, null nor `""`; if that is malformed, `bad instant`. If there is none, the caller's, else `no instant` |
//! | `messageId` | the event's id, if it is a non-empty string |
//! | `track` | an event named `event`, a non-empty string, else `no event name` |
//! | `page`, `screen` | an event of that name, with `name` and `category` as properties where `properties` lacks them |
//! | `identify` | registers the user, and writes an attribute for each of `traits`, and of those of `context.traits` that `traits` lacks; null removes |
//! | `group` | writes `group.id` (whatever trait `id` there may be beside a `groupId`), and `group.` + name for each of `traits`; registers no one |
//! | `alias` | registers the user and merges `previousId` into it; missing or the user itself: `bad alias` |
//! | `context` | left out, unless asked for with [`context`](Importer::context): properties of the event under `context.` |
//!
//! **Instants** are RFC 3339 (a blank for the `T` is fine), a date alone (its midnight in UTC), or a JSON
//! number: seconds below 10^11, milliseconds from there. A string of digits is none: `"20240506"` would be an
//! hour in 1970. Whatever is finer than a millisecond is floored, in decimal, so that `1424730535.387` is no
//! millisecond off.
//!
//! **Values** are bools, strings and numbers; null is missing. Objects flatten to dotted names, and where such a
//! name meets a literal key, that key wins (of two paths to one name the one through fewer objects). An array of scalars is a list and one of objects a list of records, both
//! without their nulls. What fits none of this is kept as its text, as it was written, in a string, and counted as
//! `coerced`: an array that holds arrays, or objects beside scalars, as a whole; a list inside a record, in its
//! field; a number that no `f64` can hold. Properties and traits with an empty name are dropped and counted.
//! `properties`, `traits` and `context` that are no objects are left out, and counted unless they are empty.
//! Of a key that stands twice in one object the last counts.
//!
//! **Declared names** ([`instants`](Importer::instants), [`numbers`](Importer::numbers),
//! [`strings`](Importer::strings)) are those that properties and attributes end up with: `cart.total`. A field
//! of records goes by `products.price`, a trait of a group by its own name as well (`employees`). Each scalar of a
//! list is read for itself. What does not parse stays what it was, and is counted.
//!
//! **Anonymous to known.** Unless told otherwise ([`stitch`](Importer::stitch)), an `identify` or `alias` with
//! both ids merges the `anonymousId` into the `userId`. An id that was merged before, by this import or by
//! whatever else wrote to the store, stays with its user: for somebody else's it counts as a shared device. An
//! `alias` whose ids are one user already merges nothing; one whose `previousId` belongs to another user
//! says that the two are one, and merges that user.
//!
//! **Whole or not at all.** A message is checked whole before any of it is written. One that cannot be taken is
//! rejected, for the first of the reasons above in the order of the table, or because a name or value in it is
//! beyond the law's limits. The [`Report`] has every count, the first thousand rejections with their places, and,
//! where the import stopped, the [`Position`] at which to [start](Importer::start_at) again.
//!
//! # Tables
//! [`Importer::csv`] reads CSV, compressed or not, with declared columns.

mod csv;
mod declared;
mod flatten;
mod input;
mod instant;
mod json;
mod message;
#[cfg(test)]
mod notebook;
mod report;
mod run;
mod segment_spec;

pub use csv::{Cell, Column, Csv, InstantFormat};
pub use report::{Position, Progress, Reason, Rejection, Report};
pub use run::ImportError;
pub use segment_spec::SegmentSpec;

use run::Options;

/// Reads messages or tables into a store: [`Importer::segment_spec`], [`Importer::csv`].
#[derive(Debug)]
pub struct Importer<'p, Format> {
    format: Format,
    options: Options<'p>,
}

impl<'p, Format> Importer<'p, Format> {
    /// Passes over what is rejected; the report says what it was, where and why.
    #[must_use]
    pub fn skip_rejected(mut self) -> Self {
        self.options.skip_rejected = true;
        self
    }

    /// Stops at the first message that is rejected, which is what happens unless told otherwise.
    #[must_use]
    pub fn stop_at_rejected(mut self) -> Self {
        self.options.skip_rejected = false;
        self
    }

    /// Is told how far the import has come, at most every 2^16 lines.
    #[must_use]
    pub fn on_progress(mut self, tell: impl FnMut(Progress) + 'p) -> Self {
        self.options.on_progress = Some(Box::new(tell));
        self
    }

    /// Starts at a position, usually [`Report::resume`] of an import that stopped: what stands before it is
    /// passed over unread.
    #[must_use]
    pub fn start_at(mut self, position: Position) -> Self {
        self.options.start_at = Some(position);
        self
    }

    /// The longest line (of a table: row) in bytes that is taken; 16 MiB unless this says otherwise.
    ///
    /// A longer line of messages is rejected, and never held whole. A longer row ends the import, since behind
    /// an open quote there is no telling where the next row begins.
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.options.max_line = bytes;
        self
    }
}
