//! An expression's value in one row. Undefined is `None`: an operator over it is undefined too, and
//! `WHERE` takes only what is true.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::cmp::Ordering;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use super::super::document::Document;
use super::Fault;
use super::ast::{Expr, Like, Operator};
use super::functions::Arg;
use super::run::{Work, collect, exists, first};
use super::value::{compare, equal, number, whole};
use super::{pattern, string_functions};

/// A document that is parsed only if a query looks into it.
#[derive(Debug)]
pub(super) struct Lazy {
    pub(super) document: Arc<Document>,
    parsed: OnceCell<Value>,
}

impl Lazy {
    pub(super) fn new(document: Arc<Document>) -> Self {
        Self { document, parsed: OnceCell::new() }
    }

    fn value(&self) -> &Value {
        self.parsed.get_or_init(|| self.document.value())
    }
}

/// What a name of the query stands for in one row.
#[derive(Debug, Clone)]
pub(super) enum Binding {
    Document(Rc<Lazy>),
    Value(Rc<Value>),
}

/// One combination of bindings, inside of another if the query is a subquery.
#[derive(Debug)]
pub(super) struct Row<'o> {
    pub(super) bindings: Vec<Binding>,
    /// Results of the query's aggregates, once they are known.
    pub(super) aggregates: Vec<Option<Value>>,
    pub(super) outer: Option<&'o Row<'o>>,
}

impl Row<'_> {
    /// The binding of a name.
    pub(super) fn binding(&self, out: usize, slot: usize) -> Option<&Binding> {
        let mut row = self;
        for _ in 0..out {
            row = row.outer?;
        }
        row.bindings.get(slot)
    }
}

/// The value of an expression; `Ok(None)` = undefined.
pub(super) fn eval<'r>(expr: &'r Expr, row: &'r Row<'_>, work: &Work) -> Result<Arg<'r>, Fault> {
    work.spend(1)?;
    let truth = |value: Option<bool>| value.map(|b| Cow::Owned(Value::Bool(b)));
    Ok(match expr {
        Expr::Literal(value) => Some(Cow::Borrowed(value)),
        Expr::Undefined => None,
        Expr::Name { out, slot } => row.binding(*out, *slot).map(|binding| {
            Cow::Borrowed(match binding {
                Binding::Document(document) => document.value(),
                Binding::Value(value) => value,
            })
        }),
        Expr::Member(of, name) => member(of, name, row, work)?,
        Expr::Not(operand) => truth(holds(operand, row, work)?.map(|b| !b)),
        Expr::Negative(operand) => {
            let value = eval(operand, row, work)?;
            match value.as_deref().and_then(Value::as_i64).and_then(i64::checked_neg) {
                Some(n) => Some(Cow::Owned(n.into())),
                None => value.as_deref().and_then(Value::as_f64).and_then(|n| number(-n)).map(Cow::Owned),
            }
        }
        Expr::BitNot(operand) => {
            eval(operand, row, work)?.as_deref().and_then(bits).map(|n| Cow::Owned(Value::from(!n)))
        }
        Expr::Binary(operator, a, b) => {
            let (a, b) = (eval(a, row, work)?, eval(b, row, work)?);
            binary(*operator, a, b)?.map(Cow::Owned)
        }
        Expr::And(all) => truth(decided(all, false, row, work)?),
        Expr::Or(any) => truth(decided(any, true, row, work)?),
        Expr::If(condition, then, otherwise) => match holds(condition, row, work)? {
            Some(true) => eval(then, row, work)?,
            Some(false) => eval(otherwise, row, work)?,
            None => None,
        },
        Expr::Coalesce(value, otherwise) => match eval(value, row, work)? {
            Some(value) => Some(value),
            None => eval(otherwise, row, work)?,
        },
        Expr::Between(value, low, high) => {
            let value = eval(value, row, work)?;
            let (low, high) = (eval(low, row, work)?, eval(high, row, work)?);
            let side = |a: &Arg<'_>, b: &Arg<'_>| compare(a.as_deref()?, b.as_deref()?);
            let above = side(&value, &low).map(Ordering::is_ge);
            let below = side(&value, &high).map(Ordering::is_le);
            truth(match (above, below) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            })
        }
        Expr::In(value, items) => {
            let Some(value) = eval(value, row, work)? else { return Ok(None) };
            for item in items {
                if eval(item, row, work)?.is_some_and(|item| equal(&value, &item)) {
                    return Ok(truth(Some(true)));
                }
            }
            truth(Some(false))
        }
        Expr::Like(value, like) => truth(like_holds(value, like, row, work)?),
        Expr::Matches(value, pattern) => truth(
            eval(value, row, work)?.as_deref().and_then(Value::as_str).map(|text| pattern.0.is_match(text)),
        ),
        Expr::Call(function, arguments) => {
            let arguments = arguments.iter().map(|a| eval(a, row, work)).collect::<Result<Vec<_>, _>>()?;
            (function.run)(&arguments)?.map(Cow::Owned)
        }
        Expr::Array(items) => {
            let mut array = Vec::with_capacity(items.len());
            for item in items {
                array.extend(eval(item, row, work)?.map(Cow::into_owned));
            }
            Some(Cow::Owned(Value::Array(array)))
        }
        Expr::Object(fields) => {
            let mut object = serde_json::Map::new();
            for (name, field) in fields {
                if let Some(value) = eval(field, row, work)? {
                    object.insert(name.clone(), value.into_owned());
                }
            }
            Some(Cow::Owned(Value::Object(object)))
        }
        Expr::Exists(query) => truth(Some(exists(query, row, work)?)),
        Expr::Collect(query) => Some(Cow::Owned(Value::Array(collect(query, row, work)?))),
        Expr::Scalar(query) => first(query, row, work)?.map(Cow::Owned),
        Expr::Aggregate(at) => row.aggregates.get(*at).and_then(Option::as_ref).map(Cow::Borrowed),
    })
}

