//! Entry rules as what automations rely on: pure over signals, the same after every restart, exact at their edges.

#![allow(clippy::expect_used)] // a test that cannot be set up fails

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Pacific::Kiritimati;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use whodid::live::rules::{
    AnyRule, Dwell, FrequencyCap, LiveExclusion, Once, OncePer, QuietHours, Reentry, Rule, Signal,
};
use whodid::segment::Segment;
use whodid::{
    Catalog, Event, EventStore, Ingest, Live, MemoryStore, Movement, Timestamp, days, did, hours, minutes,
    years,
};

const START: i64 = 1_781_524_800_000; // 2026-06-15T12:00:00Z
const MINUTE: i64 = 60_000;

/// Signals as an engine tells them: in order of time, entering and leaving by turns.
fn signals() -> impl Strategy<Value = Vec<Signal>> {
    let gap = prop_oneof![3 => Just(0_i64), 3 => 1..20_i64, 1 => 20..900_i64];
    prop::collection::vec((gap, 0..3_u8, 0..3_u8), 0..60).prop_map(|steps| {
        let (mut at, mut inside, mut last) = (START, BTreeSet::new(), BTreeMap::new());
        let mut signals = Vec::new();
        for (gap, segment, user) in steps {
            at += gap * MINUTE;
            // At most one a user, a segment and an instant.
            if last.insert((segment, user), at) == Some(at) {
                continue;
            }
            let movement = if inside.insert((segment, user)) {
                Movement::Entered
            } else {
                inside.remove(&(segment, user));
                Movement::Left
            };
            signals.push(Signal::new(
                format!("s{segment}"),
                format!("u{user}"),
                movement,
                Timestamp::from_millis(at),
            ));
        }
        signals
    })
}

/// A rule as it is after a restart.
fn restarted<R: Serialize + DeserializeOwned>(rule: &R, as_text: bool) -> R {
    if as_text {
        let text = serde_json::to_string(rule).expect("JSON");
        return serde_json::from_str(&text).expect("what was written");
    }
    // Of what comes next this format says nothing.
    let bytes = postcard::to_allocvec(rule).expect("bytes");
    postcard::from_bytes(&bytes).expect("what was written")
}

/// What a rule hands on; told that time has passed before the signals where `tells` says so, and before each of them what
/// `restart` makes of it.
fn run<R: Rule>(
    mut rule: R,
    signals: &[Signal],
    tells: impl Fn(usize) -> bool,
    restart: impl Fn(usize, R) -> R,
) -> Vec<Signal> {
    let mut out = Vec::new();
    for (i, signal) in signals.iter().enumerate() {
        rule = restart(i, rule);
        if tells(i) {
            out.extend(rule.pass(Timestamp::from_millis(signal.at.millis() - 1)));
        }
        out.extend(rule.take(signal.clone()));
    }
    while let Some(wake) = rule.wake() {
        assert_eq!(rule.pass(Timestamp::from_millis(wake.millis() - 1)), [], "before it is due");
        out.extend(rule.pass(wake));
        assert!(rule.wake().is_none_or(|next| next > wake), "woken twice at {wake}");
    }
    out
}

fn quiet(from: &str, until: &str) -> QuietHours {
    QuietHours::new(from.parse().expect("a time"), until.parse().expect("a time"))
}

/// What a rule hands on that is told of signals alone.
fn drive(rule: impl Rule, signals: &[Signal]) -> Vec<Signal> {
    run(rule, signals, |_| false, |_, rule| rule)
}

/// Whatever a rule does: in order of time, and users enter before they leave, by turns.
fn is_orderly(out: &[Signal]) -> Result<(), TestCaseError> {
    prop_assert!(out.is_sorted_by_key(|signal| signal.at), "{:?}", out);
    let mut inside = BTreeSet::new();
    for signal in out {
        let of = (&signal.segment, &signal.id);
        let changes =
            if signal.movement == Movement::Entered { inside.insert(of) } else { inside.remove(&of) };
        prop_assert!(changes, "{:?} changes nothing in {:?}", signal, out);
    }
    Ok(())
}

