//! Quiet hours in the user's own time zone.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::remembered::{Each, Inside, forget, get, remove, set};
use super::{Rule, Signal, just_before, take_due};
use crate::plan::{ScalarRef, ValueRef, value_at};
use crate::store::{Among, EventStore, Snapshot};
use crate::time::Timestamp;

const MINUTE: i64 = 60_000;
const DAY_MINUTES: u32 = 24 * 60;

/// Holds entries back during the quiet hours of the user's own time zone, until they end. Nothing is dropped:
/// one who leaves meanwhile is heard of after its entry, at the same instant; or of neither, with
/// [`QuietHours::unless_left`]. A cap stands behind, so that it counts what is sent.
///
/// Everyone lives in UTC of whom it was not told otherwise by [`QuietHours::set_zone`], for instance by what [`zone_of`]
/// finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// Minutes of the day.
    #[serde(with = "time_of_day")]
    from: u32,
    #[serde(with = "time_of_day")]
    until: u32,
    /// Who has left is not to be heard of.
    #[serde(default)]
    unless_left: bool,
    /// Whose entry has been handed on.
    #[serde(default)]
    inside: Inside,
    /// What is held back, by the instant at which it is handed on, in the order in which it came.
    #[serde(default)]
    held: BTreeMap<Timestamp, Vec<Signal>>,
    /// That instant, of each user in each segment.
    #[serde(default)]
    ends: Each<Timestamp>,
    /// Of users who do not live in UTC.
    #[serde(default)]
    zones: BTreeMap<String, Tz>,
}

impl QuietHours {
    /// From a time of the local day until another, which may be of the next day: `("22:00".parse()?, "08:00".parse()?)` is
    /// ten in the evening until eight in the morning. Whole minutes count; from one until the same, no minute is quiet.
    pub fn new(from: NaiveTime, until: NaiveTime) -> Self {
        let minute = |time: NaiveTime| time.hour() * 60 + time.minute();
        Self {
            from: minute(from),
            until: minute(until),
            unless_left: false,
            inside: Inside::default(),
            held: BTreeMap::new(),
            ends: Each::default(),
            zones: BTreeMap::new(),
        }
    }

    /// Drops the entry of one who leaves before the quiet hours end, and that leaving: in the morning nobody hears of what
    /// is no longer so.
    ///
    /// ```
    /// use whodid::live::rules::{QuietHours, Rule, Signal};
    /// use whodid::{Movement, Timestamp, hours};
    ///
    /// let midnight: Timestamp = "2026-06-15T00:00:00Z".parse()?;
    /// let mut quiet = QuietHours::new("22:00".parse()?, "08:00".parse()?).unless_left();
    /// quiet.take(Signal::new("cart_abandoned", "ada", Movement::Entered, midnight));
    /// quiet.take(Signal::new("cart_abandoned", "ada", Movement::Left, midnight.plus(hours(2)))); // bought at two
    /// assert_eq!(quiet.pass(midnight.plus(hours(8))), []);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn unless_left(mut self) -> Self {
        self.unless_left = true;
        self
    }

    /// A user lives in a zone from now on. An entry that is held back waits for the end that it has been given.
    ///
    /// In a row each rule is a field, so that this one is told wherever it stands.
    ///
    /// ```
    /// use chrono_tz::Europe::Berlin;
    /// use whodid::live::rules::{Once, QuietHours, Rule, Signal};
    /// use whodid::{Movement, Timestamp, hours};
    ///
    /// let evening: Timestamp = "2026-06-15T21:00:00Z".parse()?; // eleven in Berlin
    /// let mut row = (Once::default(), QuietHours::new("22:00".parse()?, "08:00".parse()?));
    /// row.1.set_zone("ada", Berlin);
    /// assert_eq!(row.take(Signal::new("fading", "ada", Movement::Entered, evening)), []);
    /// assert_eq!(row.wake(), Some(evening.plus(hours(9))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_zone(&mut self, id: impl Into<String>, zone: Tz) {
        let id = id.into();
        if zone == Tz::UTC {
            self.zones.remove(&id);
        } else {
            self.zones.insert(id, zone);
        }
    }

    /// Whether an instant is quiet, and in how many minutes of the local clock that ends.
    fn quiet_for(&self, at: i64, zone: Tz) -> Option<u32> {
        let local = DateTime::from_timestamp_millis(at)?.with_timezone(&zone);
        let since = |from: u32, minute: u32| (minute + DAY_MINUTES - from) % DAY_MINUTES;
        let minute = local.hour() * 60 + local.minute();
        let (passed, whole) = (since(self.from, minute), since(self.from, self.until));
        (passed < whole).then(|| whole - passed)
    }

    /// When the quiet hours end that an instant lies in; clocks change on whole minutes.
    fn end_of_quiet(&self, at: Timestamp, zone: Tz) -> Option<Timestamp> {
        let minutes = self.quiet_for(at.millis(), zone)?;
        let minute = at.millis() - at.millis().rem_euclid(MINUTE);
        let after = |minutes: u32| minute + i64::from(minutes) * MINUTE;
        // Where the clock is not changed it ends then, and is quiet the minute before.
        let as_told =
            |end: &i64| self.quiet_for(*end, zone).is_none() && self.quiet_for(end - MINUTE, zone) == Some(1);
        let end = Some(after(minutes)).filter(as_told);
        let end =
            end.or_else(|| (1..2 * DAY_MINUTES).map(after).find(|at| self.quiet_for(*at, zone).is_none()))?;
        Some(Timestamp::from_millis(end).min(Timestamp::MAX))
    }
}

