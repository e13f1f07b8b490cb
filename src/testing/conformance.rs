//! The suite that a store of one's own passes: the contract of [`EventStore`] and [`Ingest`], and nothing else.

mod contract;
mod overrides;

use std::fmt::Display;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::{Evaluator, Scenario, StoreEvaluator, scenarios};
use crate::oracle::Oracle;
use crate::store::{EventStore, Ingest};

/// How many random scenarios a store is held against, unless `WHODID_SCENARIOS` says another number.
const SCENARIOS: u32 = 256;

/// Proves a store: `new` makes an empty one.
///
/// First the contract, point by point, with facts of every kind; then random scenarios over every form of
/// segment, in which the store must answer as the oracle does, and whatever it overrides of [`EventStore`] as
/// what it inherits. The same scenarios every time; `WHODID_SCENARIOS` in the environment asks for another number
/// of them.
///
/// ```
/// whodid::testing::conformance(whodid::testing::PlainStore::new);
/// ```
///
/// # Panics
/// Where the store breaks its contract: the message says what was asked, what was answered and what is right.
pub fn conformance<S>(new: impl Fn() -> S)
where
    S: Ingest + EventStore<Error: Display>,
{
    contract::check(&new);
    let asked = std::env::var("WHODID_SCENARIOS").ok().and_then(|n| n.parse().ok());
    let outcome = random(asked.unwrap_or(SCENARIOS), |scenario| {
        let mut store = StoreEvaluator::new("the store", new());
        let answers = agree(scenario, &mut store);
        answers.and_then(|()| overrides::overrides(store.store(), scenario))
    });
    if let Err(failure) = outcome {
        fail(&failure);
    }
}

/// Fails the test that runs the suite.
#[allow(clippy::panic)] // what a test does
pub(super) fn fail(message: &str) -> ! {
    panic!("{message}")
}

/// Holds something against so many random scenarios, the same ones every time.
///
/// # Errors
/// The smallest scenario found that fails, as a conformance case, and what is wrong.
pub fn random(cases: u32, holds: impl Fn(&Scenario) -> Result<(), String>) -> Result<(), String> {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng)
        .run(&scenarios(), |scenario| holds(&scenario).map_err(TestCaseError::fail));
    match outcome {
        Ok(()) => Ok(()),
        Err(TestError::Fail(why, scenario)) => {
            Err(format!("{why}\n{}", scenario.to_case("random", "smallest failing")))
        }
        Err(TestError::Abort(why)) => Err(why.to_string()),
    }
}

/// Whether an evaluator takes the facts of a scenario as the oracle does, and answers its questions alike.
///
/// # Errors
/// What differs.
pub fn agree(scenario: &Scenario, evaluator: &mut dyn Evaluator) -> Result<(), String> {
    let mut oracle = Oracle::new();
    let name = evaluator.name();
    for (index, fact) in scenario.facts.iter().enumerate() {
        let (right, taken) = (oracle.take(fact.clone()), evaluator.take(fact.clone()));
        if right.as_ref().ok() != taken.as_ref().ok() {
            return Err(format!("fact {index}: {name} says {taken:?}, the oracle {right:?}"));
        }
    }
    for (at, segment) in &scenario.checks {
        let right = Evaluator::members(&mut oracle, segment, &scenario.named, *at);
        let answer = evaluator.members(segment, &scenario.named, *at);
        if right.as_ref().ok() != answer.as_ref().ok() {
            let asked = segment.to_json();
            return Err(format!("{asked} at {at}: {name} says {answer:?}, the oracle {right:?}"));
        }
    }
    Ok(())
}