fn holds<R: Rule + Serialize + DeserializeOwned + Clone>(
    rule: R,
    signals: &[Signal],
) -> Result<Vec<Signal>, TestCaseError> {
    let out = drive(rule.clone(), signals);
    is_orderly(&out)?;
    let restart = |i: usize, rule: R| restarted(&rule, i.is_multiple_of(2));
    prop_assert_eq!(&run(rule.clone(), signals, |_| false, restart), &out, "restarts show");
    prop_assert_eq!(
        &run(rule, signals, |i| i % 2 == 0, |i, rule| if i % 3 == 0 { restart(i, rule) } else { rule }),
        &out,
        "it matters when time is told"
    );
    Ok(out)
}

fn entries(signals: &[Signal]) -> impl Iterator<Item = &Signal> {
    signals.iter().filter(|signal| signal.movement == Movement::Entered)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn once_is_once(signals in signals()) {
        let out = holds(Once::default(), &signals)?;
        let mut seen = BTreeSet::new();
        let first: Vec<&Signal> = entries(&signals).filter(|s| seen.insert((&s.segment, &s.id))).collect();
        prop_assert_eq!(entries(&out).collect::<Vec<_>>(), first);
    }

    #[test]
    fn entries_lie_a_period_apart(signals in signals()) {
        let out = holds(OncePer::new(minutes(30)), &signals)?;
        let mut last: BTreeMap<(&str, &str), Timestamp> = BTreeMap::new();
        for signal in entries(&signals) {
            let of = (signal.segment.as_str(), signal.id.as_str());
            let due = last.get(&of).is_none_or(|at| at.millis() + 30 * MINUTE <= signal.at.millis());
            prop_assert_eq!(out.contains(signal), due, "{:?}", signal);
            if due {
                last.insert(of, signal.at);
            }
        }
    }

    #[test]
    fn no_span_holds_more_entries_than_the_cap(signals in signals()) {
        let out = holds(FrequencyCap::new(2, minutes(30)), &signals)?;
        for signal in entries(&signals) {
            let since = signal.at.millis() - 30 * MINUTE;
            let in_span = |s: &&Signal| s.id == signal.id && since < s.at.millis() && s.at <= signal.at;
            let count = entries(&out).filter(in_span).count();
            prop_assert!(count <= 2 && (count == 2 || out.contains(signal)), "{:?}", signal);
        }
    }

    #[test]
    fn those_who_stay_enter_late_and_others_never(signals in signals()) {
        let out = holds(Dwell::new(minutes(10)), &signals)?;
        let mut expected = Vec::new();
        for (i, signal) in signals.iter().enumerate().filter(|(_, s)| s.movement == Movement::Entered) {
            let same = |s: &&Signal| s.segment == signal.segment && s.id == signal.id;
            let left = signals[i + 1..].iter().find(same);
            let due = Timestamp::from_millis(signal.at.millis() + 10 * MINUTE);
            if left.is_none_or(|left| left.at > due) {
                expected.push(Signal::new(&*signal.segment, &*signal.id, Movement::Entered, due));
                expected.extend(left.cloned());
            }
        }
        let mut sorted = out.clone();
        sorted.sort();
        expected.sort();
        prop_assert_eq!(sorted, expected);
    }

    #[test]
    fn those_who_are_back_too_soon_do_not_count(signals in signals()) {
        let out = holds(Reentry::after(minutes(10)), &signals)?;
        let mut left: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for signal in &signals {
            let of = (signal.segment.as_str(), signal.id.as_str());
            if signal.movement == Movement::Left {
                left.insert(of, signal.at.millis());
            } else {
                let admitted = left.get(&of).is_none_or(|at| at + 10 * MINUTE <= signal.at.millis());
                prop_assert_eq!(out.contains(signal), admitted, "{:?}", signal);
            }
        }
    }

    #[test]
    fn quiet_hours_defer_and_drop_nothing(signals in signals()) {
        let mut quiet = quiet("14:00", "16:00");
        quiet.set_zone("u1", Kiritimati); // fourteen hours ahead
        let out = holds(quiet, &signals)?;
        prop_assert_eq!(out.len(), signals.len());
        let of_day = |signal: &Signal| {
            let ahead = if signal.id == "u1" { 14 * 60 } else { 0 };
            (signal.at.millis() / MINUTE + ahead).rem_euclid(24 * 60)
        };
        prop_assert!(entries(&out).all(|signal| !(14 * 60..16 * 60).contains(&of_day(signal))));
        // Of each user in each segment, in the order in which it came.
        for signal in &signals {
            let same = |s: &&Signal| s.segment == signal.segment && s.id == signal.id;
            let movements = |of: &[Signal]| of.iter().filter(same).map(|s| s.movement).collect::<Vec<_>>();
            prop_assert_eq!(movements(&out), movements(&signals));
        }
    }

    #[test]
    fn nobody_is_told_of_at_the_end_of_the_night_who_has_left(signals in signals()) {
        let out = holds(quiet("14:00", "16:00").unless_left(), &signals)?;
        for entry in entries(&out) {
            let mut before = signals.iter().filter(|s| (&s.segment, &s.id) == (&entry.segment, &entry.id) && s.at < entry.at);
            let last = before.next_back().map(|signal| signal.movement);
            prop_assert!(last == Some(Movement::Entered) || signals.contains(entry), "{:?}", entry);
        }
        let last = |of: &[Signal]| -> BTreeMap<_, _> {
            of.iter().map(|s| ((s.segment.clone(), s.id.clone()), s.movement)).collect()
        };
        let is_in = |of: &[Signal]| last(of).into_iter().filter(|(_, m)| *m == Movement::Entered).collect::<Vec<_>>();
        prop_assert_eq!(is_in(&out), is_in(&signals));
    }

    #[test]
    fn exclusion_is_restarted_without_a_trace(signals in signals()) {
        let out = holds(LiveExclusion::new(["s1", "s0"], 1).expect("two campaigns"), &signals)?;
        // Of the campaigns a user is in one at most, after every instant.
        let mut inside: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (i, signal) in out.iter().enumerate().filter(|(_, s)| s.segment != "s2") {
            let of_user = inside.entry(&signal.id).or_default();
            if signal.movement == Movement::Entered { of_user.insert(&signal.segment); } else { of_user.remove(&*signal.segment); }
            prop_assert!(of_user.len() <= 1, "after {}: {:?}", i, out);
        }
    }

    /// A row that a configuration names is the same as one that is written.
    #[test]
    fn a_list_of_rules_is_a_row(signals in signals()) {
        let boxed: Vec<Box<dyn Rule>> = vec![
            Box::new(Dwell::new(minutes(5))),
            Box::new(quiet("14:00", "16:00").unless_left()),
            Box::new(FrequencyCap::new(2, hours(1))),
        ];
        let any: Vec<AnyRule> = vec![
            Dwell::new(minutes(5)).into(),
            quiet("14:00", "16:00").unless_left().into(),
            FrequencyCap::new(2, hours(1)).into(),
        ];
        let written = (Dwell::new(minutes(5)), (quiet("14:00", "16:00").unless_left(), FrequencyCap::new(2, hours(1))));
        let out = drive(written, &signals);
        prop_assert_eq!(&drive(boxed, &signals), &out);
        prop_assert_eq!(&holds(any, &signals)?, &out);
        prop_assert_eq!(drive(Vec::<Once>::new(), &signals), signals);
    }

    /// Rules in a row, driven as one would: what one hands on is the next one's, in order of time. So a row is a rule.
    #[test]
    fn rules_in_a_row_are_orderly(signals in signals()) {
        let row = || (Dwell::new(minutes(5)), (quiet("14:00", "16:00").unless_left(), FrequencyCap::new(2, hours(1))));
        let (mut dwell, (mut quiet, mut cap)) = row();
        let mut out = Vec::new();
        for signal in signals.iter().cloned() {
            for signal in dwell.take(signal) {
                for signal in quiet.take(signal) {
                    out.extend(cap.take(signal));
                }
            }
        }
        while let Some(wake) = dwell.wake().into_iter().chain(quiet.wake()).min() {
            for signal in dwell.pass(wake) {
                for signal in quiet.take(signal) {
                    out.extend(cap.take(signal));
                }
            }
            for signal in quiet.pass(wake) {
                out.extend(cap.take(signal));
            }
        }
        prop_assert_eq!(holds(row(), &signals)?, out);
    }
}

