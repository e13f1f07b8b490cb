//! The live engine: membership as if evaluated anew at every step, and transitions exactly where membership
//! differs from one millisecond to the next.

#![allow(clippy::expect_used)] // a test that cannot be set up fails

#[path = "live/cases.rs"]
mod cases;
#[path = "live/feed.rs"]
mod feed;
#[path = "live/instants.rs"]
mod instants;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use whodid::oracle::{Named, Oracle};
use whodid::segment::Segment;
use whodid::testing::{Change, Evaluator, catalog, facts, named, segments, take};
use whodid::{
    Announce, Changes, Evaluate, Event, Live, MemoryStore, Movement, Plan, Saved, Timestamp, Transition,
    days, did, minutes,
};

use cases::cases;
use feed::feed;
use instants::Instants;

/// What happens to an engine.
#[allow(clippy::large_enum_variant)] // a run has few of them
#[derive(Clone, Debug)]
enum Step {
    Take(Change),
    Advance(Timestamp),
    Insert(usize, Segment, Announce),
    Remove(usize),
    InsertList(BTreeSet<String>),
    Restart,
}

/// A segment's name, and the ids in it.
type Members = BTreeMap<String, BTreeSet<String>>;
/// Segment, user, movement, instant.
type Reported = BTreeSet<(String, String, Movement, Timestamp)>;

/// Longer stretches of time are not searched for every instant of change, only compared at their end.
const SEARCHED: i64 = 100 * 86_400_000;

/// The engine beside the same facts without it.
struct Run {
    live: Live,
    plain: MemoryStore,
    oracle: Oracle,
    named: Named,
    plan: Plan,
    instants: Instants,
    sequence: u64,
    taken: Vec<Change>,
}

impl Run {
    fn new(named: Named, before: &[Change], now: Timestamp, seal: usize) -> Option<Self> {
        let catalog = catalog(&named);
        let plan = catalog.plan().ok()?;
        let mut store = MemoryStore::new().seal_after(seal);
        let (mut plain, mut oracle) = (MemoryStore::new(), Oracle::new());
        for fact in before {
            let taken = take(&mut store, fact.clone());
            assert_eq!(taken, take(&mut plain, fact.clone()));
            assert_eq!(taken.is_ok(), oracle.take(fact.clone()).is_ok());
        }
        let mut instants = Instants::of(&named);
        before.iter().for_each(|fact| instants.add(fact));
        let live = Live::new(catalog, store, now).expect("a valid catalog");
        let run = Self { live, plain, oracle, named, plan, instants, sequence: 0, taken: before.to_vec() };
        run.is_exact();
        Some(run)
    }

    /// Membership of every segment by evaluation.
    fn evaluate(&self, at: Timestamp) -> Members {
        let snapshot = self.plain.snapshot();
        let answers = snapshot.evaluate(&self.plan, at).expect("a valid plan");
        answers.iter().map(|(name, members)| (name.to_owned(), members.ids().collect())).collect()
    }

    /// Membership is that of the evaluator, and of the oracle.
    fn is_exact(&self) {
        let now = self.live.now();
        let expected = self.evaluate(now);
        let snapshot = self.plain.snapshot();
        let all = snapshot.evaluate(&self.plan, now).expect("a valid plan");
        for (name, members) in &expected {
            let kept = self.live.members(name).expect("a segment");
            assert_eq!(Some(&kept), all.get(name).map(|m| m.bitmap()), "{name} at {now}");
            let segment = &self.named.segments[name];
            let of_oracle = self.oracle.members(segment, &self.named, now).expect("an answer");
            assert_eq!(*members, of_oracle, "{name} at {now}");
        }
        for id in self.evaluate_everyone(now) {
            let of_user: Vec<_> = expected.iter().filter(|(_, members)| members.contains(&id)).collect();
            let mut told = self.live.segments_of(&id);
            told.sort_unstable();
            assert!(
                told.iter().map(|name| &**name).eq(of_user.iter().map(|(name, _)| name.as_str())),
                "{id}: {told:?}"
            );
        }
        assert!(self.live.segments_of("nobody").is_empty());
    }

    fn evaluate_everyone(&self, at: Timestamp) -> BTreeSet<String> {
        let snapshot = self.plain.snapshot();
        snapshot.everyone(at).expect("an instant").ids().collect()
    }

