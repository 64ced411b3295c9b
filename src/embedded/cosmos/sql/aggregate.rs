//! Aggregates, one document at a time.

use std::cmp::Ordering;

use serde_json::Value;

use super::value::{compare, number, order};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Count,
    CountIf,
    Sum,
    Avg,
    Min,
    Max,
}

impl Kind {
    /// By its name in capitals.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "COUNT" => Self::Count,
            "COUNTIF" => Self::CountIf,
            "SUM" => Self::Sum,
            "AVG" => Self::Avg,
            "MIN" => Self::Min,
            "MAX" => Self::Max,
            _ => return None,
        })
    }
}

/// An aggregate on its way.
#[derive(Debug, Clone)]
pub(super) struct State {
    kind: Kind,
    count: u64,
    /// Whole as long as all of it is whole.
    whole: Option<i64>,
    sum: f64,
    best: Option<Value>,
    /// A value that the aggregate is not defined for.
    spoilt: bool,
}

impl State {
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, count: 0, whole: Some(0), sum: 0.0, best: None, spoilt: false }
    }

    /// Takes in the argument's value for one document; undefined counts for nothing.
    pub(super) fn add(&mut self, value: Option<&Value>) {
        let Some(value) = value else { return };
        match self.kind {
            Kind::Count => self.count += 1,
            Kind::CountIf => self.count += u64::from(*value == Value::Bool(true)),
            Kind::Sum | Kind::Avg => match value.as_f64() {
                Some(n) => {
                    self.count += 1;
                    self.sum += n;
                    self.whole = self.whole.zip(value.as_i64()).and_then(|(sum, n)| sum.checked_add(n));
                }
                None => self.spoilt = true,
            },
            Kind::Min | Kind::Max => {
                // Arrays and objects have no order that the service would answer with.
                if compare(value, value).is_none() {
                    self.spoilt = true;
                    return;
                }
                let wanted = if self.kind == Kind::Min { Ordering::Less } else { Ordering::Greater };
                if self.best.as_ref().is_none_or(|best| order(Some(value), Some(best)) == wanted) {
                    self.best = Some(value.clone());
                }
            }
        }
    }

    /// The result; `None` = undefined.
    pub(super) fn result(self) -> Option<Value> {
        if self.spoilt {
            return None;
        }
        match self.kind {
            Kind::Count | Kind::CountIf => Some(self.count.into()),
            Kind::Sum => self.whole.map(Value::from).or_else(|| number(self.sum)),
            Kind::Avg if self.count == 0 => None,
            Kind::Avg => number(self.sum / self.count as f64),
            Kind::Min | Kind::Max => self.best,
        }
    }
}