/// One who is known by another id from a signal on.
fn renamed(mut signal: Signal) -> Signal {
    if signal.id == "u0" {
        "u1".clone_into(&mut signal.id);
    }
    signal
}

/// What a rule hands on where `u0` is `u1` from some signal on, of whom nobody has heard before; told by ids of then.
fn merged_at<R: Rule>(mut rule: R, signals: &[Signal], place: usize) -> Vec<Signal> {
    let mut out = Vec::new();
    for (i, signal) in signals.iter().cloned().enumerate() {
        if i == place {
            out.extend(rule.merge("u0", "u1", signal.at));
        }
        out.extend(rule.take(if i < place { signal } else { renamed(signal) }));
    }
    while let Some(wake) = rule.wake() {
        out.extend(rule.pass(wake));
    }
    out
}

/// Merged or not, one user is the same to a rule.
fn follows_merges<R: Rule + Clone>(rule: &R, signals: &[Signal], place: usize) -> Result<(), TestCaseError> {
    let signals: Vec<Signal> = signals.iter().filter(|signal| signal.id != "u1").cloned().collect();
    let always: Vec<Signal> = signals.iter().cloned().map(renamed).collect();
    let place = place.checked_rem(signals.len()).unwrap_or(0);
    let out: Vec<Signal> = merged_at(rule.clone(), &signals, place).into_iter().map(renamed).collect();
    prop_assert_eq!(out, drive(rule.clone(), &always));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_is_merged_is_the_same_user(signals in signals(), place in 0..60_usize) {
        follows_merges(&Once::default(), &signals, place)?;
        follows_merges(&OncePer::new(minutes(30)), &signals, place)?;
        follows_merges(&Reentry::after(minutes(10)), &signals, place)?;
        follows_merges(&FrequencyCap::new(2, minutes(30)), &signals, place)?;
        follows_merges(&Dwell::new(minutes(10)), &signals, place)?;
        follows_merges(&quiet("14:00", "16:00"), &signals, place)?;
        follows_merges(&LiveExclusion::new(["s1", "s0"], 1).expect("two campaigns"), &signals, place)?;
        let row = (Dwell::new(minutes(5)), (quiet("14:00", "16:00").unless_left(), FrequencyCap::new(2, hours(1))));
        follows_merges(&row, &signals, place)?;
        follows_merges(&vec![OncePer::new(minutes(30)), OncePer::new(minutes(60))], &signals, place)?;
        let mut abroad = quiet("14:00", "16:00").unless_left();
        abroad.set_zone("u0", Kiritimati);
        let mut since = quiet("14:00", "16:00").unless_left();
        since.set_zone("u1", Kiritimati);
        let signals: Vec<Signal> = signals.into_iter().filter(|signal| signal.id != "u1").collect();
        let place = place.checked_rem(signals.len()).unwrap_or(0);
        let out: Vec<Signal> = merged_at(abroad, &signals, place).into_iter().map(renamed).collect();
        let always: Vec<Signal> = signals.into_iter().map(renamed).collect();
        prop_assert_eq!(out, drive(since, &always));
    }
}

