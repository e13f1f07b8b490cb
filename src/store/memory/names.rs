//! External ids by number, each with the user it means: short ones lie in a slot, longer ones side by side elsewhere.

use std::ops::Range;
use std::sync::Arc;

use super::chunked::Chunked;

/// Longest id that a slot holds itself.
const SHORT: usize = 15;
/// In the place of a length: the id lies elsewhere.
const LONG: u8 = u8::MAX;
/// Names whose long ids lie in one text.
const BLOCK: usize = 1024;

/// What a lookup needs, mostly in one line of the cache.
#[derive(Clone, Copy, Debug)]
struct Slot {
    user: u32,
    key: Key,
}

/// A short id and its length behind it, so that two are one comparison; or where a long one begins in its text, and its
/// length, marked as [`LONG`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key([u8; SHORT + 1]);

impl Key {
    const ERASED: Self = Self([0; SHORT + 1]);

    fn short(id: &str) -> Option<Self> {
        let mut key = [0; SHORT + 1];
        key[..SHORT].get_mut(..id.len())?.copy_from_slice(id.as_bytes());
        key[SHORT] = u8::try_from(id.len()).ok()?;
        Some(Self(key))
    }

    /// Texts have at most [`BLOCK`] ids of 512 bytes.
    fn long(start: usize, len: usize) -> Self {
        let mut key = [0; SHORT + 1];
        key[..4].copy_from_slice(&u32::try_from(start).unwrap_or(u32::MAX).to_le_bytes());
        key[4..6].copy_from_slice(&u16::try_from(len).unwrap_or(u16::MAX).to_le_bytes());
        key[SHORT] = LONG;
        Self(key)
    }

    /// Where a long id lies.
    fn range(&self) -> Option<Range<usize>> {
        let [a, b, c, d, e, f, .., mark] = self.0;
        let start = u32::from_le_bytes([a, b, c, d]) as usize;
        (mark == LONG).then(|| start..start + usize::from(u16::from_le_bytes([e, f])))
    }
}

/// Names in order of arrival; a clone is a pointer copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    slots: Chunked<Slot>,
    /// The long ids of so many names each.
    long: Arc<Vec<Arc<String>>>,
}

impl Names {
    /// Adds a name; they are numbered from 0 on.
    pub(crate) fn push(&mut self, id: &str, user: u32) {
        let key = Key::short(id).unwrap_or_else(|| {
            let text = self.long_mut(self.slots.len() / BLOCK);
            let key = Key::long(text.len(), id.len());
            text.push_str(id);
            key
        });
        self.slots.push(Slot { user, key });
    }

    fn long_mut(&mut self, place: usize) -> &mut String {
        let long = Arc::make_mut(&mut self.long);
        if long.len() <= place {
            long.resize_with(place + 1, Arc::default);
        }
        Arc::make_mut(&mut long[place])
    }

    fn slot(&self, name: u32) -> Option<&Slot> {
        self.slots.get(name as usize)
    }

    /// The bytes of a name; none where it has been erased, or is no name.
    fn bytes(&self, name: u32) -> &[u8] {
        let bytes = self.slot(name).and_then(|Slot { key, .. }| match key.range() {
            None => key.0.get(..key.0[SHORT].into()),
            Some(range) => self.long.get(name as usize / BLOCK)?.as_bytes().get(range),
        });
        bytes.unwrap_or_default()
    }

    /// The text of a name.
    pub(crate) fn text(&self, name: u32) -> &str {
        str::from_utf8(self.bytes(name)).unwrap_or_default()
    }

    /// The test whether a name is an id.
    pub(crate) fn is(&self, id: &str) -> impl Fn(&u32) -> bool {
        let short = Key::short(id);
        move |name| match short {
            Some(short) => self.slot(*name).is_some_and(|slot| slot.key == short),
            None => self.bytes(*name) == id.as_bytes(),
        }
    }

    /// The user that a name means.
    pub(crate) fn user(&self, name: u32) -> Option<u32> {
        self.slot(name).map(|slot| slot.user)
    }

    /// Lets a name mean another user.
    pub(crate) fn turn(&mut self, name: u32, user: u32) {
        if let Some(slot) = self.slot(name) {
            self.slots.set(name as usize, Slot { user, ..*slot });
        }
    }

    /// Empties a name, so that nothing of its text is left in memory that this copy alone holds.
    pub(crate) fn erase(&mut self, name: u32) {
        let Some(&slot) = self.slot(name) else { return };
        if let Some(range) = slot.key.range() {
            let blank = "\0".repeat(range.len());
            self.long_mut(name as usize / BLOCK).replace_range(range, &blank);
        }
        self.slots.set(name as usize, Slot { key: Key::ERASED, ..slot });
    }

    /// Reads a byte of each of some names, so that the processor waits for all of them at once.
    pub(crate) fn peek(&self, some: impl Iterator<Item = u32> + Clone) -> u8 {
        let slots = some.clone().filter_map(|name| self.slot(name));
        let seen = slots.fold(0, |seen, slot| seen ^ slot.key.0[SHORT]);
        if self.long.is_empty() {
            return seen;
        }
        some.fold(seen, |seen, name| seen ^ self.bytes(name).first().copied().unwrap_or(0))
    }

    pub(crate) fn memory(&self) -> usize {
        let long: usize = self.long.iter().map(|text| text.capacity() + 40).sum();
        self.slots.memory() + long + self.long.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_ids_come_back_mean_users_and_can_be_erased() {
        let ids = ["a", "fifteen bytes !", "sixteen bytes !!", "a much longer one, ü", "b"];
        let mut names = Names::default();
        ids.iter().for_each(|id| names.push(id, 7));
        assert_eq!(names.user(5), None);
        for (number, id) in (0..).zip(ids) {
            assert_eq!((names.text(number), names.user(number)), (id, Some(7)));
            assert!((0..).zip(ids).all(|(other, text)| names.is(text)(&number) == (number == other)));
        }
        let before = names.clone();
        names.turn(2, 9);
        names.erase(1);
        names.erase(3);
        assert_eq!([1, 2, 3, 4].map(|name| names.text(name)), ["", ids[2], "", "b"]);
        assert_eq!((names.user(2), names.user(3)), (Some(9), Some(7)));
        assert_eq!((before.text(1), before.text(3), before.user(2)), (ids[1], ids[3], Some(7)));
        for gone in [ids[1], ids[3]] {
            assert!(
                !format!("{names:?}").contains(gone)
                    && !format!("{names:?}").contains(&format!("{:?}", gone.as_bytes()))
            );
        }
    }
}
