//! Changes of attributes, and when the user was first seen.

use chrono_tz::Tz;

use super::windows::{Calendar, Ever, Given, WindowState, Windowed, around_methods, window_methods};
use crate::segment::{Changed, Segment};
use crate::value::Scalar;
use crate::window::{Anchor, Window};

/// Who had an attribute changed, from anything to anything and at any time until more is said.
///
/// ```
/// # use whodid::{changed, days, segment::Segment};
/// let upgraded = changed("plan").from("free").to("pro").last(days(30));
/// assert_eq!(
///     Segment::from(upgraded).to_json(),
///     r#"{"changed":{"name":"plan","from":"free","to":"pro","in":{"last":"30d"}}}"#
/// );
/// ```
pub fn changed(name: impl Into<String>) -> Change {
    Change { name: name.into(), from: None, to: None, window: Ever }
}

/// A change of an attribute.
///
/// Starts with [`changed`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Change<W = Ever> {
    name: String,
    from: Option<Scalar>,
    to: Option<Scalar>,
    window: W,
}

impl<W> Change<W> {
    /// From a value equal to this one.
    pub fn from(self, value: impl Into<Scalar>) -> Self {
        Self { from: Some(value.into()), ..self }
    }

    /// To a value equal to this one.
    pub fn to(self, value: impl Into<Scalar>) -> Self {
        Self { to: Some(value.into()), ..self }
    }

    fn moved<V>(self, to: impl FnOnce(W) -> V) -> Change<V> {
        Change { name: self.name, from: self.from, to: self.to, window: to(self.window) }
    }
}

impl Change<Ever> {
    fn placed<V: From<Window>>(self, window: Window) -> Change<V> {
        self.moved(|Ever| window.into())
    }
}

window_methods!([] Change<Ever> => Change<Windowed>, Change<Calendar>);
around_methods!([] Change<Ever> => Change<Windowed>);

impl Change<Calendar> {
    /// The zone whose days, weeks and months count (UTC where none is named).
    pub fn in_zone(self, tz: Tz) -> Change<Windowed> {
        self.moved(|calendar| calendar.in_zone(tz))
    }
}

impl<W: WindowState> From<Change<W>> for Segment {
    fn from(change: Change<W>) -> Self {
        let Change { name, from, to, window } = change;
        Self::Changed(Changed { name, from, to, window: window.window() })
    }
}

/// Who was first seen in a window, which follows; without one, an anchor for [`around`](super::Behavior::around).
///
/// ```
/// # use whodid::{Tz, seen, segment::Segment};
/// let new = seen().this_month().in_zone("Europe/Berlin".parse::<Tz>()?);
/// assert_eq!(
///     Segment::from(new).to_json(),
///     r#"{"seen":{"in":{"calendar":{"unit":"month","back":[0,0],"tz":"Europe/Berlin"}}}}"#
/// );
/// assert!("Europe/Entenhausen".parse::<Tz>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn seen() -> Seen {
    Seen { window: Ever }
}

/// When the user was first seen.
///
/// Starts with [`seen`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Seen<W = Ever> {
    window: W,
}

impl Seen<Ever> {
    fn placed<V: From<Window>>(self, window: Window) -> Seen<V> {
        Seen { window: window.into() }
    }
}

window_methods!([] Seen<Ever> => Seen<Windowed>, Seen<Calendar>);

impl Seen<Calendar> {
    /// The zone whose days, weeks and months count (UTC where none is named).
    pub fn in_zone(self, tz: Tz) -> Seen<Windowed> {
        Seen { window: self.window.in_zone(tz) }
    }
}

impl From<Seen<Ever>> for Anchor {
    fn from(_: Seen<Ever>) -> Self {
        Self::Seen
    }
}

impl<W: Given> From<Seen<W>> for Segment {
    fn from(seen: Seen<W>) -> Self {
        Self::Seen(seen.window.given())
    }
}