/// Who is in which segment, as it has heard.
#[derive(Default)]
struct Ear {
    inside: BTreeSet<(String, String)>,
    /// Who ever was.
    ever: BTreeSet<(String, String)>,
    /// Whether someone came in for the second time.
    again: bool,
}

impl Rule for Ear {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        let of = (signal.segment.clone(), signal.id.clone());
        if signal.movement == Movement::Entered {
            self.again |= !self.ever.insert(of.clone());
            assert!(self.inside.insert(of), "was in: {signal:?}");
        } else {
            assert!(self.inside.remove(&of), "was not in: {signal:?}");
        }
        vec![signal]
    }

    fn forget(&mut self, _: &str) {}

    fn merge(&mut self, from: &str, into: &str, _: Timestamp) -> Vec<Signal> {
        for set in [&mut self.inside, &mut self.ever] {
            let renamed = |(segment, id)| (segment, if id == from { into.to_owned() } else { id });
            *set = std::mem::take(set).into_iter().map(renamed).collect();
        }
        Vec::new()
    }
}

/// A shop of which signals are wanted.
fn shop() -> Live {
    let mut catalog = Catalog::new();
    let segments: [(&str, Segment); 4] = [
        ("buyers", did("purchase").at_least(2).last(days(7)).into()),
        ("silent", !did("login").last(days(3))),
        ("tried", did("login").exactly(1).into()),
        ("fading", did("purchase") & !did("login").last(days(2))),
    ];
    for (name, segment) in segments {
        catalog.insert(name, segment).expect("a segment");
    }
    Live::new(catalog, MemoryStore::new(), Timestamp::from_millis(START)).expect("an engine")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// What an engine tells rules, also in batches, is who is in and who is not, with those who are merged as one.
    #[test]
    fn rules_follow_an_engine_through_merges(
        steps in prop::collection::vec((0..8_u8, 0..5_u8, 0..5_u8, 0..3_000_i64), 0..60), together in 1..5_usize,
    ) {
        let (mut live, mut ear, mut once) = (shop(), Ear::default(), (Once::default(), Ear::default()));
        let mut dwell = (Dwell::new(hours(9)), Ear::default());
        let mut night = (quiet("02:00", "22:00"), Ear::default());
        let mut unless_left = (quiet("02:00", "22:00").unless_left(), Ear::default());
        let mut caps = (FrequencyCap::new(2, days(1)), (Reentry::after(hours(9)), (OncePer::new(hours(9)), Ear::default())));
        let mut exclusion = (LiveExclusion::new(["silent", "buyers"], 1).expect("two campaigns"), Ear::default());
        let mut at = START;
        for steps in steps.chunks(together) {
            let mut feed = live.feed();
            for (kind, user, other, minutes) in steps {
                at += minutes * MINUTE;
                let (user, other) = (format!("u{user}"), format!("u{other}"));
                if *kind < 2 {
                    let _ = feed.merge(&user, &other); // refused where they are one
                } else {
                    let name = if *kind < 5 { "purchase" } else { "login" };
                    feed.record(Event::new(&*user, name, Timestamp::from_millis(at))).expect("an event");
                }
            }
            let fed = (feed.into_changes(), live.now());
            let passed = (live.advance(Timestamp::from_millis(at)).expect("an instant"), live.now());
            for (changes, now) in [fed, passed] {
                let rows: [&mut dyn Rule; 7] =
                    [&mut ear, &mut once, &mut dwell, &mut night, &mut unless_left, &mut caps, &mut exclusion];
                for row in rows {
                    let told = row.follow(&changes, now);
                    prop_assert!(told.is_sorted_by_key(|signal| signal.at), "{:?}", told);
                }
            }
            let mut members = BTreeSet::new();
            for segment in ["buyers", "silent", "tried", "fading"] {
                let users = live.members(segment).expect("a segment");
                let mut add = |_, id: &str| _ = members.insert((segment.to_owned(), id.to_owned()));
                let Ok(()) = live.snapshot().ids(&users, &mut add);
            }
            prop_assert_eq!(&ear.inside, &members);
            prop_assert!(!once.1.again, "entered twice");
        }
        let rows: [&mut dyn Rule; 3] = [&mut dwell, &mut night, &mut unless_left];
        rows.into_iter().for_each(|row| _ = row.pass(Timestamp::MAX));
        prop_assert_eq!([&dwell.1.inside, &night.1.inside, &unless_left.1.inside], [&ear.inside; 3]);
    }
}

