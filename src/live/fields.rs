//! Where in a user's row lies what: tallies, and answers that no tally gives.

use super::Question;
use super::counts::{Counts, MOST, TALLY};
use super::rows;
use crate::limits::SMALL;
use crate::plan::{Leaf, Node, Plan, Term};

/// Bits of a row that nothing has to need.
const SLACK: usize = if SMALL { 4 } else { 32 };

/// Some bits of a cell, which say a number in Gray's code: one more or less turns one bit around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) cell: u32,
    pub(super) shift: u8,
    pub(super) bits: u8,
}

impl Field {
    fn mask(self) -> u32 {
        (1 << self.bits) - 1
    }

    /// Its bits, in the cell.
    pub(super) fn of_cell(self) -> u32 {
        self.mask() << self.shift
    }

    pub(super) fn is_tally(self) -> bool {
        u32::from(self.bits) == TALLY
    }

    /// Its cell, and the first bit there; all of them lie in one byte.
    pub(super) fn place(self) -> (u32, u32) {
        (self.cell, u32::from(self.shift))
    }

    /// What a cell says.
    pub(super) fn of(self, cell: u32) -> u8 {
        let code = cell >> self.shift & self.mask();
        let number = code ^ code >> 1;
        u8::try_from(number ^ number >> 2).unwrap_or(0)
    }

    /// What the cells of 64 users say, of which it is told who has each bit from its first on.
    pub(super) fn of_planes(self, planes: [u64; TALLY as usize]) -> [u8; 64] {
        std::array::from_fn(|user| {
            let bits =
                (0..self.bits).zip(planes).map(|(bit, plane)| u32::from(plane >> user & 1 == 1) << bit);
            Self { cell: 0, shift: 0, ..self }.of(bits.fold(0, |code, bit| code | bit))
        })
    }

    /// The cell with another value.
    pub(super) fn with(self, cell: u32, value: u8) -> u32 {
        cell & !self.of_cell() | (code_of(value) & self.mask()) << self.shift
    }

    pub(super) fn get(self, row: &[u32]) -> u8 {
        row.get(self.cell as usize).map_or(0, |cell| self.of(*cell))
    }

    /// Sets it in a row; tells whether it was another.
    pub(super) fn put(self, row: &mut [u32], value: u8) -> bool {
        let Some(cell) = row.get_mut(self.cell as usize) else { return false };
        let before = std::mem::replace(cell, self.with(*cell, value));
        before != *cell
    }
}

/// Gray's code of a number of up to four bits.
fn code_of(number: u8) -> u32 {
    u32::from(number ^ number >> 1)
}

/// How a row tells whether a leaf holds: its field says one of some numbers. Many are asked whenever something changes: it takes a
/// few steps without a branch, and eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    cell: u32,
    shift: u8,
    bits: u8,
    /// Bit by bit: whether it holds where the cell says this from `shift` on, in as many bits as a tally has. Those that are
    /// not of the field make no difference.
    table: u16,
}

/// A bit for each thing that the bits of a tally may say.
const _: () = assert!(1 << TALLY == u16::BITS);

impl Answer {
    /// Holds nowhere.
    pub(super) const NEVER: Self = Self { cell: 0, shift: 0, bits: 0, table: 0 };
    /// Holds everywhere.
    pub(super) const ALWAYS: Self = Self { table: u16::MAX, ..Self::NEVER };

    /// Holds where the field says a number of this range.
    pub(super) fn new(Field { cell, shift, bits }: Field, low: u8, high: u8) -> Self {
        let in_place = Field { cell: 0, shift: 0, bits };
        let holds = |code: u32| (low..=high).contains(&in_place.of(code));
        let table = (0..u16::BITS).filter(|code| holds(*code)).fold(0, |table, code| table | 1 << code);
        Self { cell, shift, bits, table }
    }

    /// Holds where this one does not.
    pub(super) fn opposite(self) -> Self {
        Self { table: !self.table, ..self }
    }

    pub(super) fn field(self) -> Field {
        Field { cell: self.cell, shift: self.shift, bits: self.bits }
    }

    /// Its field, where no tally is in it.
    pub(super) fn bit(self) -> Option<Field> {
        (!self.field().is_tally()).then_some(self.field())
    }

    /// Whether it holds where its cell says this.
    pub(super) fn holds_in(self, cell: u32) -> bool {
        self.table >> (cell >> self.shift & u32::from(MOST)) & 1 == 1
    }

