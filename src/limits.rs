//! The law's limits, each in one place, and whether thresholds of our own are small.

/// Most expressions and filters inside each other; a leaf is 1.
pub(crate) const MAX_DEPTH: usize = 64;

/// Most expressions and filters of one segment.
pub(crate) const MAX_NODES: usize = 10_000;

/// Longest name, id and salt, in bytes.
pub(crate) const MAX_NAME: usize = 512;

/// Longest string value, in bytes.
pub(crate) const MAX_STRING: usize = 1 << 20;

/// Most properties of an event.
pub(crate) const MAX_PROPERTIES: usize = 1_000;

/// Thresholds from which on something is done another way are so small that a few facts pass them: in unit tests, and in
/// builds with `WHODID_SMALL` set, whose other tests pass them too. No answer may depend on it.
pub(crate) const SMALL: bool = cfg!(test) || option_env!("WHODID_SMALL").is_some();
