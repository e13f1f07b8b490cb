//! What the store holds in memory, part by part.

use std::fmt;

use super::snapshot::Snapshot;

/// Bytes held, by what holds them.
///
/// Allocations are counted at their capacity, what snapshots share once. What a snapshot keeps alive that the
/// store has since replaced is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryUsage {
    /// Events held.
    pub events: usize,
    /// User, name and instant of sealed events.
    pub instants: usize,
    /// Properties of sealed events.
    pub properties: usize,
    /// Events not sealed yet, properties included, and the log by which indexes are brought forward.
    pub tail: usize,
    /// External ids, both ways, and when users were first seen.
    pub users: usize,
    /// Histories of attributes.
    pub attributes: usize,
    /// Names, and the texts and lists in values.
    pub dictionary: usize,
    /// Ids of events; 0 for a snapshot, which does not need them.
    pub event_ids: usize,
    /// Indexes made for leaves that were asked.
    pub indexes: usize,
}

impl MemoryUsage {
    /// All of it.
    pub fn total(&self) -> usize {
        self.instants
            + self.properties
            + self.tail
            + self.users
            + self.attributes
            + self.dictionary
            + self.event_ids
            + self.indexes
    }
}

impl fmt::Display for MemoryUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("instants", self.instants),
            ("properties", self.properties),
            ("tail", self.tail),
            ("users", self.users),
            ("attributes", self.attributes),
            ("dictionary", self.dictionary),
            ("event ids", self.event_ids),
            ("indexes", self.indexes),
        ];
        #[allow(clippy::cast_precision_loss)]
        let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
        write!(f, "{:.1} MiB for {} events:", mib(self.total()), self.events)?;
        for (i, (name, bytes)) in parts.into_iter().filter(|(_, bytes)| *bytes > 0).enumerate() {
            write!(f, "{} {name} {:.1}", if i == 0 { "" } else { "," }, mib(bytes))?;
        }
        Ok(())
    }
}

impl Snapshot {
    /// What the snapshot holds in memory, shared with its store and with other snapshots as far as it is the same.
    pub fn memory_usage(&self) -> MemoryUsage {
        let parts = || self.shelves.iter().flat_map(|shelf| shelf.parts()).map(|part| part.memory());
        MemoryUsage {
            events: self.event_count(),
            instants: parts().map(|(rows, _)| rows).sum::<usize>()
                + self.shelves.iter().map(|shelf| shelf.memory()).sum::<usize>(),
            properties: parts().map(|(_, columns)| columns).sum(),
            tail: self.tail.memory() + self.arrivals.memory() + self.latest.capacity() * 8,
            users: self.users.memory(),
            attributes: self.attributes.memory(),
            dictionary: self.names.memory() + self.properties.memory() + self.values.memory(),
            event_ids: 0,
            indexes: self.indexes.memory(),
        }
    }
}