/// Whether an expression is true; `None` if it is no boolean.
pub(super) fn holds(expr: &Expr, row: &Row<'_>, work: &Work) -> Result<Option<bool>, Fault> {
    Ok(eval(expr, row, work)?.as_deref().and_then(Value::as_bool))
}

/// Whether a text is like a pattern; `None` if one of them is no text.
fn like_holds(value: &Expr, like: &Like, row: &Row<'_>, work: &Work) -> Result<Option<bool>, Fault> {
    let value = eval(value, row, work)?;
    let Some(text) = value.as_deref().and_then(Value::as_str) else { return Ok(None) };
    match like {
        Like::Fixed(pattern) => Ok(Some(pattern.0.is_match(text))),
        Like::Computed { pattern, escape } => {
            // Compiling costs what many steps do.
            work.spend(100)?;
            let pattern = eval(pattern, row, work)?;
            let Some(pattern) = pattern.as_deref().and_then(Value::as_str) else { return Ok(None) };
            Ok(Some(pattern::like(pattern, *escape)?.0.is_match(text)))
        }
    }
}

/// `AND`, `OR` over three values: one that decides is enough, whatever the others are.
fn decided(all: &[Expr], decides: bool, row: &Row<'_>, work: &Work) -> Result<Option<bool>, Fault> {
    let mut result = Some(!decides);
    for one in all {
        match holds(one, row, work)? {
            Some(value) if value == decides => return Ok(Some(decides)),
            Some(_) => {}
            None => result = None,
        }
    }
    Ok(result)
}

fn member<'r>(of: &'r Expr, name: &'r Expr, row: &'r Row<'_>, work: &Work) -> Result<Arg<'r>, Fault> {
    // The id of a document needs no parsing: it is what most queries look at.
    if let (Expr::Name { out, slot }, Expr::Literal(Value::String(name))) = (of, name)
        && name == "id"
        && let Some(Binding::Document(document)) = row.binding(*out, *slot)
    {
        return Ok(Some(Cow::Owned(document.document.key.1.as_ref().into())));
    }
    let (Some(of), Some(name)) = (eval(of, row, work)?, eval(name, row, work)?) else { return Ok(None) };
    let index = match name.as_ref() {
        Value::String(name) => return Ok(step(of, |value| value.get(name.as_str()))),
        other => whole(other).and_then(|n| usize::try_from(n).ok()),
    };
    Ok(index.and_then(|index| step(of, |value| value.get(index))))
}

fn step(of: Cow<'_, Value>, into: impl Fn(&Value) -> Option<&Value>) -> Arg<'_> {
    match of {
        Cow::Borrowed(value) => into(value).map(Cow::Borrowed),
        Cow::Owned(value) => into(&value).cloned().map(Cow::Owned),
    }
}

/// A number as 32 bits, which is what the service's bit operators work on.
fn bits(value: &Value) -> Option<i32> {
    value.as_f64().filter(|n| n.is_finite()).map(|n| n as i64 as i32)
}

fn binary(operator: Operator, a: Arg<'_>, b: Arg<'_>) -> Result<Option<Value>, Fault> {
    let (Some(left), Some(right)) = (a.as_deref(), b.as_deref()) else { return Ok(None) };
    let ordered = |test: fn(Ordering) -> bool| compare(left, right).map(|order| Value::Bool(test(order)));
    let of_bits = |f: fn(i32, i32) -> i32| bits(left).zip(bits(right)).map(|(a, b)| Value::from(f(a, b)));
    let arithmetic = |exact: fn(i64, i64) -> Option<i64>, float: fn(f64, f64) -> f64| {
        let whole = left.as_i64().zip(right.as_i64()).and_then(|(a, b)| exact(a, b));
        let inexact = || left.as_f64().zip(right.as_f64()).and_then(|(a, b)| number(float(a, b)));
        whole.map(Value::from).or_else(inexact)
    };
    Ok(match operator {
        Operator::Equal => Some(equal(left, right).into()),
        Operator::NotEqual => Some((!equal(left, right)).into()),
        Operator::Less => ordered(Ordering::is_lt),
        Operator::LessOrEqual => ordered(Ordering::is_le),
        Operator::Greater => ordered(Ordering::is_gt),
        Operator::GreaterOrEqual => ordered(Ordering::is_ge),
        Operator::Add => arithmetic(i64::checked_add, |a, b| a + b),
        Operator::Subtract => arithmetic(i64::checked_sub, |a, b| a - b),
        Operator::Multiply => arithmetic(i64::checked_mul, |a, b| a * b),
        Operator::Divide => arithmetic(|_, _| None, |a, b| a / b),
        Operator::Remainder => arithmetic(i64::checked_rem, |a, b| a % b),
        Operator::Concat => return string_functions::concat(&[a, b]),
        Operator::BitAnd => of_bits(|a, b| a & b),
        Operator::BitOr => of_bits(|a, b| a | b),
        Operator::BitXor => of_bits(|a, b| a ^ b),
        Operator::ShiftLeft => of_bits(|a, b| a.wrapping_shl(b.cast_unsigned())),
        Operator::ShiftRight => of_bits(|a, b| a.wrapping_shr(b.cast_unsigned())),
        Operator::ShiftRightZero => {
            of_bits(|a, b| a.cast_unsigned().wrapping_shr(b.cast_unsigned()).cast_signed())
        }
    })
}
