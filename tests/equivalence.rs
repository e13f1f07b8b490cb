//! Random scenarios: every evaluator answers as the oracle does, and the laws are kept.
//!
//! `WHODID_RANDOM=1000000` runs so many cases of each law instead of the few of every day. A failure prints the
//! scenario as a conformance case, to be kept in `tests/cases`.

#![allow(clippy::expect_used, clippy::panic)]

mod evaluators;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, TestRunner};
use whodid::oracle::{Named, Oracle, Taken};
use whodid::segment::Segment;
use whodid::testing::{
    Change, Evaluator, Scenario, catalog, change, checks, dids, event, measured, named, scenarios, segments,
    take,
};
use whodid::{AttributeWrite, Event, MemoryStore, Record, Scalar, Timestamp};

/// Runs a law over so many random cases, a fraction of them where `share` is less than 1.
fn law<S: Strategy>(strategy: S, share: f64, holds: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let cases = std::env::var("WHODID_RANDOM").ok().map(|n| n.parse().expect("WHODID_RANDOM: a number"));
    let cases = f64::from(cases.unwrap_or(1500u32)) * share;
    let seeds = FileFailurePersistence::Direct("tests/equivalence.proptest-regressions");
    let config = ProptestConfig {
        cases: cases as u32,
        failure_persistence: Some(Box::new(seeds)),
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    };
    if let Err(error) = TestRunner::new(config).run(&strategy, holds) {
        panic!("{error}");
    }
}

fn usual() -> Timestamp {
    "2026-06-15T12:00:00Z".parse().expect("an instant")
}

/// The oracle and one other, for the laws: the rest answer as the oracle does.
fn two() -> impl Iterator<Item = evaluators::New> {
    evaluators::all().into_iter().take(2)
}

/// An evaluator that has taken the facts in.
fn loaded(new: evaluators::New, facts: &[Change]) -> Box<dyn Evaluator> {
    let mut evaluator = new();
    for fact in facts {
        let _refused_alike = evaluator.take(fact.clone());
    }
    evaluator
}

/// Scenarios whose questions have answers.
fn answerable() -> impl Strategy<Value = Scenario> {
    scenarios().prop_map(|mut scenario| {
        let has_answer = |segment: &Segment| Oracle::new().members(segment, &scenario.named, usual()).is_ok();
        scenario.checks.retain(|(_, segment)| has_answer(segment));
        scenario
    })
}

#[test]
fn every_evaluator_answers_as_the_oracle() {
    law(scenarios(), 1.0, |scenario| {
        for new in evaluators::all().into_iter().skip(1) {
            same_as_oracle(&scenario, &mut *new())?;
        }
        Ok(())
    });
}

/// Every fact has the same fate, and every question the same answer: halfway, and when all facts are in.
fn same_as_oracle(scenario: &Scenario, evaluator: &mut dyn Evaluator) -> Result<(), TestCaseError> {
    let mut oracle = Oracle::new();
    let (half, rest) = scenario.facts.split_at(scenario.facts.len() / 2);
    for facts in [half, rest] {
        for fact in facts {
            let (expected, taken) =
                (Evaluator::take(&mut oracle, fact.clone()), evaluator.take(fact.clone()));
            let same = expected.as_ref().ok() == taken.as_ref().ok();
            prop_assert!(same, "{}: {taken:?}, not {expected:?}, in {}", fact.to_json(), evaluator.name());
        }
        same_answers(scenario, &mut oracle, evaluator)?;
    }
    Ok(())
}

fn same_answers(
    scenario: &Scenario,
    oracle: &mut Oracle,
    evaluator: &mut dyn Evaluator,
) -> Result<(), TestCaseError> {
    let case = || scenario.to_case("random", "engine and oracle differ");
    for (i, (at, segment)) in scenario.checks.iter().enumerate() {
        let expected = Evaluator::members(oracle, segment, &scenario.named, *at);
        let answer = evaluator.members(segment, &scenario.named, *at);
        let same = expected.as_ref().ok() == answer.as_ref().ok();
        prop_assert!(same, "check {i}: {answer:?}, not {expected:?}, in {}\n{}", evaluator.name(), case());
    }
    Ok(())
}