    fn step(&mut self, step: &Step) {
        let (before, members) = (self.live.now(), self.evaluate(self.live.now()));
        let wake = self.live.next_change();
        match step {
            Step::Advance(to) => {
                let changes = self.live.advance(*to).expect("an instant");
                let first = changes.first().map(|change| change.at);
                assert!(
                    first.is_none() || wake.is_some() && wake <= first,
                    "woke at {wake:?}, not {first:?}"
                );
                self.passed(before, members, &changes);
            }
            Step::Take(change) => self.take(change, members),
            Step::Insert(place, segment, announce) => {
                let name = format!("s{place}");
                let mut named = self.named.clone();
                named.segments.insert(name.clone(), segment.clone());
                let changes = self.live.insert(name, segment.clone(), *announce).ok();
                self.edited(named, &members, changes, *announce);
            }
            Step::Remove(place) => {
                let name = format!("s{place}");
                let mut named = self.named.clone();
                named.segments.remove(&name);
                let changes = self.live.remove(&name, Announce::Transitions).ok();
                self.edited(named, &members, changes, Announce::Transitions);
            }
            Step::InsertList(ids) => {
                let mut named = self.named.clone();
                named.lists.insert("vip".to_owned(), ids.clone());
                let changes = self.live.insert_list("vip", ids.iter(), Announce::Transitions).ok();
                self.edited(named, &members, changes, Announce::Transitions);
            }
            Step::Restart => self.restart(),
        }
        self.is_exact();
    }

    /// What time has passed for is told first, then what comes late.
    fn take(&mut self, change: &Change, members: Members) {
        let before = self.live.now();
        self.taken.push(change.clone());
        let changes = feed(&mut self.live, change.clone());
        let now = self.live.now();
        let (passed, late) = match &changes {
            Ok(changes) => changes.split_at(changes.partition_point(|change| !change.late)),
            Err(_) => Default::default(),
        };
        self.passed(before, members, passed);
        let members = self.evaluate(now);
        let taken = take(&mut self.plain, change.clone());
        assert_eq!(taken.is_ok(), changes.is_ok(), "{change:?}");
        assert_eq!(taken.is_ok(), self.oracle.take(change.clone()).is_ok(), "{change:?}");
        self.instants.add(change);
        let expected = differences(&members, &self.evaluate(now), now);
        assert!(late.iter().all(|change| change.late));
        assert_eq!(self.reported(late), expected, "late {change:?}");
    }

    /// The catalog is another.
    fn edited(&mut self, named: Named, before: &Members, changes: Option<Changes>, announce: Announce) {
        let plan = catalog(&named).plan();
        assert_eq!(plan.is_ok(), changes.is_some(), "{plan:?}");
        let (Ok(plan), Some(changes)) = (plan, changes) else { return };
        self.instants.read_all(&named);
        (self.plan, self.named) = (plan, named);
        let now = self.live.now();
        let expected = match announce {
            Announce::Transitions => differences(before, &self.evaluate(now), now),
            Announce::Silently => Reported::new(),
        };
        assert_eq!(self.reported(&changes), expected);
    }

    /// The process ends and begins anew, with the same facts.
    fn restart(&mut self) {
        let text = serde_json::to_string(&self.live.save()).expect("JSON");
        let saved: Saved = serde_json::from_str(&text).expect("JSON");
        let mut store = MemoryStore::new();
        for fact in &self.taken {
            // Some were refused before as well.
            let _taken = take(&mut store, fact.clone());
        }
        let (live, changes) = Live::restore(&saved, store).expect("what was saved");
        assert_eq!((changes.len(), live.sequence()), (0, self.sequence));
        assert_eq!((live.now(), live.catalog()), (self.live.now(), self.live.catalog()));
        self.live = live;
    }

    /// Time passed, and every change on the way was reported at its instant.
    fn passed(&mut self, from: Timestamp, mut members: Members, changes: &[Transition]) {
        assert!(changes.iter().all(|change| !change.late));
        assert!(changes.is_sorted_by_key(|change| change.at));
        let mut expected = Reported::new();
        if self.live.now().millis() - from.millis() > SEARCHED {
            self.reported(changes);
            return;
        }
        for at in self.instants.between(from, self.live.now()) {
            let just_before = self.evaluate(Timestamp::from_millis(at.millis() - 1));
            assert_eq!(members, just_before, "the test overlooked an instant before {at}");
            let now = self.evaluate(at);
            expected.extend(differences(&members, &now, at));
            members = now;
        }
        assert_eq!(members, self.evaluate(self.live.now()), "the test overlooked an instant");
        assert_eq!(self.reported(changes), expected, "from {from} to {}", self.live.now());
    }

