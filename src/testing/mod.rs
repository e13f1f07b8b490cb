//! What proves an evaluator: random scenarios, and the conformance cases that pin the meaning of segments.
//!
//! Feature `testing`. A [`Scenario`] is made of facts, names and questions; [`scenarios`] makes them up over
//! every form there is, and the [oracle](crate::oracle) knows the answers.

mod case;
mod change;
mod conformance;
mod evaluator;
mod expressions;
mod facts;
mod inherited;
mod plain;
mod pools;
mod ranges;
mod scenario;
mod store;
mod value_tests;
mod windows;

pub use case::{Case, Check, Expected, Transitions, read_cases};
pub use change::{CaseError, Change};
pub use conformance::{agree, conformance, random};
pub use evaluator::Evaluator;
pub use expressions::{dids, measured, segments, sequences};
pub use facts::{change, event, facts, write};
pub use inherited::Inherited;
pub use plain::PlainStore;
pub use ranges::{counts, ranges};
pub use scenario::{Scenario, checks, named, scenarios};
pub use store::{StoreEvaluator, catalog, members, take};
pub use value_tests::{filters, matches, tests};
pub use windows::{windows, windows_in_tests, windows_of_seen};