/// Of what both have done counts what is stricter.
#[test]
fn what_both_have_done_counts_for_the_one_they_are() {
    let at = |minutes: i64| Timestamp::from_millis(START + minutes * MINUTE);
    let entered = |id: &str, minutes| Signal::new("s0", id, Movement::Entered, at(minutes));
    let left = |id: &str, minutes| Signal::new("s0", id, Movement::Left, at(minutes));
    let merged = |mut rule: Box<dyn Rule>, signals: &[Signal]| {
        signals.iter().for_each(|signal| _ = rule.take(signal.clone()));
        assert_eq!(rule.merge("u0", "u1", at(6)), []);
        rule
    };
    for (first, second) in [("u0", "u1"), ("u1", "u0")] {
        let both = [entered(first, 0), left(first, 1), entered(second, 5), left(second, 6)];
        let passes =
            |rule: Box<dyn Rule>, minutes| !merged(rule, &both).take(entered("u1", minutes)).is_empty();
        let cap = || Box::new(FrequencyCap::new(2, minutes(10)));
        assert_eq!([9, 10].map(|minutes| passes(cap(), minutes)), [false, true]);
        let once_per = || Box::new(OncePer::new(minutes(10)));
        assert_eq!([14, 15].map(|minutes| passes(once_per(), minutes)), [false, true]);
        let reentry = || Box::new(Reentry::after(minutes(10)));
        assert_eq!([15, 16].map(|minutes| passes(reentry(), minutes)), [false, true]);
        let mut dwell = merged(Box::new(Dwell::new(minutes(10))), &[entered(first, 0), entered(second, 5)]);
        assert_eq!((dwell.pass(at(99)), dwell.wake()), (vec![entered("u1", 10)], None));
        // from noon on nobody is disturbed: whoever is still in is told of, once
        let held = |signals: &[Signal]| merged(Box::new(quiet("12:00", "13:00")), signals).pass(at(60));
        assert_eq!(held(&[entered(first, 0), entered(second, 5)]), [entered("u1", 60)]);
        assert_eq!(held(&[entered(first, 0), left(first, 1), entered(second, 5)]), [entered("u1", 60)]);
        assert_eq!(held(&[entered(first, -1), entered(second, 5)]), []);
        // told before, and again, as its segment was replaced silently; then it left
        let left_since = held(&[entered(first, -1), entered(first, 1), left(first, 2)]);
        assert_eq!(left_since, [entered("u1", 60), left("u1", 60)]);
        assert_eq!(held(&[entered(first, -1), entered(first, 1), left(first, 2), entered(second, 5)]), []);
    }
}

