//! Windows, said of a builder that has none yet.

use chrono_tz::Tz;

use crate::time::{Span, Unit};
use crate::window::{Anchor, Reach, Window};

/// No window yet: ever.
#[derive(Clone, Copy, Debug)]
pub struct Ever;

/// A window was given; a second one does not compile.
#[derive(Clone, Debug)]
pub struct Windowed(Window);

/// A window of calendar units was given: its zone may follow.
#[derive(Clone, Debug)]
pub struct Calendar(Window);

pub(super) mod sealed {
    /// Keeps the builder's traits to the builder.
    pub trait Sealed {}
}

/// What a builder can carry as its window.
pub trait WindowState: sealed::Sealed {
    #[doc(hidden)]
    fn window(self) -> Option<Window>;
}

/// A window that was given: [`Windowed`] or [`Calendar`].
pub trait Given: WindowState {
    #[doc(hidden)]
    fn given(self) -> Window;
}

impl sealed::Sealed for Ever {}

impl WindowState for Ever {
    fn window(self) -> Option<Window> {
        None
    }
}

macro_rules! given {
    ($($state:ident),*) => {$(
        impl sealed::Sealed for $state {}

        impl WindowState for $state {
            fn window(self) -> Option<Window> {
                Some(self.0)
            }
        }

        impl Given for $state {
            fn given(self) -> Window {
                self.0
            }
        }

        impl From<Window> for $state {
            fn from(window: Window) -> Self {
                Self(window)
            }
        }
    )*};
}

given!(Windowed, Calendar);

impl Calendar {
    pub(super) fn in_zone(self, tz: Tz) -> Windowed {
        Windowed(in_zone(self.0, tz))
    }
}

/// A builder without a window, as seen by [`Around`].
pub trait TakesWindow: sealed::Sealed {
    /// The builder once it has one.
    type Windowed;
    /// Gives the window.
    fn in_window(self, window: Window) -> Self::Windowed;
}

/// A window around the user's own instant that still has to say how far it reaches: before it, after it, or both.
#[derive(Clone, Debug)]
#[must_use = "say how far it reaches: before, after or before_and_after"]
pub struct Around<B> {
    builder: B,
    of: Anchor,
}

impl<B: TakesWindow> Around<B> {
    pub(super) fn new(builder: B, of: Anchor) -> Self {
        Self { builder, of }
    }

    /// From the instant itself until so long after it; [`Reach::Ever`] for all of it.
    pub fn after(self, reach: impl Into<Reach>) -> B::Windowed {
        self.reaching(None, Some(reach.into()))
    }

    /// From so long before the instant until the instant itself; [`Reach::Ever`] for all of it.
    pub fn before(self, reach: impl Into<Reach>) -> B::Windowed {
        self.reaching(Some(reach.into()), None)
    }

    /// From so long before the instant until so long after it.
    pub fn before_and_after(self, before: impl Into<Reach>, after: impl Into<Reach>) -> B::Windowed {
        self.reaching(Some(before.into()), Some(after.into()))
    }

    fn reaching(self, before: Option<Reach>, after: Option<Reach>) -> B::Windowed {
        self.builder.in_window(Window::Around { of: self.of, before, after })
    }
}

impl From<Span> for Reach {
    fn from(span: Span) -> Self {
        Self::Span(span)
    }
}

/// So many whole units back, from the first to the last.
pub(super) fn units(unit: Unit, from: i64, to: i64) -> Window {
    Window::Calendar { unit, from, to, tz: Tz::UTC }
}

/// The window with its calendar in another zone.
pub(super) fn in_zone(window: Window, tz: Tz) -> Window {
    match window {
        Window::Calendar { unit, from, to, .. } => Window::Calendar { unit, from, to, tz },
        other => other,
    }
}

