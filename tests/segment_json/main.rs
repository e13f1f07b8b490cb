//! The written form of segments: what reads, what does not and where it says so, and what may not be built.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)] // helpers of tests, outside of #[test]

mod built;
mod forms;
mod laws;
mod limits;
mod reading;
mod shared;
