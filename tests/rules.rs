//! Entry rules as what automations rely on: pure over signals, the same after every restart, exact at their edges.

#![allow(clippy::expect_used)] // a test that cannot be set up fails

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Pacific::Kiritimati;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use whodid::live::rules::{
    Dwell, FrequencyCap, LiveExclusion, Once, OncePer, QuietHours, Reentry, Rule, Signal,
};
use whodid::{Movement, Timestamp, days, hours, minutes, years};

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
        let written = (Dwell::new(minutes(5)), (quiet("14:00", "16:00").unless_left(), FrequencyCap::new(2, hours(1))));
        prop_assert_eq!(drive(boxed, &signals), drive(written, &signals));
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

/// What a rule remembers is read from where it was kept; damaged, it may say anything, and no rule panics.
#[test]
fn damaged_rules_do_not_panic() {
    let at: Timestamp = "2026-06-15T12:00:00Z".parse().expect("an instant");
    let entered = Signal::new("s", "ada", Movement::Entered, at);
    for (from, until) in [(100_000, 200_000), (1_441, u32::MAX), (u32::MAX, 0)] {
        let text = format!(r#"{{"from":{from},"until":{until},"held":{{}},"ends":{{}}}}"#);
        let mut quiet: QuietHours = serde_json::from_str(&text).expect("quiet hours");
        let mut told = quiet.take(entered.clone());
        told.extend(quiet.pass(at.plus(days(2))));
        assert_eq!(told.len(), 1, "from {from} until {until}");
    }
    let mut dwell = Dwell::new(days(1));
    assert!(dwell.take(entered).is_empty());
    let text = serde_json::to_string(&dwell).expect("JSON");
    let damaged = text.replace(r#"{"0":{"#, r#"{"18446744073709551615":{"#);
    assert_ne!(text, damaged);
    let mut dwell: Dwell = serde_json::from_str(&damaged).expect("a dwell");
    assert!(dwell.take(Signal::new("s", "bob", Movement::Entered, at)).is_empty());
}
