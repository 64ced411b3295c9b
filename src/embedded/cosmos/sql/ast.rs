//! A query as the parser leaves it: names resolved, parameters put in, functions looked up.

use regex::Regex;
use serde_json::Value;

use super::aggregate::Kind;
use super::functions::Function;

/// A query or subquery.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Query {
    pub(super) distinct: bool,
    pub(super) top: Option<usize>,
    pub(super) select: Select,
    pub(super) sources: Vec<Source>,
    pub(super) filter: Option<Expr>,
    /// `GROUP BY`; empty with aggregates = one group of everything.
    pub(super) group: Vec<Expr>,
    /// Aggregate calls of this query; [`Expr::Aggregate`] is a place in it.
    pub(super) aggregates: Vec<(Kind, Expr)>,
    pub(super) order: Vec<(Expr, Direction)>,
    pub(super) offset: usize,
    pub(super) limit: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Select {
    /// `*`: the binding at this place.
    Star(usize),
    Value(Expr),
    List(Vec<(String, Expr)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

/// What `FROM` and `JOIN` bind, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// The documents of the container.
    Documents,
    /// One value; nothing is bound if it is undefined.
    Value(Expr),
    /// Each element of an array.
    Each(Expr),
    /// Each result of a subquery.
    Results(Box<Query>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Literal(Value),
    Undefined,
    /// A binding: so many queries out, and its place there.
    Name {
        out: usize,
        slot: usize,
    },
    Member(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    BitNot(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    Coalesce(Box<Expr>, Box<Expr>),
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    In(Box<Expr>, Vec<Expr>),
    Like(Box<Expr>, Box<Like>),
    Call(&'static Function, Vec<Expr>),
    Matches(Box<Expr>, Pattern),
    Array(Vec<Expr>),
    Object(Vec<(String, Expr)>),
    Exists(Box<Query>),
    /// `ARRAY(SELECT …)`
    Collect(Box<Query>),
    /// `(SELECT …)`: its one result.
    Scalar(Box<Query>),
    Aggregate(usize),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Like {
    Fixed(Pattern),
    /// The pattern is computed for each document.
    Computed {
        pattern: Expr,
        escape: Option<char>,
    },
}

/// A compiled pattern; equal if the texts are.
#[derive(Debug, Clone)]
pub(super) struct Pattern(pub(super) Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Concat,
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
    ShiftRightZero,
}
