//! The contract, point by point.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};

use roaring::RoaringBitmap;

use super::fail;
use crate::event::{AttributeWrite, Event, Fact};
use crate::segment::EventPattern;
use crate::store::{Among, EventQuery, EventStore, Ingest, Recorded, UserId};
use crate::time::Timestamp;
use crate::value::{Record, Scalar, Value};

/// What a suite asks of a store.
pub(super) trait Store: Ingest + EventStore<Error: Display> {}

impl<S: Ingest + EventStore<Error: Display>> Store for S {}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_750_000_000_000 + seconds * 1_000)
}

/// What a call answered; where it failed the test fails.
pub(super) fn done<T, E: Display>(outcome: Result<T, E>, call: &str) -> T {
    match outcome {
        Ok(done) => done,
        Err(error) => fail(&format!("{call} failed: {error}")),
    }
}

fn same<T: PartialEq + Debug>(answer: T, right: T, what: &str) {
    if answer != right {
        fail(&format!("{what}: {answer:?}, which should be {right:?}"));
    }
}

/// Checks every point, each with a new store.
pub(super) fn check<S: Store>(new: &impl Fn() -> S) {
    an_empty_store_answers_nothing(new());
    users_have_ids_and_are_seen_at_their_first_fact(new());
    events_come_by_user_in_order_with_their_properties(new());
    writes_come_whole_and_in_order(new());
    a_redelivered_event_leaves_no_trace(new());
    a_refused_fact_leaves_no_trace(new());
    a_batch_is_kept_whole_or_not_at_all(new());
    merged_users_are_one(new());
    forgotten_users_are_gone(new());
    what_is_not_retained_is_gone(new());
}

/// A user by external id.
fn number<S: Store>(store: &S, id: &str) -> Option<UserId> {
    done(store.user(id), "user")
}

/// The users there are, by external id, with when they were first seen.
fn users<S: Store>(store: &S) -> BTreeMap<String, Timestamp> {
    let mut numbers = RoaringBitmap::new();
    let mut seen = BTreeMap::new();
    done(
        store.seen(Among::Everyone, &mut |user, first| {
            same(numbers.insert(user.number()), true, "seen visits a user for the first time");
            seen.insert(user, first);
        }),
        "seen",
    );
    let mut users = BTreeMap::new();
    done(
        store.ids(&numbers, &mut |user, id| {
            same(number(store, id), Some(user), &format!("user({id:?})"));
            let first = seen.get(&user).copied();
            users.extend(first.map(|first| (id.to_owned(), first)));
        }),
        "ids",
    );
    same(users.len() as u64, numbers.len(), "ids visits as many users as seen");
    users
}

/// Every event of some names in a range of time, by user: its instant, its name and the property `n`.
type Events = BTreeMap<String, Vec<(Timestamp, String, Option<Value>)>>;

fn events_among<S: Store>(
    store: &S,
    names: &[&str],
    (from, to): (Timestamp, Timestamp),
    among: Among<'_>,
) -> Events {
    let patterns: Vec<EventPattern> = names.iter().map(|name| EventPattern::from(*name)).collect();
    let query = EventQuery { events: &patterns, from, to, properties: &["n"], among };
    let mut found = BTreeMap::new();
    done(
        store.events(&query, &mut |user, events| {
            same(events.is_sorted_by_key(|event| event.at), true, "events come in order of time");
            let asked = events.iter().filter(|event| query.names(event.name) && query.covers(event.at));
            let asked: Vec<_> = asked
                .map(|event| (event.at, event.name.to_owned(), event.properties.get("n").map(Value::from)))
                .collect();
            let is_new = found.insert(user, asked).is_none();
            same(is_new, true, "events visits a user once");
        }),
        "events",
    );
    found
        .into_iter()
        .filter(|(user, events)| among.contains(*user) && !events.is_empty())
        .map(|(user, events)| (id(store, user), events))
        .collect()
}

fn events<S: Store>(store: &S, names: &[&str]) -> Events {
    events_among(store, names, (Timestamp::MIN, Timestamp::MAX), Among::Everyone)
}

fn id<S: Store>(store: &S, user: UserId) -> String {
    let mut found = None;
    let one = RoaringBitmap::from([user.number()]);
    done(
        store.ids(&one, &mut |who, id| {
            if who == user {
                found = Some(id.to_owned())
            }
        }),
        "ids",
    );
    found.unwrap_or_else(|| fail(&format!("{user:?} is handed over and has no id")))
}