/// What JSON cannot say, but a program can.
#[test]
fn what_is_no_fact_is_refused_by_all() {
    let event = || Event::new("a", "x", usual());
    let beyond = |millis: i64| Timestamp::from_millis(millis);
    let (early, late) = (beyond(Timestamp::MIN.millis() - 1), beyond(Timestamp::MAX.millis() + 1));
    let write = |value: f64| AttributeWrite::set("a", "n", value, usual());
    let record = |value: Scalar| vec![Record::new().with("ok", 1).with("bad", value)];
    let refused = vec![
        Change::Event(event().with("n", f64::NAN)),
        Change::Event(event().with("n", vec![1.0, f64::INFINITY])),
        Change::Event(event().with("n", record(f64::NEG_INFINITY.into()))),
        Change::Event(event().with("n", record(early.into()))),
        Change::Event(event().with("n", late)),
        Change::Event(event().with("n", vec![Record::new().with("", 1)])),
        Change::Event(event().with("n", "x".repeat((1 << 20) + 1))),
        Change::Event(event().with("n", 1).with("m", 2).with("n", 1)),
        Change::Event((0..1001).fold(event(), |event, i| event.with(format!("p{i}"), i))),
        Change::Event(Event::new("a", "x", early)),
        Change::Event(Event::new("a", "x", late)),
        Change::Attribute(write(f64::NAN)),
        Change::Attribute(AttributeWrite::set("a", "n", 1, late)),
        Change::Attribute(AttributeWrite::removed("a", "n", early)),
        Change::User { id: "a".to_owned(), seen: late },
    ];
    let taken = vec![
        Change::Event(event().with("n", "x".repeat(1 << 20))),
        Change::Event((0..1000).fold(event(), |event, i| event.with(format!("p{i}"), i))),
        Change::Event(Event::new("a", "x", Timestamp::MIN)),
        Change::Event(Event::new("a", "x", Timestamp::MAX)),
        Change::Forget { user: String::new() },
    ];
    let everyone = Segment::All(vec![]);
    for new in evaluators::all().into_iter().chain(evaluators::outside()) {
        let mut evaluator = new();
        for fact in &refused {
            assert!(evaluator.take(fact.clone()).is_err(), "{} takes {fact:?}", evaluator.name());
        }
        let members = evaluator.members(&everyone, &Named::default(), Timestamp::MAX);
        assert_eq!(members, Ok(BTreeSet::new()), "{}", evaluator.name());
        for fact in &taken {
            assert_eq!(evaluator.take(fact.clone()), Ok(Taken::New), "{}", evaluator.name());
        }
        for at in [early, late] {
            let members = evaluator.members(&everyone, &Named::default(), at);
            assert!(members.is_err(), "{} answers at {at}", evaluator.name());
        }
    }
}

#[test]
fn users_with_many_events_are_counted_alike() {
    let facts = prop::collection::vec(event().prop_map(Change::Event), 200..800);
    let asked = dids().prop_map(Segment::Did);
    let checks = prop::collection::vec((Just(usual()), asked), 8);
    let scenario =
        (facts, checks).prop_map(|(facts, checks)| Scenario { facts, checks, ..Scenario::default() });
    law(scenario, 0.04, |scenario| {
        for new in evaluators::all().into_iter().skip(1) {
            same_as_oracle(&scenario, &mut *new())?;
        }
        Ok(())
    });
}

#[test]
fn users_on_both_sides_of_a_block_are_answered_alike() {
    law(scenarios(), 0.04, |scenario| same_as_oracle(&scenario, &mut *evaluators::beyond_a_block()));
}

#[test]
fn a_snapshot_stays_as_it_was() {
    law(scenarios(), 0.1, |scenario| {
        let mut store = MemoryStore::new().seal_after(8);
        let (half, rest) = scenario.facts.split_at(scenario.facts.len() / 2);
        half.iter().for_each(|fact| drop(take(&mut store, fact.clone())));
        let (snapshot, mut oracle) = (store.snapshot(), loaded(|| Box::new(Oracle::new()), half));
        rest.iter().for_each(|fact| drop(take(&mut store, fact.clone())));
        store.compact();
        let catalog = catalog(&scenario.named);
        for (at, segment) in &scenario.checks {
            let then = evaluators::members(&snapshot, &catalog, segment, *at);
            let expected = oracle.members(segment, &scenario.named, *at);
            prop_assert_eq!(then.ok(), expected.ok(), "{} at {}", segment.to_json(), at);
        }
        Ok(())
    });
}

