//! whodid: who did X, and who did not.

mod catalog;
mod eval;
mod event;
mod holdout;
#[cfg(feature = "import")]
pub mod import;
mod json;
mod limits;
pub mod live;
#[cfg(feature = "testing")]
pub mod oracle;
pub mod plan;
mod priority;
pub mod segment;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
mod value;
pub mod window;

pub use catalog::Catalog;
pub use chrono_tz::Tz;
pub use eval::{Answer, Answers, AsPlan, EvalError, Evaluate, Members, Numbers};
pub use event::{AttributeWrite, Event, Fact, IngestError};
pub use holdout::Split;
#[cfg(feature = "import")]
pub use import::{ImportError, Importer};
pub use live::{Announce, Because, Cause, Changes, Live, LiveError, Movement, Saved, Transition};
pub use plan::{Plan, PlanError};
pub use priority::{Audience, Campaign, Exclusive, PriorityError, exclusive};
pub use segment::builder::{
    all, any, at_least, attribute, changed, did, everyone, known_for, list, no_one, property, sample, score,
    seen, segment, sequence,
};
pub use store::{EventStore, Ingest, MemoryStore, MemoryUsage, Recorded, Snapshot, UserId};
pub use time::{
    Span, TimeError, Timestamp, Unit, days, hours, millis, minutes, months, seconds, weeks, years,
};
pub use value::{Number, Record, Scalar, Value};

/// The page's examples, run.
#[cfg(doctest)]
#[doc = include_str!("../docs/coming-from.md")]
struct ComingFrom;