/// Every write of an attribute, by user.
fn writes<S: Store>(store: &S, attribute: &str) -> BTreeMap<String, Vec<(Timestamp, Option<Value>)>> {
    let mut found = Vec::new();
    done(
        store.writes(attribute, Among::Everyone, &mut |user, writes| {
            let writes = writes.iter().map(|write| (write.at, write.value.map(Value::from)));
            found.push((user, writes.collect::<Vec<_>>()));
        }),
        "writes",
    );
    found.into_iter().map(|(user, writes)| (id(store, user), writes)).collect()
}

fn record<S: Store>(store: &mut S, event: Event) -> Recorded {
    done(store.record(event), "record")
}

fn an_empty_store_answers_nothing<S: Store>(store: S) {
    same(number(&store, "ada"), None, "the user of an unknown id");
    same(users(&store), BTreeMap::new(), "the users of an empty store");
    same(events(&store, &["*"]), BTreeMap::new(), "the events of an empty store");
    same(done(store.universe(Timestamp::MAX), "universe").len(), 0, "the universe of an empty store");
}

fn users_have_ids_and_are_seen_at_their_first_fact<S: Store>(mut store: S) {
    record(&mut store, Event::new("ada", "x", at(20)));
    done(store.register("ada", at(30)), "register");
    done(store.write(AttributeWrite::set("ada", "plan", "pro", at(10))), "write");
    done(store.register("bob", at(5)), "register");
    done(store.write(AttributeWrite::removed("cy", "plan", at(7))), "write");
    let right = [("ada", at(10)), ("bob", at(5)), ("cy", at(7))];
    same(
        users(&store),
        right.map(|(id, at)| (id.to_owned(), at)).into(),
        "users, and when they were first seen",
    );
    let count = |at| done(store.universe(at), "universe").len();
    same(
        [count(at(4)), count(at(5)), count(at(9)), count(at(10))],
        [0, 1, 2, 3],
        "the universe as time goes by",
    );
    same(number(&store, "dan"), None, "the user of an unknown id");
}

fn events_come_by_user_in_order_with_their_properties<S: Store>(mut store: S) {
    let values: Vec<Value> = vec![
        true.into(),
        i64::MAX.into(),
        0.1.into(),
        "tëxt \"with\" \\ 'all' \n".into(),
        Timestamp::MAX.into(),
        Value::List(vec![1.into(), 1.5.into(), "a".into(), false.into(), Timestamp::MIN.into()]),
        Value::List(Vec::new()),
        vec![Record::new(), Record::new().with("sku", "a").with("price", 2).with("at", Timestamp::MIN)]
            .into(),
    ];
    for (i, value) in (0..).zip(&values) {
        record(&mut store, Event::new("ada", "x", at(i)).with("other", 1).with("n", value.clone()));
    }
    let stored = events(&store, &["x"]);
    let right = (0..).zip(&values).map(|(i, value)| (at(i), "x".to_owned(), Some(value.clone())));
    same(stored, BTreeMap::from([("ada".to_owned(), right.collect())]), "values of every kind");

    // Late ones find their place, those of one instant stay in order of arrival, whatever their names.
    record(&mut store, Event::new("bob", "email_open", at(9)).with("n", 1));
    record(&mut store, Event::new("bob", "y", at(3)).with("n", 2));
    record(&mut store, Event::new("bob", "email_click", at(9)).with("n", 3));
    record(&mut store, Event::new("bob", "email_open", at(9)).with("n", 4));
    record(&mut store, Event::new("bob", "email_open", at(12)));
    let numbers = |events: Events| -> Vec<(String, Vec<Option<Scalar>>)> {
        let number = |value: Option<Value>| value.and_then(|value| value.scalars().first().cloned());
        events.into_iter().map(|(id, of)| (id, of.into_iter().map(|(_, _, n)| number(n)).collect())).collect()
    };
    let of_bob = |numbers: &[i64]| {
        vec![("bob".to_owned(), numbers.iter().map(|n| Some(Scalar::Int(*n))).collect::<Vec<_>>())]
    };
    let asked = |names: &[&str], from, to| numbers(events_among(&store, names, (from, to), Among::Everyone));
    same(asked(&["email_*", "y"], at(3), at(9)), of_bob(&[2, 1, 3, 4]), "a range of time, both ends inside");
    same(asked(&["email_*"], at(4), at(11)), of_bob(&[1, 3, 4]), "a prefix");
    same(asked(&["email_open", "z"], at(0), at(11)), of_bob(&[1, 4]), "names");
    same(asked(&["email_\\*"], at(0), at(11)), vec![], "a literal star");
    let Some(bob) = number(&store, "bob") else { fail("user(\"bob\") is None") };
    let among = RoaringBitmap::from([bob.number()]);
    for among in [Among::User(bob), Among::Users(&among)] {
        let found = events_among(&store, &["x", "y"], (Timestamp::MIN, Timestamp::MAX), among);
        same(numbers(found), of_bob(&[2]), "the events of one user");
    }
}

