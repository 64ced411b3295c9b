//! Built-in functions by name. What is not in these tables is refused: an unknown function must not
//! select nothing.

use std::borrow::Cow;

use serde_json::Value;

use super::Fault;
use super::{array_functions, date_functions, math_functions, string_functions};

/// An argument; `None` = undefined.
pub(super) type Arg<'a> = Option<Cow<'a, Value>>;
/// A result; `Ok(None)` = undefined.
pub(super) type Outcome = Result<Option<Value>, Fault>;

/// Longest string or array that a function may make, bytes or elements: bounds what a query can ask for.
pub(super) const LONGEST: usize = 8 << 20;

/// One function.
#[derive(Debug)]
pub(super) struct Function {
    name: &'static str,
    least: usize,
    most: usize,
    pub(super) run: fn(&[Arg<'_>]) -> Outcome,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Function {
    pub(super) const fn new(
        name: &'static str,
        least: usize,
        most: usize,
        run: fn(&[Arg<'_>]) -> Outcome,
    ) -> Self {
        Self { name, least, most, run }
    }

    /// Whether it takes this many arguments.
    pub(super) fn takes(&self, arguments: usize) -> bool {
        (self.least..=self.most).contains(&arguments)
    }
}

/// The function of this name, in capitals.
pub(super) fn named(name: &str) -> Option<&'static Function> {
    let tables: [&[Function]; 5] = [
        &TYPES,
        string_functions::TABLE,
        math_functions::TABLE,
        array_functions::TABLE,
        date_functions::TABLE,
    ];
    tables.into_iter().flatten().find(|function| function.name == name)
}

/// The argument as a value; `None` = undefined or missing.
pub(super) fn value<'a>(args: &'a [Arg<'_>], at: usize) -> Option<&'a Value> {
    args.get(at)?.as_deref()
}

/// The argument as text.
pub(super) fn text<'a>(args: &'a [Arg<'_>], at: usize) -> Option<&'a str> {
    value(args, at)?.as_str()
}

/// The argument as a number.
pub(super) fn float(args: &[Arg<'_>], at: usize) -> Option<f64> {
    value(args, at)?.as_f64()
}

/// The argument as a whole number.
pub(super) fn whole(args: &[Arg<'_>], at: usize) -> Option<i64> {
    value(args, at).and_then(super::value::whole)
}

/// The argument as an array.
pub(super) fn array<'a>(args: &'a [Arg<'_>], at: usize) -> Option<&'a Vec<Value>> {
    value(args, at)?.as_array()
}

/// Refuses a result that would be too long.
pub(super) fn bounded(length: usize) -> Result<(), Fault> {
    if length > LONGEST {
        Err(Fault::new("A value of the query grows too large for this emulator."))
    } else {
        Ok(())
    }
}

/// Whether a value is of a type; false for undefined.
macro_rules! is {
    ($name:literal, $test:expr) => {
        Function::new($name, 1, 1, |args| {
            let test: fn(&Value) -> bool = $test;
            Ok(Some(value(args, 0).is_some_and(test).into()))
        })
    };
}

static TYPES: [Function; 12] = [
    is!("IS_DEFINED", |_| true),
    is!("IS_NULL", Value::is_null),
    is!("IS_BOOL", Value::is_boolean),
    is!("IS_NUMBER", Value::is_number),
    is!("IS_FINITE_NUMBER", Value::is_number),
    is!("IS_INTEGER", |v| super::value::whole(v).is_some()),
    is!("IS_STRING", Value::is_string),
    is!("IS_ARRAY", Value::is_array),
    is!("IS_OBJECT", Value::is_object),
    is!("IS_PRIMITIVE", |v| !v.is_array() && !v.is_object()),
    Function::new("IIF", 3, 3, |args| {
        let chosen = if value(args, 0) == Some(&Value::Bool(true)) { 1 } else { 2 };
        Ok(value(args, chosen).cloned())
    }),
    Function::new("TOSTRING", 1, 1, |args| {
        Ok(value(args, 0).map(|value| match value {
            Value::String(text) => text.as_str().into(),
            Value::Number(n) => {
                n.as_f64().and_then(super::value::number).unwrap_or_default().to_string().into()
            }
            other => other.to_string().into(),
        }))
    }),
];
