//! With aggregates or `GROUP BY` a query may select only aggregates and what it groups by: anything else
//! would be the property of some document or other.

use serde_json::Value;

use super::Fault;
use super::ast::{Expr, Query, Select, Source};

/// Refuses what the service refuses.
pub(super) fn check(query: &Query) -> Result<(), Fault> {
    let grouped = !query.group.is_empty() || !query.aggregates.is_empty();
    if !grouped {
        return Ok(());
    }
    let selected: Vec<&Expr> = match &query.select {
        Select::Star(_) => return Err(Fault::new("'SELECT *' is not valid with GROUP BY or an aggregate.")),
        Select::Value(value) => vec![value],
        Select::List(items) => items.iter().map(|(_, item)| item).collect(),
    };
    let ordered = query.order.iter().map(|(item, _)| item);
    match selected.into_iter().chain(ordered).find_map(|expr| loose(expr, query, 0)) {
        None => Ok(()),
        Some(name) => Err(Fault(format!(
            "Property reference '{name}' is invalid in the select list because it is not contained in either an \
             aggregate function or the GROUP BY clause."
        ))),
    }
}

/// A reference to a binding of `query` that is neither grouped by nor aggregated.
fn loose(expr: &Expr, query: &Query, out: usize) -> Option<String> {
    if out == 0 && query.group.contains(expr) {
        return None;
    }
    let any = |all: &[Expr]| all.iter().find_map(|e| loose(e, query, out));
    match expr {
        Expr::Name { out: up, .. } => (*up == out).then(|| "*".to_owned()),
        Expr::Member(of, name) => match (loose(of, query, out), name.as_ref()) {
            (Some(_), Expr::Literal(Value::String(name))) => Some(name.clone()),
            (found, _) => found.or_else(|| loose(name, query, out)),
        },
        Expr::Literal(_) | Expr::Undefined | Expr::Aggregate(_) => None,
        Expr::Not(a) | Expr::Negative(a) | Expr::BitNot(a) | Expr::Like(a, _) | Expr::Matches(a, _) => {
            loose(a, query, out)
        }
        Expr::Binary(_, a, b) | Expr::Coalesce(a, b) => loose(a, query, out).or_else(|| loose(b, query, out)),
        Expr::If(a, b, c) | Expr::Between(a, b, c) => {
            [a, b, c].into_iter().find_map(|e| loose(e, query, out))
        }
        Expr::In(a, items) => loose(a, query, out).or_else(|| any(items)),
        Expr::And(all) | Expr::Or(all) | Expr::Call(_, all) | Expr::Array(all) => any(all),
        Expr::Object(fields) => fields.iter().find_map(|(_, e)| loose(e, query, out)),
        Expr::Exists(inner) | Expr::Collect(inner) | Expr::Scalar(inner) => {
            inner.sources.iter().find_map(|source| match source {
                Source::Value(e) | Source::Each(e) => loose(e, query, out + 1),
                Source::Documents | Source::Results(_) => None,
            })
        }
    }
}
