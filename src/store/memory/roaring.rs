//! Words of bits handed over as a roaring bitmap, at the speed of copying.
//!
//! A bitmap is read from its [portable form], which this writes straight into the containers: a container of many is
//! its words, one of few the positions of its bits. Building one by `from_lsb0_bytes` takes three times as long where
//! few bits are set.
//!
//! [portable form]: https://github.com/RoaringBitmap/RoaringFormatSpec

use std::io::{self, Read};

use ::roaring::RoaringBitmap;

use super::kernel;

/// Says that no container is a list of runs.
const COOKIE: u32 = 12_346;
/// Words a container.
const CONTAINER: usize = 1024;
/// Most members that a container lists.
const LISTED: usize = 4096;

pub(super) fn to_roaring(words: &[u64]) -> RoaringBitmap {
    RoaringBitmap::deserialize_unchecked_from(Portable::new(words)).unwrap_or_default()
}

/// The portable form of some words, as it is read.
struct Portable<'a> {
    /// What comes before the containers.
    head: Vec<u8>,
    read: usize,
    /// The containers that are not empty, the next one last.
    containers: Vec<(&'a [u64], usize)>,
    positions: Vec<u16>,
}

impl<'a> Portable<'a> {
    #[allow(clippy::cast_possible_truncation)] // at most 2^16 containers of 2^16
    fn new(words: &'a [u64]) -> Self {
        let (mut containers, mut described) = (Vec::new(), Vec::new());
        for (key, words) in (0u16..=u16::MAX).zip(words.chunks(CONTAINER)) {
            let count = kernel::count(words) as usize;
            if count > 0 {
                containers.push((words, count));
                described.extend_from_slice(&key.to_le_bytes());
                described.extend_from_slice(&((count - 1) as u16).to_le_bytes());
            }
        }
        let size = containers.len() as u32;
        let mut head = [COOKIE.to_le_bytes(), size.to_le_bytes()].concat();
        head.append(&mut described);
        // where each container begins, which a reader of all of them does not look at
        head.resize(head.len() + containers.len() * 4, 0);
        containers.reverse();
        Self { head, read: 0, containers, positions: vec![0; LISTED + 64] }
    }
}

impl Read for Portable<'_> {
    /// Fills the buffer, which is asked for a part of the head or for one container.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let head = self.head.get(self.read..).unwrap_or_default();
        if !head.is_empty() {
            let len = head.len().min(buffer.len());
            buffer[..len].copy_from_slice(&head[..len]);
            self.read += len;
            return Ok(len);
        }
        let Some((words, count)) = self.containers.pop() else { return Ok(0) };
        if count > LISTED {
            let (bytes, _) = buffer.as_chunks_mut::<8>();
            for (bytes, word) in bytes.iter_mut().zip(words) {
                *bytes = word.to_le_bytes();
            }
        } else {
            kernel::positions(words, &mut self.positions);
            let (bytes, _) = buffer.as_chunks_mut::<2>();
            for (bytes, position) in bytes.iter_mut().zip(&self.positions) {
                *bytes = position.to_le_bytes();
            }
        }
        // a last container of fewer words ends with none
        Ok(buffer.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_is_made_bit_by_bit() {
        for (every, users) in
            [(1, 200_000u32), (2, 131_072), (15, 150_000), (16, 65_536), (17, 65_600), (40_000, 300_000)]
        {
            let members = || (0..users).filter(|user| user % every == 0 && !(70_000..140_000).contains(user));
            let mut words = vec![0u64; users.div_ceil(64) as usize];
            members().for_each(|user| words[user as usize / 64] |= 1 << (user % 64));
            let made = to_roaring(&words);
            assert_eq!(made, members().collect::<RoaringBitmap>());
            assert_eq!(made.len(), members().count() as u64);
        }
        assert!(to_roaring(&[]).is_empty() && to_roaring(&[0; 5000]).is_empty());
    }
}