/// What is remembered of a user is erased, and nothing of others.
fn forgets<R: Rule + Serialize + DeserializeOwned + Clone + PartialEq + std::fmt::Debug>(rule: &R) {
    let signal = |id: &str, movement, minutes: i64| {
        Signal::new("s0", id, movement, Timestamp::from_millis(START + minutes * MINUTE))
    };
    let (mut one, mut both) = (rule.clone(), rule.clone());
    for (movement, minutes) in [(Movement::Entered, 0), (Movement::Left, 30), (Movement::Entered, 31)] {
        one.take(signal("ada", movement, minutes));
        both.take(signal("bob", movement, minutes));
        both.take(signal("ada", movement, minutes));
    }
    both.forget("bob");
    assert!(!serde_json::to_string(&both).expect("JSON").contains("bob"), "{both:?}");
    assert_eq!(both, one);
    both.forget("ada");
    both.pass(Timestamp::from_millis(START + 9_000 * MINUTE));
    assert_eq!(both, *rule, "as if nobody had been");
}

#[test]
fn those_who_are_erased_are_forgotten() {
    forgets(&Once::default());
    forgets(&OncePer::new(hours(3)));
    forgets(&Reentry::after(hours(3)));
    forgets(&Dwell::new(hours(3)));
    forgets(&FrequencyCap::new(2, hours(3)));
    forgets(&quiet("08:00", "20:00"));
    let mut abroad = quiet("08:00", "20:00");
    abroad.set_zone("bob", Kiritimati);
    abroad.forget("bob");
    assert_eq!(abroad, quiet("08:00", "20:00"));
    forgets(&(Once::default(), quiet("08:00", "20:00").unless_left()));
    forgets(&LiveExclusion::new(["s0", "s1"], 1).expect("campaigns"));
}

