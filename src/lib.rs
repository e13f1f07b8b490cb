//! whodid: who did X, and who did not.

mod event;
mod plan;
pub mod segment;
mod time;
mod value;
pub mod window;

pub use event::Event;
pub use time::{
    Span, TimeError, Timestamp, Unit, days, hours, millis, minutes, months, seconds, weeks, years,
};
pub use value::{Number, Record, Scalar, Value};