#[test]
fn not_is_complement() {
    law(answerable(), 0.2, |scenario| {
        each(&scenario, |evaluator, segment, at| {
            let members = evaluator.members(segment, &scenario.named, at)?;
            let others = evaluator.members(&Segment::Not(segment.clone().into()), &scenario.named, at)?;
            let universe = evaluator.members(&Segment::All(vec![]), &scenario.named, at)?;
            let united: BTreeSet<_> = members.union(&others).cloned().collect();
            Ok(members.is_disjoint(&others) && united == universe)
        })
    });
}

#[test]
fn all_is_intersection_and_any_is_union() {
    law(answerable(), 0.2, |scenario| {
        each(&scenario, |evaluator, a, at| {
            let (_, b) = &scenario.checks[0];
            let (b_at, named) = (b, &scenario.named);
            let (in_a, in_b) = (evaluator.members(a, named, at)?, evaluator.members(b_at, named, at)?);
            let both = evaluator.members(&Segment::All(vec![a.clone(), b.clone()]), named, at)?;
            let either = evaluator.members(&Segment::Any(vec![a.clone(), b.clone()]), named, at)?;
            Ok(both == &in_a & &in_b && either == &in_a | &in_b)
        })
    });
}

#[test]
fn a_name_means_what_it_names() {
    law(answerable(), 0.2, |scenario| {
        each(&scenario, |evaluator, segment, at| {
            let mut named = scenario.named.clone();
            named.segments.insert("it".to_owned(), segment.clone());
            let by_name = evaluator.members(&Segment::Segment("it".to_owned()), &named, at)?;
            Ok(by_name == evaluator.members(segment, &scenario.named, at)?)
        })
    });
}

/// Whether something holds of every question of a scenario.
fn each(
    scenario: &Scenario,
    holds: impl Fn(&mut dyn Evaluator, &Segment, Timestamp) -> Result<bool, String>,
) -> Result<(), TestCaseError> {
    for new in two() {
        let mut evaluator = loaded(new, &scenario.facts);
        for (at, segment) in &scenario.checks {
            let outcome = holds(&mut *evaluator, segment, *at);
            let name = evaluator.name();
            prop_assert_eq!(outcome, Ok(true), "in {} at {}: {}", name, at, segment.to_json());
        }
    }
    Ok(())
}

/// Facts whose order of arrival must not matter: no ids, no ties of one user's instants, nothing erased.
fn orderless(facts: Vec<Change>) -> Vec<Change> {
    let mut instants = BTreeSet::new();
    let keep = |fact: &Change| match fact {
        Change::Event(e) => e.event_id().is_none() && instants.insert((e.user().to_owned(), e.at())),
        Change::Attribute(w) => instants.insert((w.user().to_owned(), w.at())),
        Change::User { .. } => true,
        _ => false,
    };
    facts.into_iter().filter(keep).collect()
}

#[test]
fn arrival_order_is_irrelevant() {
    let facts = prop::collection::vec(change(), 0..30).prop_map(orderless);
    let orders = facts.prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle()));
    law((orders, named(), checks()), 0.3, |((facts, shuffled), named, checks)| {
        for new in two() {
            let (mut one, mut other) = (loaded(new, &facts), loaded(new, &shuffled));
            for (at, segment) in &checks {
                let (a, b) = (one.members(segment, &named, *at), other.members(segment, &named, *at));
                prop_assert_eq!(a, b, "in {}: {}", one.name(), segment.to_json());
            }
        }
        Ok(())
    });
}

#[test]
fn facts_to_come_do_not_exist() {
    let facts = prop::collection::vec(change(), 0..30).prop_map(orderless);
    law((facts, named(), checks()), 0.3, |(facts, named, checks)| {
        for new in two() {
            let mut all = loaded(new, &facts);
            for (at, segment) in &checks {
                let past: Vec<Change> =
                    facts.iter().filter(|f| f.at().is_some_and(|when| when <= *at)).cloned().collect();
                let mut some = loaded(new, &past);
                let (a, b) = (all.members(segment, &named, *at), some.members(segment, &named, *at));
                prop_assert_eq!(a, b, "in {} at {}: {}", all.name(), at, segment.to_json());
            }
        }
        Ok(())
    });
}

