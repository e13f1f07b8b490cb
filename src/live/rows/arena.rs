//! Room for blocks of few sizes, which is used again.

/// Units of a chunk of the arena.
pub(super) const CHUNK: usize = 1 << CHUNK_BITS;
const CHUNK_BITS: u32 = 13;
/// No block.
const NONE: u32 = u32::MAX;

/// What blocks consist of.
pub(super) trait Unit: Copy + Default {
    /// A unit that names a block.
    fn of(block: u32) -> Self;

    /// The block that it names.
    fn block(self) -> u32;
}

impl Unit for u32 {
    fn of(block: u32) -> Self {
        block
    }

    fn block(self) -> u32 {
        self
    }
}

/// Eight bytes.
pub(super) type Bytes = [u8; 8];

impl Unit for Bytes {
    fn of(block: u32) -> Self {
        u64::from(block).to_le_bytes()
    }

    fn block(self) -> u32 {
        u32::try_from(u64::from_le_bytes(self)).unwrap_or(NONE)
    }
}

/// Blocks of units, in chunks so that none is ever moved to make room.
#[derive(Clone, Debug, Default)]
pub(super) struct Arena<U> {
    chunks: Vec<Vec<U>>,
    /// By size: the latest block that is free; each begins with the one before it.
    free: Vec<u32>,
    /// Units of the blocks that are free.
    idle: usize,
}

impl<U: Unit> Arena<U> {
    /// A block from its start to the end of its chunk.
    pub(super) fn block(&self, block: u32) -> &[U] {
        let chunk = self.chunks.get(block as usize >> CHUNK_BITS);
        chunk.and_then(|chunk| chunk.get(block as usize % CHUNK..)).unwrap_or_default()
    }

    /// A block from its start to the end of its chunk.
    pub(super) fn block_mut(&mut self, block: u32) -> &mut [U] {
        let chunk = self.chunks.get_mut(block as usize >> CHUNK_BITS);
        chunk.and_then(|chunk| chunk.get_mut(block as usize % CHUNK..)).unwrap_or_default()
    }

    pub(super) fn get(&self, block: u32, at: u32) -> U {
        self.block(block).get(at as usize).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, block: u32, at: u32, value: U) {
        self.block_mut(block).get_mut(at as usize).into_iter().for_each(|unit| *unit = value);
    }

    /// Copies the first units of a block to another.
    pub(super) fn copy(&mut self, from: u32, to: u32, units: usize) {
        let chunk = |block: u32| block as usize >> CHUNK_BITS;
        let place = |block: u32| block as usize % CHUNK;
        let copied = |place: usize| place..place + units;
        if chunk(from) == chunk(to) {
            if let Some(chunk) = self.chunks.get_mut(chunk(from)).filter(|chunk| !chunk.is_empty()) {
                chunk.copy_within(copied(place(from)), place(to));
            }
        } else if let Ok([source, target]) = self.chunks.get_disjoint_mut([chunk(from), chunk(to)])
            && let Some(source) = source.get(copied(place(from)))
            && let Some(target) = target.get_mut(copied(place(to)))
        {
            target.copy_from_slice(source);
        }
    }

    /// Whether a block of this size is free.
    pub(super) fn has_free(&self, size: usize) -> bool {
        self.free.get(size).is_some_and(|block| *block != NONE)
    }

    /// A block of this size, whose content says nothing.
    pub(super) fn take(&mut self, size: usize) -> u32 {
        if let Some(block) = self.free.get(size).copied().filter(|block| *block != NONE) {
            self.free[size] = self.get(block, 0).block();
            self.idle -= size;
            return block;
        }
        let room = |chunk: &Vec<U>| chunk.capacity() - chunk.len() >= size;
        if !self.chunks.last().is_some_and(room) {
            self.chunks.push(Vec::with_capacity(size.max(CHUNK)));
        }
        let chunk = self.chunks.len() - 1;
        let at = self.chunks[chunk].len();
        self.chunks[chunk].resize(at + size, U::default());
        u32::try_from(chunk << CHUNK_BITS | at).unwrap_or(NONE)
    }

    /// Gives a block of this size back.
    pub(super) fn free(&mut self, block: u32, size: usize) {
        if size == 0 {
            return;
        }
        if self.free.len() <= size {
            self.free.resize(size + 1, NONE);
        }
        let before = std::mem::replace(&mut self.free[size], block);
        self.set(block, 0, U::of(before));
        self.idle += size;
    }

    /// Whether so much is free that it pays to lay all blocks side by side again.
    pub(super) fn is_loose(&self) -> bool {
        self.idle > (CHUNK / 4).max(self.chunks.len() * CHUNK / 32)
    }

    pub(super) fn memory(&self) -> usize {
        let chunks = self.chunks.iter().map(|chunk| chunk.capacity() * size_of::<U>() + 24);
        chunks.sum::<usize>() + self.free.capacity() * 4
    }
}
