//! What values are made of and become: arrays of items, ranges, plain numbers and texts, JSON.

use std::cmp::Ordering;
use std::fmt::{self, Write};

use jaq_core::val::Range;
use jaq_json::{Map, Num, Val};

use super::budget::{take_bytes, take_steps};
use super::order;
use super::value::{ITEM, Measured, TEXT};

impl FromIterator<Self> for Measured {
    fn from_iter<T: IntoIterator<Item = Self>>(items: T) -> Self {
        let mut deepest = 0;
        let items: Val = items
            .into_iter()
            .map(|item| {
                take_bytes(ITEM);
                deepest = deepest.max(item.depth());
                item.value
            })
            .collect();
        Self::new(items, deepest + 1)
    }
}

impl From<bool> for Measured {
    fn from(value: bool) -> Self {
        Self::scalar(Val::Bool(value))
    }
}

impl From<isize> for Measured {
    fn from(value: isize) -> Self {
        Self::scalar(Val::from(value))
    }
}

impl From<usize> for Measured {
    fn from(value: usize) -> Self {
        Self::scalar(Val::from(value))
    }
}

impl From<f64> for Measured {
    fn from(value: f64) -> Self {
        Self::scalar(Val::Num(Num::Float(value)))
    }
}

impl From<String> for Measured {
    fn from(text: String) -> Self {
        take_bytes(TEXT + text.len());
        Self::scalar(Val::from(text))
    }
}

impl From<Range<Self>> for Measured {
    fn from(range: Range<Self>) -> Self {
        let bounds = [("start", range.start), ("end", range.end)];
        let bounds = bounds.into_iter().filter_map(|(name, bound)| Some((Val::utf8_str(name), bound?)));
        let depth = |object: &Map| object.values().map(order::depth).max().unwrap_or(0);
        let object: Map = bounds.map(|(name, bound)| (name, bound.value)).collect();
        let depth = depth(&object) + 1;
        Self::new(Val::obj(object), depth)
    }
}

impl PartialEq for Measured {
    fn eq(&self, other: &Self) -> bool {
        order::same(&self.value, &other.value)
    }
}

impl Eq for Measured {}

impl PartialOrd for Measured {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Measured {
    fn cmp(&self, other: &Self) -> Ordering {
        order::compare(&self.value, &other.value)
    }
}

/// As compact JSON. What is written counts, wherever it goes: most of it becomes a text.
impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Counting<'a, 'b>(&'a mut fmt::Formatter<'b>);
        impl Write for Counting<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                take_steps(1);
                take_bytes(text.len());
                self.0.write_str(text)
            }
        }
        write!(Counting(f), "{}", self.value)
    }
}
