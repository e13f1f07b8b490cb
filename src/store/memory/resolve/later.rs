//! Who has an event after an instant, where these are few: clocks differ, and events arrive while a question is on its
//! way.

use super::super::kernel;
use super::super::part::Part;
use super::super::snapshot::Snapshot;
use super::scan::mask_instants;
use crate::limits::SMALL;
use crate::plan::bounds::Bounds;

/// Events that are few.
const FEW: usize = if SMALL { 3 } else { 256 };

/// The users with an event of the names after an instant; `None` where there are more than a few such events.
pub(super) fn few_after(store: &Snapshot, names: &[u32], at: i64) -> Option<Vec<u32>> {
    let after = Bounds { lo: at.checked_add(1)?, hi: i64::MAX };
    let parts = store.parts_of_names(names, after);
    let parts: Vec<&Part> = parts.filter(|part| part.last_instant() > at).collect();
    let all_after: usize = parts.iter().filter(|part| part.first_instant() > at).map(|part| part.len()).sum();
    if all_after > FEW {
        return None;
    }
    let tail = names.iter().flat_map(|&name| store.tail.rows_of_name(name));
    let mut users: Vec<u32> = tail.filter(|row| row.at > at).map(|row| row.user).take(FEW + 1).collect();
    let mut mask = None;
    for part in parts {
        for block in part.blocks() {
            let (base, rows) = (u32::from(block.high) << 16, block.rows());
            let lows = part.users().get(rows.clone()).unwrap_or_default();
            mask_instants(part, rows, after, &mut mask);
            match &mask {
                None => users.extend(lows.iter().map(|low| base | u32::from(*low))),
                Some(mask) => kernel::for_each_bit(mask, |row| users.push(base | u32::from(lows[row]))),
            }
            if users.len() > FEW {
                return None;
            }
        }
    }
    users.sort_unstable();
    let is_few = users.len() <= FEW;
    users.dedup();
    is_few.then_some(users)
}