    fn reported(&mut self, changes: &[Transition]) -> Reported {
        for change in changes {
            self.sequence += 1;
            assert_eq!(change.sequence, self.sequence);
        }
        let tuple = |c: &Transition| (c.segment.to_string(), c.id.to_string(), c.movement, c.at);
        let reported: Reported = changes.iter().map(tuple).collect();
        assert_eq!(reported.len(), changes.len(), "one transition twice");
        reported
    }
}

fn differences(before: &Members, after: &Members, at: Timestamp) -> Reported {
    let mut out = Reported::new();
    let none = BTreeSet::new();
    for name in before.keys().chain(after.keys()) {
        let [then, now] = [before, after].map(|members| members.get(name).unwrap_or(&none));
        out.extend(now.difference(then).map(|id| (name.clone(), id.clone(), Movement::Entered, at)));
        out.extend(then.difference(now).map(|id| (name.clone(), id.clone(), Movement::Left, at)));
    }
    out
}

/// A change of the catalog, or of the process.
fn edits() -> impl Strategy<Value = Step> {
    let announce = prop_oneof![3 => Just(Announce::Transitions), 1 => Just(Announce::Silently)];
    prop_oneof![
        (0..4_usize, segments(&["s0", "s1", "s2", "s3"]), announce)
            .prop_map(|(place, segment, announce)| Step::Insert(place, segment, announce)),
        (0..4_usize).prop_map(Step::Remove),
        prop::collection::btree_set(prop::sample::select(vec!["u0", "u1", "u3", "anon"]), 0..3)
            .prop_map(|ids| Step::InsertList(ids.into_iter().map(str::to_owned).collect())),
        Just(Step::Restart),
    ]
}

/// Facts mostly in order of time, some late, with time passing in between.
fn steps() -> impl Strategy<Value = (Vec<Change>, Timestamp, Vec<Step>)> {
    let places = prop::collection::vec((any::<prop::sample::Index>(), 0..6u8, 1..400_000_000_i64), 60);
    let edits = prop::collection::vec(edits(), 0..4);
    (facts(), any::<prop::sample::Index>(), places, edits).prop_map(|(mut facts, start, places, edits)| {
        facts.sort_by_key(|fact| fact.at().map(|at| at.millis() / 86_400_000));
        // A few are moved, so that they come late, or early.
        for (i, (place, moved, _)) in places.iter().enumerate().take(facts.len()) {
            if *moved == 0 {
                let to = place.index(facts.len());
                facts.swap(i, to);
            }
        }
        let start = start.index(facts.len() + 1);
        let rest = facts.split_off(start);
        let at = rest.iter().find_map(Change::at).unwrap_or(Timestamp::from_millis(1_781_524_800_000));
        let now = Timestamp::from_millis(at.millis() - places[0].2).clamp(Timestamp::MIN, Timestamp::MAX);
        let mut steps = Vec::new();
        let mut reached = now;
        for (fact, (_, kind, by)) in rest.into_iter().zip(&places) {
            reached = reached.max(fact.at().unwrap_or(reached));
            steps.push(Step::Take(fact));
            match kind {
                1 => steps.push(Step::Advance(reached)),
                2 | 3 => steps.push(Step::Advance(Timestamp::from_millis(reached.millis() + by))),
                _ => {}
            }
        }
        let last = Timestamp::from_millis(reached.millis() + places[1].2);
        for (edit, (place, ..)) in edits.into_iter().zip(&places) {
            steps.insert(place.index(steps.len() + 1), edit);
        }
        steps.push(Step::Advance(last.min(Timestamp::MAX)));
        (facts, now, steps)
    })
}

/// A user, a name, how long after the one before, and what happens instead of an event on time.
fn event() -> impl Strategy<Value = (u8, &'static str, i64, u8)> {
    let gap = prop_oneof![
        2 => Just(0_i64),
        1 => Just(1),
        4 => 1..600_000_i64,
        4 => 1..20_000_000_i64,
        1 => Just(86_400_000),
        1 => 1..200_000_000_i64,
    ];
    // Half of the events are of one user, so that it has more than are counted one by one.
    let user = prop_oneof![Just(0_u8), 0..5_u8];
    (user, prop::sample::select(vec!["a", "a", "a", "b", "c"]), gap, 0..100_u8)
}

