//! What a segment means: leaves, the algebra over them, and the arithmetic of time and values.

pub(crate) mod anniversary;
pub(crate) mod bounds;
pub(crate) mod calendar;
pub(crate) mod exact;
pub(crate) mod filter;
pub(crate) mod sample;
pub(crate) mod test;
pub(crate) mod value_ref;
