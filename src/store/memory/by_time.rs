//! Facts by time instead of by user: what the passing of time reaches.

use super::MemoryStore;
use super::snapshot::Snapshot;
use super::users::TOGETHER;
use crate::event::Fact;
use crate::plan::bounds::Bounds;
use crate::segment::EventPattern;

impl MemoryStore {
    /// Keeps an index of the latest events, so that single users and stretches of time are found fast between
    /// any two writes.
    pub(crate) fn keep_index(&mut self) {
        self.state.tail.keep_index();
    }

    /// The user of the last fact that was kept, and when it was first seen before that.
    pub(crate) fn last_touched(&self) -> (u32, Option<i64>) {
        self.touched
    }

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
            for part in self.parts(name, inside.lo, inside.hi) {
                part.events_between(inside, &mut |at, user| visit(at, user, name));
            }
        }
        for &name in &names {
            self.tail.rows_between(name, inside.lo, inside.hi).for_each(|row| visit(row.at, row.user, name));
        }
    }

    /// The users of the same events, once for each, in no order.
    pub(crate) fn users_between(&self, events: &[EventPattern], inside: Bounds, visit: &mut dyn FnMut(u32)) {
        if inside.is_empty() {
            return;
        }
        for name in self.matching_names(events) {
            self.parts(name, inside.lo, inside.hi).iter().for_each(|part| part.users_between(inside, visit));
            self.tail.rows_between(name, inside.lo, inside.hi).for_each(|row| visit(row.user));
        }
    }

    /// Makes ready to find the events of some names about an instant.
    pub(crate) fn order_by_time(&self, events: &[EventPattern], at: i64) {
        for name in self.matching_names(events) {
            self.parts(name, at, at).iter().for_each(|part| part.order_by_time());
        }
    }

    /// The same events, part by part and each part's by user: for stretches that hold most events.
    pub(crate) fn scan_events(
        &self,
        events: &[EventPattern],
        inside: Bounds,
        visit: &mut dyn FnMut(i64, u32),
    ) {
        if inside.is_empty() {
            return;
        }
        let names = self.matching_names(events);
        for part in self.parts_of_names(&names, inside) {
            for block in part.blocks() {
                let high = u32::from(block.high) << 16;
                for row in block.rows() {
                    let at = part.at(row);
                    if inside.contains(at) {
                        visit(at, high | u32::from(part.users()[row]));
                    }
                }
            }
        }
        for &name in &names {
            self.tail.rows_between(name, inside.lo, inside.hi).for_each(|row| visit(row.at, row.user));
        }
    }

    /// How many events of some names a user has inside, counted up to `most`.
    pub(crate) fn count_up_to(&self, names: &[u32], user: u32, inside: Bounds, most: usize) -> usize {
        let mut count = 0;
        for name in names {
            let enough = (most - count) as u64;
            count += self.count_of(*name, user, inside, enough) as usize;
            if count >= most {
                return most;
            }
        }
        count
    }

    /// The latest instant inside of a user's events of some names.
    pub(crate) fn latest_of(&self, names: &[u32], user: u32, inside: Bounds) -> Option<i64> {
        if inside.is_empty() {
            return None;
        }
        let of_name = |name: &u32| {
            let parts = self.parts_of_user(*name, user, inside.lo, inside.hi).iter();
            let sealed =
                parts.filter_map(|part| part.rows_inside(user, inside).last().map(|row| part.at(row)));
            let instants = self.tail.rows_of(*name, user, inside).map(|row| row.at);
            sealed.chain(instants).max()
        };
        names.iter().filter_map(of_name).max()
    }

    /// Adds the instants inside of a user's events of a name, in no order.
    pub(crate) fn instants_of(&self, name: u32, user: u32, inside: Bounds, out: &mut Vec<i64>) {
        for part in self.parts_of_user(name, user, inside.lo, inside.hi) {
            out.extend(part.rows_inside(user, inside).map(|row| part.at(row)));
        }
        out.extend(self.tail.rows_of(name, user, inside).map(|row| row.at));
    }

    /// The latest instant of an event, or one after it; `None` where there is none.
    pub(crate) fn last_event(&self) -> Option<i64> {
        let sealed = self.shelves.iter().filter_map(|shelf| shelf.last_instant());
        sealed.chain(self.tail.rows().map(|(_, row)| row.at)).max()
    }

    /// The numbers of the names that match, and of how many names that is true.
    pub(crate) fn names_matching(&self, events: &[EventPattern]) -> (Vec<u32>, usize) {
        (self.matching_names(events), self.names.len())
    }

    /// How many numbers of users have been given out.
    pub(crate) fn user_numbers(&self) -> usize {
        self.users.numbers()
    }

    /// How many names of events there are.
    pub(crate) fn name_count(&self) -> usize {
        self.names.len()
    }

    /// The number of a name, where some event has had it.
    pub(crate) fn number_of_event(&self, name: &str) -> Option<u32> {
        self.names.find(name)
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

    /// Looks ahead at the ids of up to [`TOGETHER`] users; see [`Users::peek_ids`](super::users::Users::peek_ids).
    pub(crate) fn peek_ids(&self, users: [u32; TOGETHER]) -> u8 {
        self.users.peek_ids(users)
    }

    /// The user that an external id means, seen or not.
    pub(crate) fn number_of(&self, id: &str) -> Option<u32> {
        self.users.find(id)
    }

    /// The users of up to [`TOGETHER`] facts.
    pub(crate) fn users_of(&self, facts: &[Fact]) -> [Option<u32>; TOGETHER] {
        self.users.find_each(facts.iter().map(Fact::user_id))
    }
}
