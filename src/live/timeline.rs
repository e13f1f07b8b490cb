//! Writes of attributes and first instants in order of time, for the edges that pass over them.

use foldhash::HashMap;

use super::watch::{Source, Watch};
use crate::plan::bounds::Bounds;
use crate::store::{Among, EventStore, Snapshot};

/// So few are put in and taken out one by one: each moves all behind it.
const FEW: usize = 4;

/// Instants and users in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline(Vec<(i64, u32)>);

impl Timeline {
    /// Puts one in; cheap where it is the latest.
    fn add(&mut self, at: i64, user: u32) {
        let one = (at, user);
        match self.0.last() {
            Some(last) if *last >= one => {
                if let Err(place) = self.0.binary_search(&one) {
                    self.0.insert(place, one);
                }
            }
            _ => self.0.push(one),
        }
    }

    fn remove(&mut self, at: i64, user: u32) {
        if let Ok(place) = self.0.binary_search(&(at, user)) {
            self.0.remove(place);
        }
    }

    fn between(&self, inside: Bounds) -> &[(i64, u32)] {
        let start = self.0.partition_point(|(at, _)| *at < inside.lo);
        let end = self.0.partition_point(|(at, _)| *at <= inside.hi);
        self.0.get(start..end).unwrap_or_default()
    }
}

/// A timeline for each source that some edge needs one of.
#[derive(Clone, Debug, Default)]
pub(super) struct Timelines(HashMap<Source, Timeline>);

impl Timelines {
    /// Those that the edges need, those that are there kept.
    pub(super) fn prepare(&mut self, edges: &[Watch], store: &Snapshot) {
        let mut before = std::mem::take(&mut self.0);
        for source in edges.iter().map(|watch| &watch.source) {
            if matches!(source, Source::Events(_) | Source::LastOf(..)) || self.0.contains_key(source) {
                continue;
            }
            let timeline = before.remove(source).unwrap_or_else(|| read(source, store));
            self.0.insert(source.clone(), timeline);
        }
    }

    pub(super) fn between(&self, source: &Source, inside: Bounds, visit: &mut dyn FnMut(i64, u32)) {
        let timeline = self.0.get(source).map(|timeline| timeline.between(inside));
        timeline.unwrap_or_default().iter().for_each(|(at, user)| visit(*at, *user));
    }

    /// The instant of the last of a source, or one after it, where that of the last event is known.
    pub(super) fn last(&self, source: &Source, last_event: i64) -> i64 {
        match source {
            Source::Events(_) | Source::LastOf(..) => last_event,
            Source::Writes(_) | Source::Seen => {
                let last = self.0.get(source).and_then(|timeline| timeline.0.last());
                last.map_or(i64::MIN, |(at, _)| *at)
            }
        }
    }

    /// Whether no edge needs any.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes in a write of an attribute.
    pub(super) fn wrote(&mut self, attribute: &str, at: i64, user: u32) {
        if let Some(timeline) = self.0.get_mut(&Source::Writes(attribute.to_owned())) {
            timeline.add(at, user);
        }
    }

    /// Takes in when a user was first seen, and when it was thought to have been.
    pub(super) fn saw(&mut self, at: i64, before: Option<i64>, user: u32) {
        if let Some(timeline) = self.0.get_mut(&Source::Seen) {
            before.into_iter().for_each(|before| timeline.remove(before, user));
            timeline.add(at, user);
        }
    }

    /// Lets go of all that is known of a user, who is going.
    pub(super) fn forget(&mut self, user: u32, store: &Snapshot) {
        for (source, timeline) in &mut self.0 {
            match instants_of(source, store, user) {
                few if few.len() <= FEW => few.into_iter().for_each(|at| timeline.remove(at, user)),
                _ => timeline.0.retain(|(_, of)| *of != user),
            }
        }
    }

    /// Takes in all that is known of a user anew.
    pub(super) fn again(&mut self, user: u32, store: &Snapshot) {
        for (source, timeline) in &mut self.0 {
            match instants_of(source, store, user) {
                few if few.len() <= FEW => few.into_iter().for_each(|at| timeline.add(at, user)),
                many => {
                    timeline.0.extend(many.into_iter().map(|at| (at, user)));
                    timeline.0.sort();
                    timeline.0.dedup();
                }
            }
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.0.values().map(|timeline| timeline.0.capacity() * size_of::<(i64, u32)>()).sum()
    }
}

fn read(source: &Source, store: &Snapshot) -> Timeline {
    let mut all = Vec::new();
    match source {
        Source::Events(_) | Source::LastOf(..) => {}
        Source::Writes(name) => store.writes_between(name, Bounds::ALL, &mut |at, user| all.push((at, user))),
        Source::Seen => store.seen_between(Bounds::ALL, &mut |at, user| all.push((at, user))),
    }
    all.sort_unstable();
    all.dedup();
    Timeline(all)
}

/// The instants of a user in a source.
fn instants_of(source: &Source, store: &Snapshot, user: u32) -> Vec<i64> {
    match source {
        Source::Events(_) | Source::LastOf(..) => Vec::new(),
        Source::Writes(name) => {
            let mut instants = Vec::new();
            let Ok(()) = store.writes(name, Among::User(crate::store::UserId(user)), &mut |_, writes| {
                instants.extend(writes.iter().map(|write| write.at.millis()));
            });
            instants
        }
        Source::Seen => store.first_seen(user).into_iter().collect(),
    }
}
