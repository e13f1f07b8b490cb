//! From a leaf that has changed to a segment that depends on it: what else decides whether a user enters or leaves.

use super::fields::Answer;

/// Other literals that lie beside a dependent; most segments have no more.
const FEW: usize = 3;

/// A segment that a question can change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dependent {
    pub(super) segment: u32,
    /// `None` where the segment is not made of literals alone, and is compared as a whole.
    clause: Option<Clause>,
    /// The other literals: each holds where its leaf is as it is wanted.
    others: [Answer; FEW],
}

/// What makes the segment of the leaf and the other literals.
#[derive(Clone, Copy, Debug)]
struct Clause {
    /// What the leaf is wanted to be.
    wanted: bool,
    /// Whether those are in for whom not all literals are as they are wanted, and not those for whom all are.
    is_complement: bool,
    /// Whether no other literals are left than lie beside.
    is_all: bool,
}

/// They are gone through whenever an answer changes: a line of the processor's cache holds two.
const _: () = assert!(size_of::<Dependent>() <= 32);

impl Dependent {
    /// A segment that is compared as a whole.
    pub(super) fn whole(segment: u32) -> Self {
        Self { segment, clause: None, others: [Answer::ALWAYS; FEW] }
    }

    /// A segment that wants the leaf to be so, and the leaves of others to be as those say.
    pub(super) fn of_literal(
        segment: u32,
        wanted: bool,
        is_complement: bool,
        rest: impl Iterator<Item = Answer>,
    ) -> Self {
        let mut others = [Answer::ALWAYS; FEW];
        let mut rest = rest.fuse();
        others.iter_mut().zip(&mut rest).for_each(|(place, other)| *place = other);
        let is_all = rest.next().is_none();
        Self { segment, clause: Some(Clause { wanted, is_complement, is_all }), others }
    }

    /// Whether the segment has to be compared as a whole.
    pub(super) fn is_whole(&self) -> bool {
        self.clause.is_none()
    }

    /// Whether a user enters or leaves since the leaf holds now, or no longer does; `None`: neither. What has just come true
    /// was not before, so that only one side has to be looked at; `all` tells of a side whether all literals are as they are
    /// wanted.
    pub(super) fn turned(
        &self,
        holds: bool,
        (before, now): (&[u32], &[u32]),
        all: impl FnOnce(&[u32]) -> bool,
    ) -> Option<bool> {
        let clause = self.clause?;
        let came_true = holds == clause.wanted;
        let side = if came_true { now } else { before };
        // All are looked at: which of them is not so no processor can guess.
        let granted = self.others.iter().fold(true, |granted, other| granted & other.holds(side));
        (granted && (clause.is_all || all(side))).then_some(came_true != clause.is_complement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::fields::Field;

    /// However many literals there are, and whatever the answers were and are, it is told who enters and who leaves.
    #[test]
    fn what_turns_is_what_differs() {
        let field = |bit: u32| Field { cell: bit / 32, shift: u8::try_from(bit % 32).unwrap(), bits: 1 };
        for (literals, is_complement) in
            (1..=6_u32).flat_map(|literals| [(literals, false), (literals, true)])
        {
            // Every other one is wanted not to be; some lie in the second cell.
            let place = |literal: u32| 29 + literal;
            let wanted = |literal: u32| literal.is_multiple_of(2);
            let answer = |literal: u32| {
                Answer::new(field(place(literal)), u8::from(wanted(literal)), u8::from(wanted(literal)))
            };
            let row = |answers: u32| [answers << 29, answers >> 3];
            let all = |row: &[u32]| (0..literals).all(|literal| answer(literal).holds(row));
            let is_in = |answers: u32| all(&row(answers)) != is_complement;
            for (before, leaf) in
                (0..1 << literals).flat_map(|before| (0..literals).map(move |leaf| (before, leaf)))
            {
                let others = (0..literals).filter(|other| *other != leaf).map(answer);
                let dependent = Dependent::of_literal(7, wanted(leaf), is_complement, others);
                for now in (0..1 << literals).filter(|now| (now ^ before) >> leaf & 1 == 1) {
                    let expected = (is_in(before) != is_in(now)).then(|| is_in(now));
                    let sides = (row(before), row(now));
                    let turned = dependent.turned(now >> leaf & 1 == 1, (&sides.0, &sides.1), all);
                    assert_eq!(turned, expected, "{literals} {is_complement} {before:b} {now:b} {leaf}");
                }
            }
        }
        assert!(Dependent::whole(7).is_whole());
        assert_eq!(Dependent::whole(7).turned(true, (&[0], &[1]), |_| true), None);
    }
}
