//! What a segment means: leaves, the algebra over them, and the arithmetic of time and values.
//!
//! A [`Plan`] is made from a segment, or from a whole catalog, and does not depend on the instant of evaluation.
//! [`Leaf`] and [`Measure`] are what it asks of a store; the law of each is written here once, over the
//! [`UserFacts`] of one user, for all stores.

pub(crate) mod anniversary;
pub(crate) mod bounds;
pub(crate) mod calendar;
mod chain;
pub(crate) mod exact;
mod facts;
pub(crate) mod filter;
mod history;
mod leaf;
mod matcher;
mod measure;
mod moving;
pub(crate) mod presence;
pub(crate) mod sample;
pub(crate) mod test;
mod text;
pub(crate) mod value_ref;
mod wide;
mod zone;

pub use chain::Chain;
pub use exact::ExactSum;
pub use facts::{Hit, StoredWrite, UserFacts};
pub use filter::Properties;
pub use history::{AttributeTest, Change};
pub use leaf::{Leaf, List, Share};
pub use matcher::{Matcher, Point, Scope};
pub use measure::{Behaviour, Measure};
pub use value_ref::{ScalarRef, ValueRef};

pub(crate) use leaf::LeafAt;
pub(crate) use measure::MeasureAt;

/// What is asked for one segment, or for a whole catalog: distinct leaves, and the set algebra over them.
#[derive(Clone, Debug)]
pub struct Plan {}
