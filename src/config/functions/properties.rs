//! The properties of one trigger, whatever language spelled them: names in any case, of extension
//! version 3 or 4, and in snake case.

use std::collections::BTreeMap;

/// A value as far as the source tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// Text, number or truth, as text.
    Value(String),
    /// An expression that only the compiler or the running program knows.
    Unknown(String),
}

/// Properties by lower-case name without underscores.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Properties(BTreeMap<String, Told>);

impl Properties {
    pub(super) fn insert(&mut self, name: &str, value: Told) {
        self.0.insert(normal(name), value);
    }

    /// The first of these names that is given.
    pub(super) fn get(&self, names: &[&str]) -> Option<&Told> {
        names.iter().find_map(|name| self.0.get(&normal(name)))
    }
}

fn normal(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}