/// The methods that give a window, for a builder with a `placed` that takes one.
macro_rules! window_methods {
    ([$($generics:tt)*] $from:ty => $windowed:ty, $calendar:ty) => {
        /// Windows of time.
        impl<$($generics)*> $from {
            /// In the last such span: `(T − span, T]`.
            pub fn last(self, span: $crate::time::Span) -> $windowed {
                self.placed($crate::window::Window::Last(span))
            }

            /// At least so long ago: everything up to `T − span`.
            pub fn before(self, span: $crate::time::Span) -> $windowed {
                self.placed($crate::window::Window::Before(span))
            }

            /// Between two spans ago, the longer first: `(T − from, T − to]`.
            pub fn ago(self, from: $crate::time::Span, to: $crate::time::Span) -> $windowed {
                self.placed($crate::window::Window::Ago { from, to })
            }

            /// From an instant until just before another.
            pub fn during<I: Into<$crate::time::Timestamp>>(self, range: std::ops::Range<I>) -> $windowed {
                let (from, to) = (Some(range.start.into()), Some(range.end.into()));
                self.placed($crate::window::Window::Fixed { from, to })
            }

            /// From an instant on.
            pub fn since(self, from: impl Into<$crate::time::Timestamp>) -> $windowed {
                self.placed($crate::window::Window::Fixed { from: Some(from.into()), to: None })
            }

            /// Until just before an instant.
            pub fn until(self, to: impl Into<$crate::time::Timestamp>) -> $windowed {
                self.placed($crate::window::Window::Fixed { from: None, to: Some(to.into()) })
            }

            /// Today so far.
            pub fn today(self) -> $calendar {
                self.units($crate::time::Unit::Day, 0, 0)
            }

            /// This week so far, from Monday.
            pub fn this_week(self) -> $calendar {
                self.units($crate::time::Unit::Week, 0, 0)
            }

            /// This month so far.
            pub fn this_month(self) -> $calendar {
                self.units($crate::time::Unit::Month, 0, 0)
            }

            /// This quarter so far.
            pub fn this_quarter(self) -> $calendar {
                self.units($crate::time::Unit::Quarter, 0, 0)
            }

            /// This year so far.
            pub fn this_year(self) -> $calendar {
                self.units($crate::time::Unit::Year, 0, 0)
            }

            /// The last `n` complete units, without the current one.
            pub fn previous(self, n: u32, unit: $crate::time::Unit) -> $calendar {
                self.units(unit, n.into(), 1)
            }

            /// Whole units from so many back to so many back; 0 is the current one, negative ones are to come.
            pub fn units(self, unit: $crate::time::Unit, from: i64, to: i64) -> $calendar {
                self.placed($crate::segment::builder::windows::units(unit, from, to))
            }

            /// In a window made elsewhere.
            pub fn in_window(self, window: $crate::window::Window) -> $windowed {
                self.placed(window)
            }
        }
    };
}

/// The methods that give a window around the user's own instant, for what can have one.
macro_rules! around_methods {
    ([$($generics:tt)*] $from:ty => $windowed:ty) => {
        /// Windows around the user's own instant.
        impl<$($generics)*> $from {
            /// Around the user's own instant: [`seen()`](crate::seen), [`attribute("signed_up_at")`](crate::attribute), or
            /// the [first](crate::segment::builder::Behavior::first) or
            /// [latest](crate::segment::builder::Behavior::latest) of a behaviour. How far it reaches follows.
            pub fn around(
                self,
                anchor: impl Into<$crate::window::Anchor>,
            ) -> $crate::segment::builder::windows::Around<Self> {
                $crate::segment::builder::windows::Around::new(self, anchor.into())
            }

            /// Within so long after the user was first seen.
            pub fn within_first(self, span: $crate::time::Span) -> $windowed {
                self.around($crate::window::Anchor::Seen).after(span)
            }
        }

        impl<$($generics)*> $crate::segment::builder::windows::sealed::Sealed for $from {}

        impl<$($generics)*> $crate::segment::builder::windows::TakesWindow for $from {
            type Windowed = $windowed;

            fn in_window(self, window: $crate::window::Window) -> $windowed {
                self.placed(window)
            }
        }
    };
}

pub(super) use {around_methods, window_methods};