/// As the docs write them.
#[test]
fn a_configuration_names_rules_by_what_they_are_made_from() {
    let text = r#"[
        {"once": {}}, {"once_per": {"period": "30d"}}, {"reentry": {"after": "7d"}},
        {"frequency_cap": {"most": 1, "per": "2d"}}, {"dwell": {"least": "1h"}},
        {"quiet_hours": {"from": "22:00", "until": "08:00"}},
        {"quiet_hours": {"from": "22:00", "until": "08:00", "unless_left": true}},
        {"live_exclusion": {"campaigns": ["high", "low"], "per_user": 1}}
    ]"#;
    let row: Vec<AnyRule> = serde_json::from_str(text).expect("rules");
    let made: [AnyRule; 8] = [
        Once::default().into(),
        OncePer::new(days(30)).into(),
        Reentry::after(days(7)).into(),
        FrequencyCap::new(1, days(2)).into(),
        Dwell::new(hours(1)).into(),
        quiet("22:00", "08:00").into(),
        quiet("22:00", "08:00").unless_left().into(),
        LiveExclusion::new(["high", "low"], 1).expect("two campaigns").into(),
    ];
    assert_eq!(row, made);
}

#[test]
fn any_span_is_kept() {
    fn kept<R: Rule + Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(rule: &R) {
        let text = serde_json::to_string(rule).expect("JSON");
        assert_eq!(&serde_json::from_str::<R>(&text).expect("what was written"), rule);
    }
    for span in [minutes(0), days(u32::MAX), years(20_000)] {
        kept(&OncePer::new(span));
        kept(&Reentry::after(span));
        kept(&FrequencyCap::new(1, span));
        let mut dwell = Dwell::new(span);
        dwell.take(Signal::new("s0", "ada", Movement::Entered, Timestamp::from_millis(START)));
        kept(&dwell);
    }
}

/// What a rule remembers is read from where it was kept, or from a configuration; it may say anything, and no rule panics.
#[test]
fn damaged_rules_are_refused_or_do_not_panic() {
    for (rule, expected) in [
        (r#"{"quiet_hours": {"from": "24:00", "until": "08:00"}}"#, "\"24:00\" is no time of day"),
        (r#"{"quiet_hours": {"from": "22:00", "until": "soon"}}"#, "\"soon\" is no time of day"),
        (
            r#"{"quiet_hours": {"from": "22:00", "until": "08:00", "unless_lef": true}}"#,
            "unknown field `unless_lef`",
        ),
        (r#"{"once": {"per": "7d"}}"#, "unknown field `per`"),
        (r#"{"live_exclusion": {"campaigns": ["a"], "per_user": 0}}"#, "nonzero"),
        (r#"{"live_exclusion": {"campaigns": ["a", "b", "a"], "per_user": 1}}"#, "\"a\""),
        (r#"{"dwell": {"least": "soon"}}"#, "\"soon\" is not a span"),
        (r#"{"once_per": {}}"#, "period"),
    ] {
        let error = serde_json::from_str::<AnyRule>(rule).expect_err("damaged").to_string();
        assert!(error.contains(expected), "{error}");
    }
    let at: Timestamp = "2026-06-15T12:00:00Z".parse().expect("an instant");
    let mut dwell = Dwell::new(days(1));
    assert!(dwell.take(Signal::new("s", "ada", Movement::Entered, at)).is_empty());
    let text = serde_json::to_string(&dwell).expect("JSON");
    let damaged = text.replace(r#"{"0":{"#, r#"{"18446744073709551615":{"#);
    assert_ne!(text, damaged);
    let mut dwell: Dwell = serde_json::from_str(&damaged).expect("a dwell");
    assert!(dwell.take(Signal::new("s", "bob", Movement::Entered, at)).is_empty());
}
