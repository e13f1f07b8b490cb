//! What is kept of each user, made from the store: all of it at first, and what a changed catalog adds.

use roaring::RoaringBitmap;

use super::Live;
use super::beyond::Beyond;
use super::fields::Field;
use super::follow::split;
use super::rows::{Rows, TOGETHER};
use super::state::State;
use crate::plan::Leaf;
use crate::store::{Among, EventStore};
use crate::time::Timestamp;

/// What a field says of users, in order; of all others it says 0.
struct Column<'a> {
    field: Field,
    next: Option<(u32, u8)>,
    rest: Box<dyn Iterator<Item = (u32, u8)> + 'a>,
}

impl<'a> Column<'a> {
    fn new(field: Field, mut users: impl Iterator<Item = (u32, u8)> + 'a) -> Self {
        Self { field, next: users.next(), rest: Box::new(users) }
    }

    fn of(field: Field, users: &'a RoaringBitmap) -> Self {
        Self::new(field, users.iter().map(|user| (user, 1)))
    }

    /// Writes what is said of a user into its row.
    fn write(&mut self, user: u32, row: &mut [u32]) {
        if let Some((of, value)) = self.next
            && of == user
        {
            self.field.put(row, value);
            self.next = self.rest.next();
        }
    }
}

/// What a segment that measures says, or `None` where it has been known.
pub(super) type Measured = Vec<Option<RoaringBitmap>>;

impl Live {
    /// Answers everything from the store.
    pub(super) fn evaluate(&mut self) {
        let (store, at) = (self.store.reading(), Timestamp::from_millis(self.now));
        let Ok(universe) = store.universe(at);
        let marks = self.counts.mark_all(store, self.now);
        let measured = self.measure_all();
        let mut beyond = Beyond::default();
        let rows = self.fill(&[], &measured, &mut beyond, |_, _| ());
        self.state = State { universe: (&universe).into(), rows, beyond, marks, members: Vec::new() };
        let mut members = vec![0; self.programs.len()];
        self.each_word(&mut |segment, word| members[segment] += u64::from(word.count_ones()));
        self.state.members = members;
        self.bitmaps.clear();
    }

    /// Who is in the segments that measure.
    fn measure_all(&self) -> Measured {
        let at = Timestamp::from_millis(self.now);
        let measure = |segment: usize| {
            let name = self.names.get(segment)?;
            let plan = self.catalog.plan_of(self.catalog.get(name)?).ok()?;
            let Ok(members) = self.store.reading().answer(&plan, at, Among::Everyone);
            members.into_iter().next()
        };
        let measures = self.fields.measured.iter().enumerate();
        measures.map(|(segment, field)| field.and_then(|_| measure(segment))).collect()
    }

    /// The rows of all users: what `carry` puts into each, with the number of the user, and what the store says of
    /// all fields but those that are known.
    pub(super) fn fill(
        &self,
        known: &[Field],
        measured: &Measured,
        beyond: &mut Beyond,
        mut carry: impl FnMut(u32, &mut Vec<u32>),
    ) -> Rows {
        let (store, at) = (self.store.reading(), Timestamp::from_millis(self.now));
        let fields = &self.fields;
        let is_new = |field: &Field| !known.contains(field);
        let tallies = self.counts.tally(store, self.now, |place| is_new(&fields.tallies[place as usize]));
        let new = |leaf: &u32| {
            self.counts.of_leaf(*leaf).is_none() && is_new(&fields.answers[*leaf as usize].field)
        };
        let leaves: Vec<u32> = (0..).take(fields.answers.len()).filter(new).collect();
        let asked: Vec<&Leaf> = leaves.iter().map(|leaf| &self.plan.leaves()[*leaf as usize]).collect();
        let Ok(answers) = store.resolve(&asked, at, Among::Everyone);

        for (place, users) in &tallies {
            let more = users.iter().map(|(user, count)| (*user, split(*count).1));
            more.filter(|(_, more)| *more > 0).for_each(|(user, more)| beyond.set(user, *place, more));
        }
        let of_tallies = tallies.iter().map(|(place, users)| {
            let shown = users.iter().map(|(user, count)| (*user, split(*count).0));
            Column::new(fields.tallies[*place as usize], shown)
        });
        let of_answers = leaves
            .iter()
            .zip(&answers)
            .map(|(leaf, users)| Column::of(fields.answers[*leaf as usize].field, users));
        let of_measured = fields.measured.iter().zip(measured);
        let of_measured =
            of_measured.filter_map(|(field, users)| Some(Column::of((*field)?, users.as_ref()?)));
        let mut columns: Vec<Column<'_>> = of_tallies.chain(of_answers).chain(of_measured).collect();

        let (mut rows, users) = (Rows::new(fields.bits), store.user_numbers());
        rows.reach(users);
        let (mut row, mut some) = (Vec::new(), Vec::new());
        for first in (0..).take(users).step_by(TOGETHER) {
            some.clear();
            for user in (first..).take((users - first as usize).min(TOGETHER)) {
                row.clear();
                row.resize(fields.cells(), 0);
                carry(user, &mut row);
                columns.iter_mut().for_each(|column| column.write(user, &mut row));
                some.extend_from_slice(&row);
            }
            rows.fill(first, &some);
        }
        rows
    }
}
