//! What every engine puts out: who entered and who left, at which instant.

/// A user's membership changed at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Transition {
    pub user: u32,
    pub at: u64,
    pub entered: bool,
}

/// What is compared of all transitions: their numbers and a sum over them that no order shows in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    pub entered: u64,
    pub left: u64,
    sum: u64,
}

impl Digest {
    pub fn add(&mut self, transition: Transition) {
        let Transition { user, at, entered } = transition;
        *(if entered { &mut self.entered } else { &mut self.left }) += 1;
        let mixed = (at.rotate_left(24) ^ u64::from(user)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.sum = self.sum.wrapping_add((mixed ^ (mixed >> 29)).wrapping_mul(1 + 2 * u64::from(entered)));
    }

    pub fn join(self, other: Self) -> Self {
        Self {
            entered: self.entered + other.entered,
            left: self.left + other.left,
            sum: self.sum.wrapping_add(other.sum),
        }
    }
}
