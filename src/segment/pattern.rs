//! Regular expressions, compiled once as long as a plan holds them: catalogs are validated and planned whenever they change.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use foldhash::{HashMap, HashMapExt};
use regex::{Regex, RegexBuilder};

/// By pattern, and whether case is ignored: what has been compiled, if it is still held.
type Compiled = HashMap<(String, bool), Weak<Regex>>;

static COMPILED: Mutex<Option<Compiled>> = Mutex::new(None);

/// Patterns that are looked through for those that nobody holds any more, at least.
const FEW: usize = 64;

/// Compiles the pattern of a `matches`, with the defaults of the `regex` crate, unless somebody holds it.
pub(crate) fn compile(pattern: &str, ignore_case: bool) -> Result<Arc<Regex>, regex::Error> {
    let key = (pattern.to_owned(), ignore_case);
    let known = with_compiled(|compiled| compiled.get(&key).and_then(Weak::upgrade));
    if let Some(regex) = known {
        return Ok(regex);
    }
    let regex = Arc::new(RegexBuilder::new(pattern).case_insensitive(ignore_case).build()?);
    with_compiled(|compiled| {
        if compiled.len() >= FEW && compiled.len() == compiled.capacity() {
            compiled.retain(|_, regex| regex.strong_count() > 0);
        }
        compiled.insert(key, Arc::downgrade(&regex));
    });
    Ok(regex)
}

fn with_compiled<T>(use_it: impl FnOnce(&mut Compiled) -> T) -> T {
    // Whatever panicked, each entry is whole.
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    use_it(compiled.get_or_insert_with(Compiled::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_compiled_once() {
        let held = compile("once+", false).unwrap();
        assert!(Arc::ptr_eq(&held, &compile("once+", false).unwrap()));
        let folded = compile("once+", true).unwrap();
        assert!(!Arc::ptr_eq(&held, &folded));
        assert!(folded.is_match("ONCEEE") && !held.is_match("ONCEEE"));
        assert!(compile("once(", false).is_err());
    }

    #[test]
    fn what_nobody_holds_takes_no_room() {
        for n in 0..20 * FEW {
            compile(&format!("gone{n}"), false).unwrap();
        }
        let count =
            with_compiled(|compiled| compiled.keys().filter(|(text, _)| text.starts_with("gone")).count());
        assert!(count <= 4 * FEW, "{count}");
    }
}