impl Rule for QuietHours {
    fn take(&mut self, signal: Signal) -> Vec<Signal> {
        let mut ready = self.pass(signal.at);
        let waits = get(&self.ends, &signal).copied();
        if self.unless_left && !signal.is_entry() {
            // What is held without an end is not handed on.
            remove(&mut self.ends, &signal);
            if self.inside.leave(&signal) || waits.is_none() {
                ready.push(signal);
            }
            return ready;
        }
        let zone = self.zones.get(&signal.id).copied().unwrap_or(Tz::UTC);
        let quiet = if signal.is_entry() { self.end_of_quiet(signal.at, zone) } else { None };
        match waits.max(quiet) {
            Some(end) => {
                set(&mut self.ends, &signal, end);
                self.held.entry(end).or_default().push(Signal { at: end, ..signal });
            }
            None => {
                self.inside.follow(&signal);
                ready.push(signal);
            }
        }
        ready
    }

    fn pass(&mut self, to: Timestamp) -> Vec<Signal> {
        let mut ready: Vec<Signal> = take_due(&mut self.held, to).into_values().flatten().collect();
        if !self.unless_left {
            for signal in &ready {
                // One who has come to another zone meanwhile may wait longer.
                if get(&self.ends, signal) == Some(&signal.at) {
                    remove(&mut self.ends, signal);
                }
                self.inside.follow(signal);
            }
            return ready;
        }
        // The last entry of one who left and came back is the one that has an end.
        ready.reverse();
        ready.retain(|signal| {
            let ends = get(&self.ends, signal) == Some(&signal.at);
            if ends {
                remove(&mut self.ends, signal);
                self.inside.enter(signal);
            }
            ends
        });
        ready.reverse();
        ready
    }

    fn wake(&self) -> Option<Timestamp> {
        self.held.keys().next().copied()
    }

    fn forget(&mut self, id: &str) {
        self.held.values_mut().for_each(|held| held.retain(|signal| signal.id != id));
        self.held.retain(|_, held| !held.is_empty());
        forget(&mut self.ends, id);
        self.zones.remove(id);
        self.inside.forget(id);
    }

    /// The zone is that of the one into whom the other is merged, unless that is UTC. What is held back is told in the end so far
    /// as it is so: who has entered as either does not again. All that is held back is looked through where something is of one
    /// of them.
    fn merge(&mut self, from: &str, into: &str, at: Timestamp) -> Vec<Signal> {
        let ready = self.pass(just_before(at));
        if let Some(zone) = self.zones.remove(from) {
            self.zones.entry(into.to_owned()).or_insert(zone);
        }
        let mut stays = BTreeMap::new();
        for (segment, users) in &mut self.ends {
            let held = [into, from].map(|id| (id, users.remove(id)));
            if held.iter().all(|(_, end)| end.is_none()) {
                continue;
            }
            let told = held.map(|(id, _)| self.inside.holds(segment, id));
            // where each is once all is told
            let is_in = [0, 1].map(|i| {
                let of_instant = held[i].1.and_then(|end| self.held.get(&end)).into_iter().flatten().rev();
                let mut last = of_instant.filter(|one| one.id == held[i].0 && one.segment == *segment);
                last.next().map_or(told[i], Signal::is_entry)
            });
            let ends_in = is_in.contains(&true);
            let one = [0, 1].into_iter().find(|i| held[*i].1.is_some() && is_in[*i] == ends_in);
            let one = one.map(|i| held[i]).filter(|_| !(ends_in && told.contains(&true)));
            users.extend(one.and_then(|(_, end)| Some((into.to_owned(), end?))));
            stays.insert(segment.clone(), one.map(|(id, _)| id));
        }
        self.inside.merge(from, into);
        if stays.is_empty() {
            return ready;
        }
        self.ends.retain(|_, users| !users.is_empty());
        for of_instant in self.held.values_mut() {
            of_instant.retain_mut(|signal| {
                if signal.id != from && signal.id != into {
                    return true;
                }
                // of a segment where nobody waits it is of one who has left
                let is_kept = stays.get(&signal.segment).is_some_and(|one| *one == Some(signal.id.as_str()));
                into.clone_into(&mut signal.id);
                is_kept
            });
        }
        self.held.retain(|_, held| !held.is_empty());
        ready
    }
}

