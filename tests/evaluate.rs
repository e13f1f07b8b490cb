//! Asking: the reading methods that every store has, on the in-memory one, on references to it, and on one that fails.

#![allow(clippy::expect_used, clippy::panic)]

use std::rc::Rc;
use std::sync::Arc;

use roaring::RoaringBitmap;
use whodid::segment::Segment;
use whodid::store::{Among, EventQuery, StoredEvent, StoredWrite};
use whodid::testing::PlainStore;
use whodid::{
    EvalError, Evaluate, Event, EventStore, Ingest, MemoryStore, Number, Plan, Timestamp, UserId, attribute,
    days, did,
};

fn now() -> Timestamp {
    "2026-06-15T12:00:00Z".parse().expect("an instant")
}

fn fill(store: &mut impl Ingest) {
    for (user, amount, ago) in [("ada", 10.5, 1), ("ada", 20.0, 40), ("bob", 1.0, 2), ("cy", 5.0, 300)] {
        let event = Event::new(user, "buy", now().minus(days(ago))).with("amount", amount);
        assert!(store.record(event).is_ok());
    }
    assert!(store.register("dan", now()).is_ok());
    assert!(store.register("later", now().plus(days(1))).is_ok());
}

fn check_all(store: &(impl EventStore<Error = std::convert::Infallible> + ?Sized)) {
    let lately = did("buy").last(days(30));
    let members = store.members(&lately, now()).expect("valid");
    assert_eq!(members.ids().collect::<Vec<_>>(), ["ada", "bob"]);
    assert_eq!((members.len(), members.is_empty()), (2, false));
    let mut visited = Vec::new();
    let Ok(()) = members.visit_ids(|_, id| visited.push(id.to_owned()));
    visited.sort();
    assert_eq!(visited, ["ada", "bob"]);
    assert_eq!(store.count(&lately, now()).expect("valid"), 2);
    assert_eq!(store.count(&!did("buy"), now()).expect("valid"), 1, "who comes tomorrow is not there yet");
    assert_eq!(store.everyone(now()).expect("in range").len(), 4);
    assert!(store.is_member("ada", &lately, now()).expect("valid"));
    assert!(!store.is_member("cy", &lately, now()).expect("valid"));
    assert!(!store.is_member("nobody", &!did("buy"), now()).expect("valid"));

    let spent = did("buy").sum("amount").last(days(90));
    let numbers = store.measure(spent.clone(), now()).expect("valid");
    let all: Vec<_> = numbers.iter().map(|(_, number)| number.to_number()).collect();
    assert_eq!(all, [30.5, 1.0, 0.0, 0.0].map(Number::Float), "ada, bob, cy, dan");
    assert_eq!(numbers.nonzero().count(), 2);
    let number_of =
        |id: &str| store.measure_of(id, spent.clone(), now()).expect("valid").map(|n| n.to_number());
    assert_eq!(number_of("ada"), Some(Number::Float(30.5)));
    assert_eq!(number_of("dan"), Some(Number::Int(0)));
    assert_eq!((number_of("later"), number_of("nobody")), (None, None));
}

#[test]
fn every_store_is_asked_alike() {
    let (mut memory, mut plain) = (MemoryStore::new(), PlainStore::new());
    fill(&mut memory);
    fill(&mut plain);
    check_all(&memory.snapshot());
    check_all(&memory);
    check_all(&&plain);
    check_all(&Rc::new(plain.clone()));
    check_all(&Arc::new(memory.snapshot()));
    let chosen_at_run_time: Vec<Box<dyn EventStore<Error = std::convert::Infallible>>> =
        vec![Box::new(memory), Box::new(plain)];
    for store in &chosen_at_run_time {
        check_all(store);
        check_all(&**store);
    }
}

#[test]
fn what_has_no_answer_says_why() {
    let store = PlainStore::new();
    let late = Timestamp::from_millis(Timestamp::MAX.millis() + 1);
    let error = store.members(&did("x"), late).expect_err("out of range");
    assert_eq!(error.to_string(), "cannot evaluate at 10000-01-01T00:00:00Z, outside the years 1 to 9999");
    assert!(matches!(store.everyone(late), Err(EvalError::At(at)) if at == late));
    assert!(matches!(store.measure(did("x"), late), Err(EvalError::At(_))));
    assert!(matches!(store.members(&did(""), now()), Err(EvalError::Plan(_))));
    assert!(matches!(
        store.is_member("nobody", &attribute("a").matches("("), now()),
        Err(EvalError::Plan(_))
    ));
    assert!(matches!(store.measure(did("x").sum(""), now()), Err(EvalError::Plan(_))));
    assert!(matches!(store.members(&Segment::Segment("a".into()), now()), Err(EvalError::Plan(_))));
    let many = whodid::Catalog::new().plan().expect("empty");
    assert!(matches!(store.count(&many, now()), Err(EvalError::NotOneSegment(0))));
}

#[test]
fn a_plan_is_asked_any_number_of_times() {
    let mut store = MemoryStore::new();
    fill(&mut store);
    let plan = Plan::of(&did("buy").last(days(30)).into()).expect("valid");
    let counts: Vec<u64> =
        (0..400).step_by(100).map(|ago| store.count(&plan, now().minus(days(ago))).expect("valid")).collect();
    assert_eq!(counts, [2, 0, 0, 1]);
}

/// A store that cannot be read.
struct Broken;

type Failure = &'static str;

impl EventStore for Broken {
    type Error = Failure;

    fn user(&self, _: &str) -> Result<Option<UserId>, Failure> {
        Ok(Some(UserId::new(0)))
    }

    fn ids(&self, _: &RoaringBitmap, _: &mut dyn FnMut(UserId, &str)) -> Result<(), Failure> {
        Err("no ids")
    }

    fn seen(&self, _: Among<'_>, visit: &mut dyn FnMut(UserId, Timestamp)) -> Result<(), Failure> {
        (0..3_000).for_each(|user| visit(UserId::new(user), now()));
        Ok(())
    }

    fn events(
        &self,
        _: &EventQuery<'_>,
        _: &mut dyn FnMut(UserId, &[StoredEvent<'_>]),
    ) -> Result<(), Failure> {
        Err("no events")
    }

    fn writes(
        &self,
        _: &str,
        _: Among<'_>,
        _: &mut dyn FnMut(UserId, &[StoredWrite<'_>]),
    ) -> Result<(), Failure> {
        Err("no writes")
    }
}

#[test]
fn a_failing_store_fails_the_question() {
    let events = EvalError::Store("no events");
    assert_eq!(Broken.members(&did("x"), now()).expect_err("fails"), events);
    assert_eq!(Broken.count(&did("x"), now()), Err(events.clone()));
    assert_eq!(Broken.is_member("ada", &did("x"), now()), Err(events.clone()));
    assert_eq!(Broken.measure_of("ada", did("x"), now()), Err(events.clone()));
    assert_eq!(events.to_string(), "the store cannot be read: no events");
    assert_eq!(Broken.count(&attribute("a").eq(1), now()), Err(EvalError::Store("no writes")));
    let everyone = Broken.everyone(now()).expect("seen");
    assert_eq!(everyone.len(), 3_000);
    assert_eq!(everyone.try_ids().collect::<Vec<_>>(), [Err("no ids")], "nothing follows after that");
}