    /// For which of 64 users it holds, by the bits of its tally.
    pub(super) fn holds_among(self, planes: [u64; TALLY as usize]) -> u64 {
        let is = |code: u32| {
            let bits = (0..).zip(planes).map(|(bit, plane)| (code >> bit & 1 == 1, plane));
            bits.fold(u64::MAX, |who, (has, plane)| who & if has { plane } else { !plane })
        };
        let any = |table: u16| {
            let codes = (0..u16::BITS).filter(|code| table >> code & 1 == 1);
            codes.fold(0, |who, code| who | is(code))
        };
        // The shorter of the two ways to say it.
        if self.table.count_ones() <= u16::BITS / 2 { any(self.table) } else { !any(!self.table) }
    }

    pub(super) fn holds(self, row: &[u32]) -> bool {
        self.holds_in(row.get(self.cell as usize).copied().unwrap_or(0))
    }
}

/// Fields that rows have already: of each group, leaf and segment of a plan, where there is one.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    pub(super) tallies: Vec<Option<Field>>,
    pub(super) answers: Vec<Option<Field>>,
    pub(super) measured: Vec<Option<Field>>,
    /// Bits of a row; in those that no field lies in may be anything.
    pub(super) bits: usize,
    /// Whether they stay where they are.
    pub(super) stay: bool,
}

impl Kept {
    /// Where each lies, and where it lies among the fields of the plan.
    pub(super) fn moved(&self, fields: &Fields) -> Vec<(Field, Field)> {
        let tallies = self.tallies.iter().zip(fields.tallies.iter().copied().map(Some));
        let answers = self.answers.iter().zip(fields.answers.iter().map(|answer| answer.bit()));
        let measured = self.measured.iter().zip(fields.measured.iter().copied());
        tallies.chain(answers).chain(measured).filter_map(|(from, to)| Some(((*from)?, to?))).collect()
    }
}

/// The fields of a plan's rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    /// Of each group of tallies.
    pub(super) tallies: Vec<Field>,
    /// Of each leaf.
    pub(super) answers: Vec<Answer>,
    /// Of each segment that measures, which answers do not decide: whether the user is in.
    pub(super) measured: Vec<Option<Field>>,
    /// The leaves of each cell.
    pub(super) leaves: Vec<Vec<Question>>,
    /// Bits of a row.
    pub(super) bits: usize,
}

impl Fields {
    /// Fields that are likely not to be 0 for the same users lie in the same cells.
    pub(super) fn of(plan: &Plan, counts: &Counts) -> Self {
        Self::beside(&Kept::default(), plan, counts)
    }

    /// Fields of which those that are kept stay where they are, and the others lie behind all that has been used; `None` where
    /// that leaves too much room that nothing needs any more.
    pub(super) fn after(kept: &Kept, plan: &Plan, counts: &Counts) -> Option<Self> {
        let (fields, tight) = (Self::beside(kept, plan, counts), Self::of(plan, counts).bits);
        (fields.bits <= tight + tight / 4 + SLACK).then_some(fields)
    }

    fn beside(kept: &Kept, plan: &Plan, counts: &Counts) -> Self {
        let leaves = (0..).take(plan.leaves().len());
        let mut others: Vec<Question> = leaves.filter(|leaf| counts.of_leaf(*leaf).is_none()).collect();
        let mut room = Room { used: u32::try_from(kept.bits).unwrap_or(u32::MAX) };
        let mut tallies: Vec<Field> = Vec::with_capacity(counts.groups().len());
        let known = |of: &[Option<Field>], place: usize| of.get(place).copied().flatten();
        let all = counts.groups().len() * TALLY as usize + others.len() + plan.roots().len();
        for alike in counts.groups().chunk_by(|a, b| a.key.events == b.key.events) {
            let first = tallies.len();
            let known = (first..).take(alike.len()).map(|place| known(&kept.tallies, place));
            // Few cells are kept tight.
            if all > rows::FEW * 32 {
                let new = known.clone().filter(Option::is_none).count();
                room.keep_together(TALLY * u32::try_from(new).unwrap_or(u32::MAX / TALLY));
            }
            tallies.extend(known.map(|known| known.unwrap_or_else(|| room.take(TALLY))));
        }
        let mut answers = vec![Answer::NEVER; plan.leaves().len()];
        for (question, answer) in (0..).zip(&mut answers) {
            if let Some((group, low, high)) = counts.range_of(question) {
                *answer = Answer::new(tallies[group as usize], low, high);
            }
        }
        others.sort_by_cached_key(|question| kind(&plan.leaves()[*question as usize]));
        for question in others {
            let field = known(&kept.answers, question as usize).unwrap_or_else(|| room.take(1));
            answers[question as usize] = Answer::new(field, 1, 1);
        }
        let measures = measuring(plan);
        let field = |(place, root): (usize, usize)| {
            let of_segment = || known(&kept.measured, place).unwrap_or_else(|| room.take(1));
            measures[root].then(of_segment)
        };
        let measured = plan.roots().enumerate().map(field).collect();
        let mut leaves = vec![Vec::new(); room.cells()];
        for (question, answer) in (0..).zip(&answers) {
            leaves[answer.cell as usize].push(question);
        }
        Self { tallies, answers, measured, leaves, bits: room.used as usize }
    }

