//! Persistent vectors: a clone is a pointer copy that stays as it was, and the writer copies only the chunks
//! it touches afterwards.

use std::sync::Arc;

/// Entries a chunk: small enough to copy in under a microsecond or two, large enough that a million entries
/// are a thousand pointers.
const CHUNK: usize = 1024;

/// A growing vector.
#[derive(Clone, Debug)]
pub(crate) struct Chunked<T> {
    /// All full but the last.
    chunks: Arc<Vec<Arc<Vec<T>>>>,
    len: usize,
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self { chunks: Arc::default(), len: 0 }
    }
}

impl<T: Clone> Chunked<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, i: usize) -> Option<&T> {
        self.chunks.get(i / CHUNK)?.get(i % CHUNK)
    }

    pub(crate) fn push(&mut self, value: T) {
        let chunks = Arc::make_mut(&mut self.chunks);
        match chunks.last_mut() {
            Some(last) if last.len() < CHUNK => Arc::make_mut(last).push(value),
            _ => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(value);
                chunks.push(Arc::new(chunk));
            }
        }
        self.len += 1;
    }

    /// Replaces an entry that exists.
    pub(crate) fn set(&mut self, i: usize, value: T) {
        if let Some(slot) = Arc::make_mut(&mut self.chunks)
            .get_mut(i / CHUNK)
            .and_then(|c| Arc::make_mut(c).get_mut(i % CHUNK))
        {
            *slot = value;
        }
    }

    /// How many entries each chunk but the last holds.
    pub(crate) fn chunk_len(&self) -> usize {
        CHUNK
    }

    /// The chunks in order, for scans.
    pub(crate) fn slices(&self) -> impl Iterator<Item = &[T]> {
        self.chunks.iter().map(|c| c.as_slice())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slices().flatten()
    }

    pub(crate) fn memory(&self) -> usize {
        self.chunks.iter().map(|c| c.capacity() * size_of::<T>() + 48).sum::<usize>()
            + self.chunks.capacity() * 8
    }
}

/// A growing vector of texts, packed a chunk in one allocation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    chunks: Arc<Vec<Arc<TextChunk>>>,
    len: usize,
}

#[derive(Clone, Debug, Default)]
struct TextChunk {
    bytes: String,
    /// Where each text ends.
    ends: Vec<u32>,
}

impl TextChunk {
    fn range(&self, i: usize) -> Option<std::ops::Range<usize>> {
        let end = *self.ends.get(i)? as usize;
        let start = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        Some(start..end)
    }
}

impl Texts {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn get(&self, i: u32) -> Option<&str> {
        let (chunk, i) = (self.chunks.get(i as usize / CHUNK)?, i as usize % CHUNK);
        chunk.bytes.get(chunk.range(i)?)
    }

    /// Adds a text; its number is the length before. Texts are at most 1 MiB, so a chunk's bytes fit a `u32`.
    pub(crate) fn push(&mut self, text: &str) {
        let chunks = Arc::make_mut(&mut self.chunks);
        if chunks.last().is_none_or(|last| last.ends.len() == CHUNK) {
            chunks.push(Arc::default());
        }
        if let Some(last) = chunks.last_mut() {
            let last = Arc::make_mut(last);
            last.bytes.push_str(text);
            last.ends.push(u32::try_from(last.bytes.len()).unwrap_or(u32::MAX));
        }
        self.len += 1;
    }

    /// Empties a text, and overwrites its bytes first, so that nothing of it is left in memory that this copy
    /// alone holds.
    pub(crate) fn erase(&mut self, i: u32) {
        let chunks = Arc::make_mut(&mut self.chunks);
        if let Some(chunk) = chunks.get_mut(i as usize / CHUNK) {
            let chunk = Arc::make_mut(chunk);
            if let Some(range) = chunk.range(i as usize % CHUNK) {
                let blank = "\0".repeat(range.len());
                let len = u32::try_from(range.len()).unwrap_or(u32::MAX);
                chunk.bytes.replace_range(range.clone(), &blank);
                chunk.bytes.drain(range);
                chunk.ends.iter_mut().skip(i as usize % CHUNK).for_each(|end| *end -= len);
            }
        }
    }

    pub(crate) fn memory(&self) -> usize {
        self.chunks.iter().map(|c| c.bytes.capacity() + c.ends.capacity() * 4 + 64).sum::<usize>()
            + self.chunks.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_stays_as_it_was() {
        let mut v = Chunked::default();
        (0..3000u32).for_each(|i| v.push(i));
        let before = v.clone();
        v.set(1500, 7);
        v.push(9);
        assert_eq!((before.len(), before.get(1500)), (3000, Some(&1500)));
        assert_eq!((v.len(), v.get(1500), v.get(3000)), (3001, Some(&7), Some(&9)));
        assert_eq!(v.iter().count(), 3001);
    }

    #[test]
    fn texts_come_back_and_can_be_erased() {
        let mut t = Texts::default();
        (0..2500).for_each(|i| t.push(&format!("text {i}")));
        let before = t.clone();
        t.erase(1024);
        assert_eq!(before.get(1024), Some("text 1024"));
        assert_eq!([1023, 1024, 1025].map(|i| t.get(i)), [Some("text 1023"), Some(""), Some("text 1025")]);
        assert_eq!(t.get(2499), Some("text 2499"));
        assert_eq!(t.get(2500), None);
    }
}