fn writes_come_whole_and_in_order<S: Store>(mut store: S) {
    let set = |value: &str, seconds| AttributeWrite::set("ada", "plan", value, at(seconds));
    for write in [set("late", 9), set("first", 1), set("tie a", 5), set("tie b", 5)] {
        done(store.write(write), "write");
    }
    done(store.write(AttributeWrite::removed("ada", "plan", at(7))), "write");
    done(store.write(AttributeWrite::set("ada", "other", 1, at(2))), "write");
    done(store.write(AttributeWrite::set("bob", "plan", vec![1, 2], at(2))), "write");
    let text = |value: &str| Some(Value::from(value));
    let of_ada = vec![
        (at(1), text("first")),
        (at(5), text("tie a")),
        (at(5), text("tie b")),
        (at(7), None),
        (at(9), text("late")),
    ];
    // Of the writes of one instant only the last counts: a store may have dropped the others.
    let mut found = writes(&store, "plan");
    if let Some(of_ada) = found.get_mut("ada") {
        of_ada.dedup_by(|next, kept| {
            let tie = kept.0 == next.0;
            if tie {
                kept.clone_from(next);
            }
            tie
        });
    }
    let of_ada: Vec<_> = of_ada.into_iter().filter(|(_, value)| *value != text("tie a")).collect();
    let of_bob = vec![(at(2), Some(Value::from(vec![1, 2])))];
    same(
        found,
        BTreeMap::from([("ada".into(), of_ada), ("bob".into(), of_bob)]),
        "the writes of an attribute",
    );
    same(writes(&store, "unknown"), BTreeMap::new(), "the writes of an unknown attribute");
}

fn a_redelivered_event_leaves_no_trace<S: Store>(mut store: S) {
    same(record(&mut store, Event::new("ada", "x", at(1)).id("m")), Recorded::New, "the first of an id");
    let again = Event::new("bob", "y", at(0)).id("m");
    same(record(&mut store, again), Recorded::Duplicate, "the second of an id");
    same(record(&mut store, Event::new("ada", "x", at(1))), Recorded::New, "one without an id");
    same(users(&store).into_keys().collect(), vec!["ada".to_owned()], "users after a duplicate");
    same(events(&store, &["*"]).get("ada").map(Vec::len), Some(2), "events after a duplicate");
}

fn a_refused_fact_leaves_no_trace<S: Store>(mut store: S) {
    let late = Timestamp::from_millis(Timestamp::MAX.millis() + 1);
    let refused = [
        Event::new("ada", "x", at(1)).with("n", f64::NAN).id("m"),
        Event::new("ada", "", at(1)).id("m"),
        Event::new("", "x", at(1)).id("m"),
        Event::new("ada", "x", late).id("m"),
        Event::new("ada", "x", at(1)).with("n", 1).with("n", 2).id("m"),
        Event::new("ada", "x".repeat(513), at(1)).id("m"),
    ];
    for event in refused {
        same(store.record(event.clone()).is_err(), true, &format!("{event} is refused"));
    }
    same(
        store.write(AttributeWrite::set("ada", "", 1, at(1))).is_err(),
        true,
        "an empty attribute is refused",
    );
    same(
        store.write(AttributeWrite::set("ada", "a", f64::INFINITY, at(1))).is_err(),
        true,
        "infinity is refused",
    );
    same(store.register("", at(1)).is_err(), true, "an empty id is refused");
    same(store.register("ada", late).is_err(), true, "an instant out of range is refused");
    same(users(&store), BTreeMap::new(), "users after refused facts");
    same(
        record(&mut store, Event::new("ada", "x", at(1)).id("m")),
        Recorded::New,
        "an id that only refused events had",
    );
}

fn a_batch_is_kept_whole_or_not_at_all<S: Store>(mut store: S) {
    let batch = |bad: bool| -> Vec<Fact> {
        let id = if bad { "" } else { "cy" };
        vec![
            Event::new("ada", "x", at(1)).id("m").into(),
            AttributeWrite::set("bob", "plan", "pro", at(1)).into(),
            Fact::user(id, at(1)),
            Event::new("ada", "x", at(1)).id("m").into(),
        ]
    };
    let refused = store.take_all(batch(true)).map_err(|error| error.index).err();
    same(refused, Some(2), "the index of the bad fact of a batch");
    same(users(&store), BTreeMap::new(), "users after a refused batch");
    let taken = store.take_all(batch(false)).ok();
    let right = [Recorded::New, Recorded::New, Recorded::New, Recorded::Duplicate];
    same(taken, Some(right.to_vec()), "what became of a batch");
    let good = done(store.take_good(batch(true)), "take_good");
    same((good.new, good.duplicates), (1, 2), "what became of a lenient batch");
    let indices: Vec<usize> = good.refused.iter().map(|(index, _)| *index).collect();
    same(indices, vec![2], "the bad facts of a lenient batch");
}