/// Segments over numbers of events, and of days with events.
fn counted() -> impl Strategy<Value = Named> {
    let spans = prop::sample::select(vec!["1h", "6h", "1d", "2d", "3d", "10d", "1mo"]);
    let events = prop::sample::select(vec!["\"a\"", "\"b\"", "\"*\"", "[\"a\",\"b\"]"]);
    let range = prop_oneof![
        (0..20_u8).prop_map(|n| format!("\"at_least\":{n}")),
        (0..17_u8).prop_map(|n| format!("\"at_most\":{n}")),
        (0..17_u8).prop_map(|n| format!("\"exactly\":{n}")),
        (1..9_u8, 0..9_u8).prop_map(|(n, more)| format!("\"between\":[{n},{}]", n + more)),
    ];
    let unit = prop::sample::select(vec!["hour", "day", "day", "day", "week"]);
    let zone = prop::sample::select(vec!["UTC", "Europe/Berlin"]);
    let measure = prop_oneof![
        2 => range.clone().prop_map(|range| format!("\"times\":{{{range}}}")),
        1 => (unit, zone, range).prop_map(|(unit, tz, range)| {
            format!("\"active\":{{\"unit\":\"{unit}\",\"tz\":\"{tz}\",{range}}}")
        }),
    ];
    let leaf = (events, spans, measure, 0..8_u8).prop_map(|(events, span, measure, ever)| {
        let window = if ever == 0 { String::new() } else { format!("\"in\":{{\"last\":\"{span}\"}},") };
        format!("{{\"did\":{{\"event\":{events},{window}{measure}}}}}")
    });
    let segment = prop::collection::vec((leaf, any::<bool>()), 1..3).prop_map(|leaves| {
        let written = |(leaf, not): (String, bool)| if not { format!("{{\"not\":{leaf}}}") } else { leaf };
        let all: Vec<String> = leaves.into_iter().map(written).collect();
        Segment::from_json(&format!("{{\"all\":[{}]}}", all.join(","))).ok()
    });
    // Few, so that what is kept of each user is kept whole; or many, so that it is not.
    let count = prop_oneof![4 => Just(6_usize), 1 => Just(40)];
    let segments = count.prop_flat_map(move |count| prop::collection::vec(segment.clone(), count));
    segments.prop_map(|segments| {
        let segments = segments.into_iter().flatten();
        let named = (0..).zip(segments).map(|(i, segment): (u8, _)| (format!("s{i}"), segment)).collect();
        Named { segments: named, lists: BTreeMap::new() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(48), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn membership_and_transitions_are_exact(
        (before, now, steps) in steps(), named in named(), seal in prop::sample::select(vec![2, 5, 1_000]),
    ) {
        let Some(mut run) = Run::new(named, &before, now, seal) else { return Ok(()) };
        for step in steps.iter().filter(|step| !matches!(step, Step::Advance(to) if !to.in_range())) {
            run.step(step);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(12), failure_persistence: None, ..ProptestConfig::default() })]

    /// Many events of few users, counted in windows that overlap: long enough that each way of getting a count wrong
    /// shows. It fails when late facts that a cursor has passed are not put in, when each late fact is taken for the
    /// first of its day, when crossings of one instant are told once, when the first event of a unit crosses instead of
    /// the last, and when what is beyond a tally is lost.
    #[test]
    fn long_streams_are_counted_exactly(
        events in prop::collection::vec(event(), 80..160), counted in counted(), seal in 3..60_usize,
    ) {
        let start: Timestamp = "2026-03-27T12:00:00Z".parse().expect("an instant");
        let Some(mut run) = Run::new(counted, &[], start, seal) else { return Ok(()) };
        let mut reached = start.millis();
        for (user, name, gap, what) in events {
            reached += gap;
            let at = match what {
                0..3 => reached - i64::from(what) * 7_000_000_i64.saturating_mul(1 + gap % 40),
                _ => reached,
            };
            let user = format!("u{user}");
            let step = match what {
                98 => Step::Take(Change::Merge { from: user, into: format!("u{}", gap % 5) }),
                97 => Step::Take(Change::Forget { user }),
                96 => Step::Take(Change::Retain {
                    since: Timestamp::from_millis(reached - 200_000_000),
                    events: vec![whodid::segment::EventPattern::from("a")],
                }),
                90..96 => Step::Advance(Timestamp::from_millis(reached)),
                _ => Step::Take(Change::Event(Event::new(user, name, Timestamp::from_millis(at)))),
            };
            run.step(&step);
        }
        run.step(&Step::Advance(Timestamp::from_millis(reached + 90_000_000)));
        run.step(&Step::Advance(Timestamp::from_millis(reached + 40 * 86_400_000)));
    }
}

/// What an instant has begun to change is told before what erasing a user in the midst of it does.
#[test]
fn one_is_erased_while_an_instant_is_under_way() {
    let segments = BTreeMap::from([("buyers".to_owned(), did("purchase").into())]);
    let start: Timestamp = "2026-06-01T00:00:00Z".parse().expect("an instant");
    let event = |id: &str, after| Change::Event(Event::new(id, "purchase", start.plus(minutes(after))));
    let mut run = Run::new(Named { segments, lists: BTreeMap::new() }, &[], start, 1_000).expect("a catalog");
    for id in ["ada", "bob", "cy", "dee", "eve", "flo"] {
        run.step(&Step::Take(event(id, 1)));
    }
    run.step(&Step::Take(event("ada", 2)));
    assert!(run.live.now() < start.plus(minutes(1)), "not under way");
    run.step(&Step::Take(Change::Forget { user: "flo".to_owned() }));
    assert_eq!(run.live.count("buyers"), Some(5));
}

/// A day that the window cuts holds for a late fact inside, though the user had a fact of that day already, before the
/// window; and once only.
#[test]
fn a_late_fact_of_a_day_that_the_window_cuts_counts() {
    let segment = did("*").active_days().at_least(2).last(days(3));
    let segments = BTreeMap::from([("regulars".to_owned(), segment.into())]);
    let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
    let event = |text: &str| Change::Event(Event::new("ada", "login", at(text)));
    let start = at("2026-06-01T00:00:00Z");
    let mut run = Run::new(Named { segments, lists: BTreeMap::new() }, &[], start, 1_000).expect("a catalog");
    for fact in ["2026-06-01T06:00:00Z", "2026-06-04T11:00:00Z"] {
        run.step(&Step::Take(event(fact)));
    }
    run.step(&Step::Advance(at("2026-06-04T12:00:00Z")));
    assert_eq!(run.live.is_member("ada", "regulars"), Some(false));
    for fact in ["2026-06-01T13:00:00Z", "2026-06-01T14:00:00Z"] {
        run.step(&Step::Take(event(fact)));
        assert_eq!(run.live.is_member("ada", "regulars"), Some(true));
    }
    run.step(&Step::Advance(at("2026-06-04T14:00:00Z")));
    assert_eq!(run.live.is_member("ada", "regulars"), Some(false));
}

#[test]
fn what_a_segment_names_is_not_taken_out() {
    let start: Timestamp = "2026-06-01T00:00:00Z".parse().expect("an instant");
    let mut catalog = whodid::Catalog::new();
    catalog.insert_list("vip", ["ada"]).expect("a list");
    catalog.insert("buyers", did("purchase")).expect("a segment");
    catalog.insert("both", whodid::segment("buyers") & whodid::list("vip")).expect("a segment");
    let mut live = Live::new(catalog, MemoryStore::new(), start).expect("an engine");
    let of_segment = live.remove("buyers", Announce::Transitions).expect_err("in use");
    let of_list = live.remove_list("vip", Announce::Transitions).expect_err("in use");
    let said = [of_segment, of_list].map(|error| error.to_string());
    let expected = [
        r#"the segment "buyers" is in use: segments.both.all[0].segment names it"#,
        r#"the list "vip" is in use: segments.both.all[1].list names it"#,
    ];
    assert_eq!(said, expected);
    let unknown = live.insert("more", whodid::segment("nope"), Announce::Transitions).expect_err("unknown");
    assert_eq!(unknown.to_string(), r#"segments.more.segment: there is no segment "nope""#);
    assert_eq!((live.catalog().segments().count(), live.is_member("ada", "nope")), (2, None));
    assert!(
        live.remove("both", Announce::Transitions).is_ok()
            && live.remove("buyers", Announce::Transitions).is_ok()
            && live.remove_list("vip", Announce::Transitions).is_ok()
    );
    assert_eq!((live.catalog().segments().len(), live.catalog().lists().len()), (0, 0));
}
