//! The law's limits.

/// Expressions and filters inside each other; a leaf is 1.
pub(crate) const DEPTH: usize = 64;

/// Expressions and filters of one segment.
pub(crate) const NODES: usize = 10_000;

/// Bytes of a name, an id or a salt.
pub(crate) const NAME_BYTES: usize = 512;

/// Bytes of a string value.
pub(crate) const STRING_BYTES: usize = 1 << 20;