/// Minutes of the day in serde, as a clock shows them.
mod time_of_day {
    use chrono::{NaiveTime, Timelike};
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(minute: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:02}:{:02}", minute / 60, minute % 60))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = NaiveTime::parse_from_str(&text, "%H:%M")
            .map_err(|_| D::Error::custom(format_args!("{text:?} is no time of day, as \"22:00\" is")))?;
        Ok(time.hour() * 60 + time.minute())
    }
}

/// The zone that an attribute of a user names at an instant, by its IANA name in exact case (`Europe/Berlin`);
/// `otherwise` where it names none.
pub fn zone_of(store: &Snapshot, id: &str, attribute: &str, at: Timestamp, otherwise: Tz) -> Tz {
    let Ok(Some(user)) = store.user(id) else { return otherwise };
    let mut zone = None;
    let Ok(()) = store.writes(attribute, Among::User(user), &mut |_, writes| {
        if let Some(ValueRef::Scalar(ScalarRef::Str(name))) = value_at(writes, at.millis()) {
            zone = name.parse().ok();
        }
    });
    zone.unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Movement;
    use crate::store::{Ingest, MemoryStore};
    use crate::time::DAY;
    use proptest::prelude::*;

    /// Zones, each with an instant at which its clocks change.
    const CHANGES: [(Tz, &str); 5] = [
        (Tz::Europe__Berlin, "2026-03-29T01:00:00Z"),
        (Tz::Europe__Berlin, "2026-10-25T01:00:00Z"),
        (Tz::America__New_York, "2026-03-08T07:00:00Z"),
        (Tz::Australia__Lord_Howe, "2026-04-04T15:00:00Z"),
        (Tz::Pacific__Apia, "2011-12-30T10:00:00Z"),
    ];

    proptest! {
        #[test]
        fn quiet_hours_end_with_the_first_minute_that_is_not_quiet(
            (from, until) in (0..DAY_MINUTES, 0..DAY_MINUTES),
            (zone, change) in prop::sample::select(&CHANGES),
            near in -DAY..DAY / 4,
        ) {
            let at = change.parse::<Timestamp>().expect("an instant").millis() + near;
            let is_quiet = |at: i64| {
                let local = DateTime::from_timestamp_millis(at).expect("an instant").with_timezone(&zone);
                let minute = local.hour() * 60 + local.minute();
                if from <= until { from <= minute && minute < until } else { minute >= from || minute < until }
            };
            let mut minutes = ((at / MINUTE + 1) * MINUTE..).step_by(60_000).take(3_000);
            let end = if is_quiet(at) { minutes.find(|at| !is_quiet(*at)) } else { None };
            let told = quiet_hours(from, until).end_of_quiet(Timestamp::from_millis(at), zone);
            prop_assert_eq!(told.map(Timestamp::millis), end);
        }
    }

    /// From a minute until another.
    fn quiet_hours(from: u32, until: u32) -> QuietHours {
        let [from, until] = [from, until].map(|of| NaiveTime::from_hms_opt(of / 60, of % 60, 59).unwrap());
        QuietHours::new(from, until)
    }

    fn night() -> QuietHours {
        quiet_hours(22 * 60, 8 * 60)
    }

    fn signal(movement: Movement, at: &str) -> Signal {
        Signal::new("a", "ada", movement, at.parse::<Timestamp>().unwrap())
    }

    #[test]
    fn entries_wait_for_the_morning_and_are_not_lost() {
        use Movement::{Entered, Left};
        let mut quiet = night();
        quiet.set_zone("ada", Tz::Europe__Berlin);
        let evening = signal(Entered, "2026-06-15T19:59:59.999Z"); // a last moment before ten
        assert_eq!(quiet.take(evening.clone()), [evening]);
        assert_eq!(quiet.take(signal(Left, "2026-06-15T20:00:00Z")).len(), 1);
        assert_eq!(quiet.take(signal(Entered, "2026-06-15T20:00:00Z")), []);
        assert_eq!(quiet.take(signal(Left, "2026-06-15T21:00:00Z")), []);
        let morning = "2026-06-16T06:00:00Z";
        assert_eq!(quiet.wake(), Some(morning.parse().unwrap()));
        assert_eq!(quiet.pass("2026-06-16T05:59:59.999Z".parse().unwrap()), []);
        let handed_on = [signal(Entered, morning), signal(Left, morning)];
        assert_eq!(quiet.pass(morning.parse().unwrap()), handed_on);
        assert_eq!(quiet.wake(), None);
    }

    #[test]
    fn of_one_who_left_at_night_nothing_is_heard() {
        use Movement::{Entered, Left};
        let mut quiet = night().unless_left();
        let at = |movement, time: &str| signal(movement, &format!("2026-06-{time}:00Z"));
        assert_eq!(quiet.take(at(Entered, "15T21:00")).len(), 1);
        assert_eq!(quiet.take(at(Left, "15T23:00")), [at(Left, "15T23:00")]); // of whom is known that it is in
        for (movement, time) in [(Entered, "16T01:00"), (Left, "16T02:00"), (Entered, "16T03:00")] {
            assert_eq!(quiet.take(at(movement, time)), []);
        }
        let again = at(Left, "16T23:00");
        assert_eq!(quiet.take(again.clone()), [at(Entered, "16T08:00"), again]); // once
        assert_eq!(quiet.take(at(Entered, "17T01:00")), []);
        assert_eq!(quiet.take(at(Left, "17T02:00")), []);
        assert_eq!(quiet.pass("2026-06-17T08:00:00Z".parse().unwrap()), []);
        // Without a leaving between them, as a segment that is replaced silently makes: that it left is heard of.
        assert_eq!(quiet.take(at(Entered, "17T12:00")).len(), 1);
        assert_eq!(quiet.take(at(Entered, "17T23:00")), []);
        assert_eq!(quiet.take(at(Left, "18T00:00")), [at(Left, "18T00:00")]);
        assert_eq!(quiet.pass("2026-06-18T08:00:00Z".parse().unwrap()), []);
        assert_eq!(quiet, night().unless_left());
    }

    #[test]
    fn one_who_has_moved_is_left_alone_by_the_night_of_the_new_zone() {
        use Movement::{Entered, Left};
        let mut quiet = night();
        quiet.set_zone("ada", Tz::Europe__Berlin);
        assert_eq!(quiet.take(signal(Entered, "2026-06-15T21:00:00Z")), []);
        quiet.set_zone("ada", Tz::America__New_York);
        assert_eq!(quiet.take(signal(Left, "2026-06-15T23:00:00Z")), []);
        assert_eq!(quiet.take(signal(Entered, "2026-06-16T05:00:00Z")), []); // one at night there
        let (first, second) = ("2026-06-16T06:00:00Z", "2026-06-16T12:00:00Z");
        assert_eq!(quiet.pass(first.parse().unwrap()), [signal(Entered, first), signal(Left, first)]);
        assert_eq!(quiet.take(signal(Left, "2026-06-16T07:00:00Z")), []);
        assert_eq!(quiet.pass(second.parse().unwrap()), [signal(Entered, second), signal(Left, second)]);
        quiet.set_zone("ada", Tz::UTC);
        assert_eq!(quiet, night());
    }

    #[test]
    fn one_who_is_back_in_the_night_is_told_of_in_the_order_of_the_last_entry() {
        let mut quiet = quiet_hours(0, 600).unless_left();
        let signal = |segment: &str, movement, minute: i64| {
            Signal::new(segment, "ada", movement, Timestamp::from_millis(minute * MINUTE))
        };
        for (segment, movement) in [
            ("a", Movement::Entered),
            ("a", Movement::Left),
            ("b", Movement::Entered),
            ("a", Movement::Entered),
        ] {
            assert_eq!(quiet.take(signal(segment, movement, 60)), []);
        }
        let told = ["b", "a"].map(|segment| signal(segment, Movement::Entered, 600));
        assert_eq!(quiet.pass(Timestamp::from_millis(600 * MINUTE)), told);
    }

    #[test]
    fn a_night_is_shorter_when_clocks_are_set_ahead() {
        let mut quiet = quiet_hours(60, 150); // one until half past two, which Berlin skips in March
        quiet.set_zone("ada", Tz::Europe__Berlin);
        assert_eq!(quiet.take(signal(Movement::Entered, "2026-03-29T00:30:00Z")), []); // half past one
        assert_eq!(quiet.wake(), Some("2026-03-29T01:00:00Z".parse().unwrap()));
    }

    #[test]
    fn zones_are_those_of_the_instant() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut store = MemoryStore::new();
        store.set("ada", "tz", "Asia/Tokyo", at("2026-01-01T00:00:00Z")).unwrap();
        store.set("ada", "tz", "nowhere", at("2026-02-01T00:00:00Z")).unwrap();
        let zone = |id, t| zone_of(&store.snapshot(), id, "tz", at(t), Tz::UTC);
        assert_eq!(zone("ada", "2026-01-15T00:00:00Z"), Tz::Asia__Tokyo);
        assert_eq!(zone("ada", "2026-02-15T00:00:00Z"), Tz::UTC);
        assert_eq!(zone("bob", "2026-01-15T00:00:00Z"), Tz::UTC);
    }
}
