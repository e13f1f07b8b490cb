//! The law's limits, each in one place.

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
