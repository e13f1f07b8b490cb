//! What changed lately, in order: how indexes are brought forward instead of being made again.

use std::sync::Arc;

use crate::limits::SMALL;

/// Entries a chunk; few in tests, which are to see the log forget.
const CHUNK: usize = if SMALL { 8 } else { 1024 };
/// Chunks that are remembered: what is older has to be made again.
const CHUNKS: usize = if SMALL { 12 } else { 128 };

/// Entries that are in no chunk yet; a chunk holds a multiple.
const OPEN: usize = if SMALL { 4 } else { 16 };

/// The latest entries of an endless log; a clone is a pointer copy that stays as it was.
#[derive(Clone, Debug)]
pub(crate) struct Log<T> {
    /// All full but the last.
    chunks: Arc<Vec<Arc<Vec<T>>>>,
    /// Entries that have been let go.
    gone: u64,
    /// The entries after those in chunks: behind no pointer, for to make sure that no snapshot shares what is written
    /// costs more than to write it.
    open: [T; OPEN],
    opened: usize,
}

impl<T: Default + Copy> Default for Log<T> {
    fn default() -> Self {
        Self { chunks: Arc::default(), gone: 0, open: [T::default(); OPEN], opened: 0 }
    }
}

impl<T: Copy> Log<T> {
    /// How many entries there have ever been.
    pub(crate) fn position(&self) -> u64 {
        let last = self.chunks.last().map_or(0, |chunk| chunk.len());
        self.gone + (self.chunks.len().saturating_sub(1) * CHUNK + last + self.opened) as u64
    }

    pub(crate) fn push(&mut self, entry: T) {
        if let Some(place) = self.open.get_mut(self.opened) {
            *place = entry;
            self.opened += 1;
        }
        if self.opened == OPEN {
            self.close();
        }
    }

    /// Puts what is open into chunks.
    fn close(&mut self) {
        self.opened = 0;
        let chunks = Arc::make_mut(&mut self.chunks);
        match chunks.last_mut() {
            Some(last) if last.len() < CHUNK => Arc::make_mut(last).extend_from_slice(&self.open),
            _ => {
                if chunks.len() == CHUNKS {
                    chunks.remove(0);
                    self.gone += CHUNK as u64;
                }
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.extend_from_slice(&self.open);
                chunks.push(Arc::new(chunk));
            }
        }
    }

    fn open(&self) -> &[T] {
        self.open.get(..self.opened).unwrap_or_default()
    }

    /// The entries from a position on; `None` where some of them have been let go.
    pub(crate) fn since(&self, position: u64) -> Option<impl Iterator<Item = T>> {
        let skipped = usize::try_from(position.checked_sub(self.gone)?).ok()?;
        let chunks = self.chunks.get(skipped / CHUNK..).unwrap_or_default();
        let entries = chunks.iter().flat_map(|chunk| chunk.iter()).chain(self.open());
        Some(entries.copied().skip(skipped % CHUNK))
    }

    /// Replaces the entries that `is_it` by one that says nothing; positions stay.
    pub(crate) fn erase(&mut self, is_it: impl Fn(&T) -> bool, nothing: T) {
        let open = self.open.get_mut(..self.opened).unwrap_or_default();
        open.iter_mut().filter(|entry| is_it(entry)).for_each(|entry| *entry = nothing);
        if !self.chunks.iter().any(|chunk| chunk.iter().any(&is_it)) {
            return;
        }
        for chunk in Arc::make_mut(&mut self.chunks).iter_mut().filter(|chunk| chunk.iter().any(&is_it)) {
            Arc::make_mut(chunk).iter_mut().filter(|entry| is_it(entry)).for_each(|entry| *entry = nothing);
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.capacity() * size_of::<T>() + 56).sum::<usize>()
            + self.chunks.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_tells_what_came_since_or_that_it_has_forgotten() {
        let mut log = Log::default();
        assert_eq!((log.position(), log.since(0).map(Iterator::count)), (0, Some(0)));
        (0..30u32).for_each(|i| log.push(i));
        let before = log.clone();
        (30..201u32).for_each(|i| log.push(i));
        assert_eq!((before.position(), log.position()), (30, 201));
        assert!(before.since(19).unwrap().eq(19..30));
        assert!(log.since(120).unwrap().eq(120..201));
        assert_eq!(log.since(201).unwrap().count(), 0);
        assert!(log.since(30).is_none());
        log.erase(|i| *i == 150, 0);
        assert!(log.since(149).unwrap().take(3).eq([149, 0, 151]));
    }
}
