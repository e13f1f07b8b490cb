//! whodid: who did X, and who did not.

mod event;
mod holdout;
mod plan;
mod priority;
pub mod segment;
mod time;
mod value;
pub mod window;

pub use chrono_tz::Tz;
pub use event::Event;
pub use holdout::{SampleError, Split};
pub use priority::{Audience, Campaign, Exclusive, PriorityError, exclusive};
pub use segment::builder::{
    all, any, at_least, attribute, changed, did, everyone, known_for, list, no_one, property, sample, score,
    seen, segment, sequence,
};
pub use time::{
    Span, TimeError, Timestamp, Unit, days, hours, millis, minutes, months, seconds, weeks, years,
};
pub use value::{Number, Record, Scalar, Value};