    pub(super) fn cells(&self) -> usize {
        self.leaves.len()
    }

    /// Where it lies whether a user is in a segment, if that measures.
    pub(super) fn of_segment(&self, segment: u32) -> Option<Field> {
        self.measured.get(segment as usize).copied().flatten()
    }

    pub(super) fn holds(&self, leaf: Question, row: &[u32]) -> bool {
        self.answers.get(leaf as usize).is_some_and(|answer| answer.holds(row))
    }

    pub(super) fn memory(&self) -> usize {
        let leaves: usize = self.leaves.iter().map(|leaves| leaves.capacity() * 4 + 24).sum();
        self.tallies.capacity() * size_of::<Field>()
            + self.answers.capacity() * size_of::<Answer>()
            + self.measured.capacity() * size_of::<Option<Field>>()
            + leaves
    }
}

/// What a leaf is about; first comes what nearly everyone has.
fn kind(leaf: &Leaf) -> Vec<String> {
    let events = leaf.matchers().iter().flat_map(|matcher| matcher.events());
    events.map(ToString::to_string).collect()
}

/// Cells that fill up.
#[derive(Debug, Default)]
struct Room {
    used: u32,
}

impl Room {
    /// Starts a cell, where the bits to come would lie in one more than needed.
    fn keep_together(&mut self, bits: u32) {
        let left = self.used.next_multiple_of(32) - self.used;
        if bits > left {
            self.used += left;
        }
    }

    fn take(&mut self, bits: u32) -> Field {
        self.keep_together(bits);
        let (cell, shift) = (self.used / 32, self.used % 32);
        self.used += bits;
        Field { cell, shift: u8::try_from(shift).unwrap_or(0), bits: u8::try_from(bits).unwrap_or(0) }
    }

    fn cells(&self) -> usize {
        self.used.div_ceil(32) as usize
    }
}

/// By node: whether something below it is measured. Nodes come behind those that they name.
fn measuring(plan: &Plan) -> Vec<bool> {
    let mut measuring: Vec<bool> = Vec::with_capacity(plan.nodes().len());
    for node in plan.nodes() {
        let measures = |term: &Term| matches!(term, Term::Per(..));
        let itself = matches!(node, Node::Score(terms, _) if terms.iter().any(measures));
        let below = itself || node.children().any(|child| measuring[child]);
        measuring.push(below);
    }
    measuring
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_was_written_and_one_more_turns_one_bit() {
        let mut room = Room::default();
        let fields: Vec<Field> = [4, 1, 4, 4, 1].into_iter().map(|bits| room.take(bits)).collect();
        for field in fields {
            for cell in [0, u32::MAX, 0x5a5a_5a5a] {
                let written = |value: u8| field.with(cell, value);
                for value in 0..1 << field.bits {
                    assert_eq!(field.of(written(value)), value);
                    assert_eq!((written(value) ^ cell) & !field.of_cell(), 0);
                }
                (1..1 << field.bits)
                    .for_each(|value| assert_eq!((written(value) ^ written(value - 1)).count_ones(), 1));
            }
        }
    }

    #[test]
    fn sixty_four_users_are_asked_as_one_is() {
        let field = Field { cell: 0, shift: 8, bits: 4 };
        for (low, high) in (0..=MOST).flat_map(|low| (0..=MOST).map(move |high| (low, high))) {
            let answer = Answer::new(field, low, high);
            let tally = |user: u8| field.with(0, user % 16);
            let plane = |bit: u32| {
                (0..64).fold(0, |plane, user| plane | u64::from(tally(user) >> (8 + bit) & 1) << user)
            };
            let who = answer.holds_among([0, 1, 2, 3].map(plane));
            (0..64).for_each(|user| {
                assert_eq!(who >> user & 1 == 1, answer.holds_in(tally(user)), "{low} {high} {user}")
            });
        }
    }
}
