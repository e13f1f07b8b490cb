//! whodid: who did X, and who did not.

pub mod segment;
pub mod time;
pub mod value;
pub mod window;
mod event;

pub use event::Event;
