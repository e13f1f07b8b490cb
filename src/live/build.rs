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
pub(super) enum Said {
    Tallies(Vec<(u32, u8)>),
    Holds(RoaringBitmap),
}

impl Said {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Tallies(users) => users.len(),
            Self::Holds(users) => usize::try_from(users.len()).unwrap_or(usize::MAX),
        }
    }

    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = (u32, u8)> + '_> {
        match self {
            Self::Tallies(users) => Box::new(users.iter().copied()),
            Self::Holds(users) => Box::new(users.iter().map(|user| (user, 1))),
        }
    }
}

/// A field, and what is still to be written of it.
struct Column<'a> {
    field: Field,
    next: Option<(u32, u8)>,
    rest: Box<dyn Iterator<Item = (u32, u8)> + 'a>,
}

impl<'a> Column<'a> {
    fn new((field, said): &'a (Field, Said)) -> Self {
        let mut rest = said.iter();
        Self { field: *field, next: rest.next(), rest }
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
        let measured = self.measure(|_| true);
        let mut beyond = Beyond::default();
        let said = self.say(&[], measured, &mut beyond);
        let rows = self.fill(&said, |_, _| ());
        self.state = State { universe: (&universe).into(), rows, beyond, marks, members: Vec::new() };
        let mut members = vec![0; self.programs.len()];
        self.each_word(&mut |segment, word| members[segment] += u64::from(word.count_ones()));
        self.state.members = members;
    }

    /// Who is in the segments that measure, as far as they are wanted.
    pub(super) fn measure(&self, wanted: impl Fn(u32) -> bool) -> Measured {
        let at = Timestamp::from_millis(self.now);
        let measure = |segment: u32| {
            let name = self.names.get(segment as usize)?;
            let plan = self.catalog.plan_of(self.catalog.get(name)?).ok()?;
            let Ok(members) = self.store.reading().answer(&plan, at, Among::Everyone);
            members.into_iter().next()
        };
        let measures = (0..).zip(&self.fields.measured);
        measures
            .map(|(segment, field)| field.filter(|_| wanted(segment)).and_then(|_| measure(segment)))
            .collect()
    }

    /// What the store says of all fields but those that are known.
    pub(super) fn say(&self, known: &[Field], measured: Measured, beyond: &mut Beyond) -> Vec<(Field, Said)> {
        let (store, at) = (self.store.reading(), Timestamp::from_millis(self.now));
        let fields = &self.fields;
        let is_new = |field: &Field| !known.contains(field);
        let tallies = self.counts.tally(store, self.now, |place| is_new(&fields.tallies[place as usize]));
        let new = |leaf: &u32| {
            self.counts.of_leaf(*leaf).is_none() && is_new(&fields.answers[*leaf as usize].field())
        };
        let leaves: Vec<u32> = (0..).take(fields.answers.len()).filter(new).collect();
        let asked: Vec<&Leaf> = leaves.iter().map(|leaf| &self.plan.leaves()[*leaf as usize]).collect();
        let Ok(answers) = store.resolve(&asked, at, Among::Everyone);

        let mut said = Vec::new();
        for (place, users) in tallies {
            let shown = users.into_iter().map(|(user, count)| {
                let (shown, more) = split(count);
                if more > 0 {
                    beyond.set(user, place, more);
                }
                (user, shown)
            });
            said.push((fields.tallies[place as usize], Said::Tallies(shown.collect())));
        }
        let of_answers = leaves.iter().zip(answers);
        said.extend(
            of_answers.map(|(leaf, users)| (fields.answers[*leaf as usize].field(), Said::Holds(users))),
        );
        let of_measured = fields.measured.iter().zip(measured);
        said.extend(of_measured.filter_map(|(field, users)| Some(((*field)?, Said::Holds(users?)))));
        said
    }

    /// The rows of all users: what `carry` puts into each, with the number of the user, and what is said.
    pub(super) fn fill(&self, said: &[(Field, Said)], mut carry: impl FnMut(u32, &mut Vec<u32>)) -> Rows {
        let mut columns: Vec<Column<'_>> = said.iter().map(Column::new).collect();
        let (mut rows, users) = (Rows::new(self.fields.bits), self.store.reading().user_numbers());
        rows.reach(users);
        let (mut row, mut some) = (Vec::new(), Vec::new());
        for first in (0..).take(users).step_by(TOGETHER) {
            some.clear();
            for user in (first..).take((users - first as usize).min(TOGETHER)) {
                row.clear();
                row.resize(self.fields.cells(), 0);
                carry(user, &mut row);
                columns.iter_mut().for_each(|column| column.write(user, &mut row));
                some.extend_from_slice(&row);
            }
            rows.fill(first, &some);
        }
        rows
    }
}