#[test]
fn merging_is_as_if_one_user_had_been_known_all_along() {
    let facts = prop::collection::vec(change(), 0..30).prop_map(|facts| {
        let kept = |f: &Change| matches!(f, Change::Event(_) | Change::Attribute(_) | Change::User { .. });
        facts.into_iter().filter(kept).collect::<Vec<_>>()
    });
    law((facts, named(), checks()), 0.3, |(facts, named, checks)| {
        let renamed: Vec<Change> = facts.iter().map(|f| renamed(f, "u1", "u0")).collect();
        let merge = Change::Merge { from: "u1".to_owned(), into: "u0".to_owned() };
        for new in two() {
            let mut merged = loaded(new, &facts);
            merged.take(merge.clone()).map_err(TestCaseError::fail)?;
            let mut known = loaded(new, &[vec![merge.clone()], renamed.clone()].concat());
            for (at, segment) in &checks {
                let (a, b) = (merged.members(segment, &named, *at), known.members(segment, &named, *at));
                prop_assert_eq!(a, b, "in {} at {}: {}", merged.name(), at, segment.to_json());
            }
        }
        Ok(())
    });
}

/// The fact with one user in place of another.
fn renamed(fact: &Change, from: &str, into: &str) -> Change {
    let name = |user: &str| if user == from { into.to_owned() } else { user.to_owned() };
    match fact {
        Change::Event(event) => {
            let all = event.properties().iter().cloned();
            let new = Event::new(name(event.user()), event.name(), event.at());
            let new = all.fold(new, |event, (name, value)| event.with(name, value));
            Change::Event(event.event_id().map_or(new.clone(), |id| new.id(id)))
        }
        Change::Attribute(write) => Change::Attribute(match write.value() {
            Some(value) => AttributeWrite::set(name(write.user()), write.name(), value.clone(), write.at()),
            None => AttributeWrite::removed(name(write.user()), write.name(), write.at()),
        }),
        Change::User { id, seen } => Change::User { id: name(id), seen: *seen },
        other => other.clone(),
    }
}

#[test]
fn the_forgotten_are_nowhere() {
    law(answerable(), 0.2, |scenario| {
        for new in two() {
            let mut evaluator = loaded(new, &scenario.facts);
            evaluator.take(Change::Forget { user: "u0".to_owned() }).map_err(TestCaseError::fail)?;
            for (at, segment) in &scenario.checks {
                let members =
                    evaluator.members(segment, &scenario.named, *at).map_err(TestCaseError::fail)?;
                prop_assert!(
                    !members.contains("u0"),
                    "in {} at {at}: {}",
                    evaluator.name(),
                    segment.to_json()
                );
            }
        }
        Ok(())
    });
}

#[test]
fn every_expression_is_valid_and_reads_back_from_its_json() {
    law(segments(&["s0"]), 2.0, |segment| {
        prop_assert_eq!(segment.validate(), Ok(()));
        prop_assert_eq!(Segment::from_json(&segment.to_json()), Ok(segment));
        Ok(())
    });
}

#[test]
fn every_scenario_reads_back_from_its_case() {
    law(scenarios(), 0.1, |scenario| {
        let text = format!("[{}]", scenario.to_case("random", "round trip"));
        let cases = whodid::testing::read_cases(&text).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let case = &cases[0];
        let facts: Vec<Change> = case.facts.iter().filter_map(|f| f.clone().ok()).collect();
        let segments = case.segments.iter().filter_map(|(n, e)| Some((n.clone(), e.clone().ok()?)));
        let named = Named { segments: segments.collect(), lists: case.lists.clone() };
        let checks = case.checks.iter().filter_map(|c| Some((c.at, c.segment.clone().ok()?)));
        prop_assert_eq!(Scenario { facts, named, checks: checks.collect() }, scenario);
        Ok(())
    });
}

#[test]
fn a_measured_number_is_what_its_score_is_held_against() {
    use std::ops::Bound::{Included, Unbounded};
    use whodid::segment::{Earned, Points, Range, Score};
    let facts = prop::collection::vec(change(), 0..30);
    law((facts, measured()), 0.2, |(facts, measured)| {
        let mut oracle = Oracle::new();
        for fact in &facts {
            let _ = Evaluator::take(&mut oracle, fact.clone());
        }
        let at = usual();
        let numbers = oracle.measure(&measured, at).expect("a valid measure");
        for bound in [-1, 0, 1, 2, 5] {
            let of = vec![Points { points: 1, earned: Earned::Per(measured.clone()) }];
            let range = Range { low: Included(whodid::Number::Int(bound)), high: Unbounded };
            let segment = Segment::Score(Score { of, range });
            let members = oracle.members(&segment, &Named::default(), at).expect("a valid score");
            for (user, number) in &numbers {
                let reaches = *number >= num_rational::BigRational::from_integer(bound.into());
                prop_assert_eq!(members.contains(user), reaches, "{} {}", user, number);
            }
        }
        Ok(())
    });
}
