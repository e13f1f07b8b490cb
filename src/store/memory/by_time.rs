//! Facts by time instead of by user: what the passing of time reaches.

use super::MemoryStore;
use super::snapshot::Snapshot;
use crate::plan::bounds::Bounds;
use crate::segment::EventPattern;

impl MemoryStore {
    /// The store as it is now, to be read at once: unlike a snapshot it costs later writes no copy.
    pub(crate) fn reading(&self) -> &Snapshot {
        &self.state
    }
}

impl Snapshot {
    /// The events of some names whose instant lies inside, in no order: instant, user and number of the name.
    pub(crate) fn events_between(
        &self,
        events: &[EventPattern],
        inside: Bounds,
        visit: &mut dyn FnMut(i64, u32, u32),
    ) {
        if inside.is_empty() {
            return;
        }
        let names = self.matching_names(events);
        for &name in &names {
            let shelf = self.shelves.get(name as usize);
            for part in shelf.map_or(&[][..], |shelf| shelf.parts_between(inside.lo, inside.hi)) {
                for block in part.blocks() {
                    for row in block.rows() {
                        let at = part.at(row);
                        if inside.contains(at) {
                            visit(at, u32::from(block.high) << 16 | u32::from(part.users()[row]), name);
                        }
                    }
                }
            }
        }
        for (name, row) in self.tail.rows().filter(|(name, _)| names.contains(name)) {
            if inside.contains(row.at) {
                visit(row.at, row.user, name);
            }
        }
    }

    /// The earliest instant at or after `from` of an event of some names.
    pub(crate) fn next_event(&self, events: &[EventPattern], from: i64) -> Option<i64> {
        let mut next: Option<i64> = None;
        self.events_between(events, Bounds { lo: from, hi: i64::MAX }, &mut |at, _, _| {
            next = Some(next.map_or(at, |have| have.min(at)));
        });
        next
    }

    /// The name of an event by its number.
    pub(crate) fn event_name(&self, number: u32) -> &str {
        self.names.get(number)
    }

    /// The writes of an attribute whose instant lies inside, in no order: instant and user.
    pub(crate) fn writes_between(&self, attribute: &str, inside: Bounds, visit: &mut dyn FnMut(i64, u32)) {
        if inside.is_empty() {
            return;
        }
        for (user, writes) in self.attributes.table(attribute).into_iter().flat_map(|table| table.iter()) {
            let writes = writes.iter().filter(|write| inside.contains(write.at));
            writes.for_each(|write| visit(write.at, user));
        }
    }

    /// The users whose first instant lies inside, in no order, with that instant.
    pub(crate) fn seen_between(&self, inside: Bounds, visit: &mut dyn FnMut(i64, u32)) {
        if inside.is_empty() {
            return;
        }
        for (user, &at) in (0..).zip(self.users.seen().iter()) {
            if inside.contains(at) && at != super::users::UNSEEN {
                visit(at, user);
            }
        }
    }

    /// When a user was first seen.
    pub(crate) fn first_seen(&self, user: u32) -> Option<i64> {
        self.users.first_seen(user)
    }

    /// The external id by which a user is known.
    pub(crate) fn id_of(&self, user: u32) -> Option<&str> {
        self.users.id(user)
    }

    /// The user that an external id means, seen or not.
    pub(crate) fn number_of(&self, id: &str) -> Option<u32> {
        self.users.find(id)
    }
}
