//! The written form of segments: what reads, what does not and where it says so, and what may not be built.

mod built;
mod forms;
mod laws;
mod limits;
mod reading;
mod shared;
