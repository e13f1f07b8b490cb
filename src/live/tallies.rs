//! Small numbers, a row a user: how many events of a user lie in each window, as far as it matters.

/// The greatest tally.
pub(super) const MOST: u8 = 15;

/// Numbers of four bits.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies {
    bytes: Vec<u8>,
    /// Bytes a user.
    stride: usize,
}

impl Tallies {
    pub(super) fn new(groups: usize) -> Self {
        Self { bytes: Vec::new(), stride: groups.div_ceil(2) }
    }

    /// Makes room for users below this number.
    pub(super) fn reach(&mut self, users: usize) {
        if self.bytes.len() < users * self.stride {
            self.bytes.resize(users * self.stride, 0);
        }
    }

    /// The tallies of a user.
    pub(super) fn row_mut(&mut self, user: u32) -> &mut [u8] {
        let start = user as usize * self.stride;
        self.bytes.get_mut(start..start + self.stride).unwrap_or_default()
    }

    /// The byte that holds a tally of a user.
    pub(super) fn peek(&self, user: u32, group: u32) -> u8 {
        self.bytes.get(user as usize * self.stride + group as usize / 2).copied().unwrap_or(0)
    }

    /// One more.
    pub(super) fn add(&mut self, user: u32, group: u32) {
        let row = self.row_mut(user);
        let tally = get(row, group);
        if tally < MOST {
            set(row, group, tally + 1);
        }
    }

    /// The tallies of other groups, each the one that is named of these, or 0.
    pub(super) fn carried(&self, from: &[Option<u32>]) -> Self {
        let mut carried = Self::new(from.len());
        let users = self.bytes.len().checked_div(self.stride).unwrap_or(0);
        carried.reach(users);
        if carried.stride == 0 || self.stride == 0 {
            return carried;
        }
        for (old, new) in
            self.bytes.chunks_exact(self.stride).zip(carried.bytes.chunks_exact_mut(carried.stride))
        {
            for (to, from) in (0..).zip(from).filter_map(|(to, from)| Some((to, (*from)?))) {
                set(new, to, get(old, from));
            }
        }
        carried
    }

    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }
}

/// A tally of a row.
pub(super) fn get(row: &[u8], group: u32) -> u8 {
    row.get(group as usize / 2).map_or(0, |byte| byte >> (group % 2 * 4) & 0xf)
}

/// Sets a tally of a row.
pub(super) fn set(row: &mut [u8], group: u32, tally: u8) {
    if let Some(byte) = row.get_mut(group as usize / 2) {
        let shift = group % 2 * 4;
        *byte = *byte & !(0xf << shift) | tally.min(MOST) << shift;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_do_not_disturb_each_other() {
        let mut tallies = Tallies::new(5);
        tallies.reach(3);
        (0..20).for_each(|_| tallies.add(1, 2));
        (0..3).for_each(|_| tallies.add(1, 3));
        let row = tallies.row_mut(1);
        assert_eq!((0..5).map(|group| get(row, group)).collect::<Vec<_>>(), [0, 0, MOST, 3, 0]);
        assert!([0, 2].iter().all(|user| tallies.row_mut(*user).iter().all(|byte| *byte == 0)));
        let mut carried = tallies.carried(&[Some(3), None, Some(2)]);
        let row = carried.row_mut(1);
        assert_eq!((0..3).map(|group| get(row, group)).collect::<Vec<_>>(), [3, 0, MOST]);
    }
}