fn merged_users_are_one<S: Store>(mut store: S) {
    record(&mut store, Event::new("anon", "x", at(5)).with("n", 1));
    record(&mut store, Event::new("ada", "x", at(5)).with("n", 2));
    done(store.write(AttributeWrite::set("anon", "plan", "a", at(6))), "write");
    done(store.write(AttributeWrite::set("ada", "plan", "b", at(6))), "write");
    done(store.write(AttributeWrite::set("anon", "plan", "c", at(6))), "write");
    done(store.merge("anon", "ada"), "merge");
    done(store.merge("ada", "queen"), "merge");
    done(store.merge("nobody", "anon"), "merge");
    record(&mut store, Event::new("nobody", "x", at(5)).with("n", 3));
    same(users(&store).into_keys().collect(), vec!["queen".to_owned()], "users after merging");
    let queen = number(&store, "queen");
    for id in ["anon", "ada", "nobody"] {
        same(number(&store, id), queen, &format!("the user of {id:?}, which was merged away"));
        let named = done(store.current_id(id), "current_id").into_owned();
        same(named, "queen".to_owned(), &format!("what {id:?} names"));
    }
    let order: Vec<_> = events(&store, &["x"]).remove("queen").unwrap_or_default();
    let order: Vec<_> = order.into_iter().map(|(_, _, n)| n).collect();
    same(
        order,
        vec![Some(1.into()), Some(2.into()), Some(3.into())],
        "merged events keep their order of arrival",
    );
    let last = writes(&store, "plan").remove("queen").and_then(|writes| writes.last().cloned());
    same(last, Some((at(6), Some("c".into()))), "merged writes keep their order of arrival");
    same(store.merge("queen", "queen").is_err(), true, "merging a user into itself is refused");
    same(store.merge("anon", "nobody").is_err(), true, "merging two names of one user is refused");
}

fn forgotten_users_are_gone<S: Store>(mut store: S) {
    record(&mut store, Event::new("ada", "x", at(1)).id("m"));
    done(store.write(AttributeWrite::set("ada", "plan", "pro", at(1))), "write");
    done(store.merge("anon", "ada"), "merge");
    record(&mut store, Event::new("bob", "x", at(1)));
    done(store.forget("anon"), "forget");
    done(store.forget("unknown"), "forget");
    same(users(&store).into_keys().collect(), vec!["bob".to_owned()], "users after forgetting");
    same((number(&store, "ada"), number(&store, "anon")), (None, None), "the user of forgotten ids");
    same(events(&store, &["x"]).into_keys().collect(), vec!["bob".to_owned()], "events after forgetting");
    same(writes(&store, "plan"), BTreeMap::new(), "writes after forgetting");
    same(
        record(&mut store, Event::new("cy", "x", at(1)).id("m")),
        Recorded::Duplicate,
        "the id of a forgotten event",
    );
    record(&mut store, Event::new("anon", "x", at(9)));
    same(users(&store).get("anon"), Some(&at(9)), "a later fact starts a new user");
    same(number(&store, "ada"), None, "an id let go");
}

fn what_is_not_retained_is_gone<S: Store>(mut store: S) {
    record(&mut store, Event::new("ada", "x", at(1)).id("m"));
    record(&mut store, Event::new("ada", "x", at(5)));
    record(&mut store, Event::new("ada", "y", at(1)));
    done(store.write(AttributeWrite::set("ada", "plan", "pro", at(2))), "write");
    same(done(store.retain(at(5), &["x".into()]), "retain"), 1, "how many events retention drops");
    let kept = |store: &S| events(store, &["*"]).remove("ada").unwrap_or_default().len();
    same(kept(&store), 2, "events after retention");
    same(users(&store).get("ada"), Some(&at(1)), "when a user was first seen, after retention");
    same(writes(&store, "plan").len(), 1, "writes after retention");
    let far = Timestamp::from_millis(i64::MAX);
    assert!(store.retain(far, &["*".into()]).is_err(), "a horizon out of range is refused");
    same(kept(&store), 2, "events after retention that is refused");
    let late = Event::new("bob", "x", at(4)).id("n");
    same(record(&mut store, late), Recorded::BeforeHorizon, "an event older than the horizon");
    same(number(&store, "bob"), None, "the user of an event older than the horizon");
    same(
        record(&mut store, Event::new("ada", "x", at(5)).id("m")),
        Recorded::New,
        "an id that retention let go",
    );
    same(
        record(&mut store, Event::new("ada", "x", at(5)).id("n")),
        Recorded::New,
        "an id of a dropped event",
    );
}
