//! The service's SQL over the documents as they were written: lexer, parser, evaluation, results.
//! What is not understood is refused with the service's 400. Nothing here ever answers "no documents"
//! because it did not understand: names must resolve, functions must exist with this many arguments,
//! and a query that would need too much work says so.
//!
//! Semantics follow the service's documentation of its query language; where that is silent, the
//! offline engine of the .NET SDK's tests.

mod aggregate;
mod array_functions;
mod ast;
mod date_functions;
pub(super) mod dialect;
mod evaluate;
mod expressions;
mod functions;
mod group_check;
mod math_functions;
mod output;
mod parser;
mod pattern;
mod run;
mod string_functions;
mod token;
mod value;

#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::Value;

pub(super) use self::ast::Query;
pub(super) use self::run::{Rows, Work};

/// Longest query, bytes: the service's 512 KB.
const LONGEST: usize = 512 << 10;

/// Why a query is refused; the text is for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Fault(pub(super) String);

impl Fault {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

#[derive(Deserialize)]
struct Sent {
    query: String,
    #[serde(default)]
    parameters: Option<Vec<Parameter>>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    #[serde(default)]
    value: Option<Value>,
}

/// Reads the body of a query: `{"query": …, "parameters": [{"name": "@x", "value": …}]}`.
pub(super) fn parse_body(body: &[u8]) -> Result<Query, Fault> {
    let sent: Sent = serde_json::from_slice(body).map_err(|_| {
        Fault::new("The query is not a JSON object with the properties query and parameters.")
    })?;
    let parameters: Vec<(String, Value)> = sent
        .parameters
        .unwrap_or_default()
        .into_iter()
        .map(|parameter| (parameter.name, parameter.value.unwrap_or_default()))
        .collect();
    parse(&sent.query, &parameters)
}

/// Reads a query.
pub(super) fn parse(query: &str, parameters: &[(String, Value)]) -> Result<Query, Fault> {
    if query.len() > LONGEST {
        return Err(Fault::new("The SQL query text exceeded the maximum limit of 524288 characters."));
    }
    parser::Parser::new(token::tokens(query)?, parameters).query_alone()
}
