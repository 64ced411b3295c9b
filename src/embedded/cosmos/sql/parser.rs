//! The clauses of a query. `FROM` is read before `SELECT`, so that every name is resolved where it is
//! read; one that does not resolve is refused, as by the service.

use std::collections::HashMap;

use serde_json::Value;

use super::Fault;
use super::aggregate::Kind;
use super::ast::{Direction, Expr, Query, Select, Source};
use super::group_check::check;
use super::token::Token;
use super::value::whole;

/// Nested parentheses, arrays, subqueries: the parser recurses, and the stack is finite.
const DEEPEST: usize = 48;

/// Words that cannot be an alias without `AS`.
const KEYWORDS: [&str; 26] = [
    "select", "from", "where", "group", "order", "by", "offset", "limit", "join", "in", "as", "asc", "desc",
    "and", "or", "not", "between", "like", "escape", "value", "distinct", "top", "exists", "null", "true",
    "false",
];

/// What the query being read has bound so far.
#[derive(Default)]
pub(super) struct Frame {
    names: Vec<Option<String>>,
    pub(super) aggregates: Vec<(Kind, Expr)>,
    /// Aggregates are for `SELECT` and `ORDER BY`, and not within each other.
    pub(super) aggregates_allowed: bool,
}

pub(super) struct Parser<'p> {
    tokens: Vec<(usize, Token)>,
    pub(super) at: usize,
    pub(super) parameters: HashMap<&'p str, &'p Value>,
    pub(super) frames: Vec<Frame>,
    depth: usize,
}

impl<'p> Parser<'p> {
    pub(super) fn new(tokens: Vec<(usize, Token)>, parameters: &'p [(String, Value)]) -> Self {
        let parameters = parameters.iter().map(|(name, value)| (name.as_str(), value)).collect();
        Self { tokens, at: 0, parameters, frames: Vec::new(), depth: 0 }
    }

    /// A query and nothing after it.
    pub(super) fn query_alone(mut self) -> Result<Query, Fault> {
        let query = self.query()?;
        self.sign(";");
        match self.peek() {
            None => Ok(query),
            Some(_) => Err(self.unexpected()),
        }
    }

    /// One level deeper; for everything that nests.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth >= DEEPEST {
            return Err(Fault::new("The query is nested too deeply for this emulator."));
        }
        self.depth += 1;
        let done = read(self);
        self.depth -= 1;
        done
    }

    /// A query from `SELECT` to its last clause.
    pub(super) fn query(&mut self) -> Result<Query, Fault> {
        self.require_word("select")?;
        self.frames.push(Frame::default());
        let query = self.nested(Self::clauses);
        self.frames.pop();
        query
    }

    fn clauses(&mut self) -> Result<Query, Fault> {
        let distinct = self.word("distinct");
        let top = if self.word("top") { Some(self.count()?) } else { None };
        let selected = self.at;
        let mut sources = Vec::new();
        if let Some(from) = self.find_from() {
            self.at = from + 1;
            self.sources(&mut sources)?;
        }
        let after_from = self.at;
        self.at = selected;
        self.allow_aggregates(true);
        let select = self.select()?;
        if !sources.is_empty() {
            self.require_word("from")?;
            self.at = after_from;
        }
        self.allow_aggregates(false);
        let filter = if self.word("where") { Some(self.expression()?) } else { None };
        let mut group = Vec::new();
        if self.word("group") {
            self.require_word("by")?;
            group = self.list(Self::expression)?;
        }
        self.allow_aggregates(true);
        let mut order = Vec::new();
        if self.word("order") {
            self.require_word("by")?;
            order = self.list(Self::order_item)?;
        }
        self.allow_aggregates(false);
        let (mut offset, mut limit) = (0, None);
        if self.word("offset") {
            offset = self.count()?;
            self.require_word("limit")?;
            limit = Some(self.count()?);
        }
        if top.is_some() && limit.is_some() {
            return Err(Fault::new("'TOP' cannot be used in the same query or subquery as 'OFFSET LIMIT'."));
        }
        let aggregates =
            self.frames.last_mut().map(|frame| std::mem::take(&mut frame.aggregates)).unwrap_or_default();
        let query = Query { distinct, top, select, sources, filter, group, aggregates, order, offset, limit };
        check(&query)?;
        Ok(query)
    }

    fn allow_aggregates(&mut self, allowed: bool) {
        if let Some(frame) = self.frames.last_mut() {
            frame.aggregates_allowed = allowed;
        }
    }

    /// The `FROM` of the query whose `SELECT` has just been passed.
    fn find_from(&self) -> Option<usize> {
        let mut depth = 0_usize;
        for (at, (_, token)) in self.tokens.iter().enumerate().skip(self.at) {
            match token {
                Token::Sign("(" | "[" | "{") => depth += 1,
                Token::Sign(")" | "]" | "}") => depth = depth.checked_sub(1)?,
                // `c.from` is a property.
                Token::Word(word) if depth == 0 && word.eq_ignore_ascii_case("from") => {
                    let before = at.checked_sub(1).and_then(|i| self.tokens.get(i));
                    if !matches!(before, Some((_, Token::Sign(".")))) {
                        return Some(at);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn select(&mut self) -> Result<Select, Fault> {
        if self.sign("*") {
            let names = self.frames.last().map(|frame| frame.names.as_slice()).unwrap_or_default();
            let named: Vec<usize> = (0..names.len()).filter(|i| names[*i].is_some()).collect();
            return match named.as_slice() {
                [slot] => Ok(Select::Star(*slot)),
                [] => Err(Fault::new("'SELECT *' is not valid without a FROM clause.")),
                _ => Err(Fault::new("'SELECT *' is only valid with a single input set.")),
            };
        }
        if self.word("value") {
            return Ok(Select::Value(self.expression()?));
        }
        let mut unnamed = 0;
        let items = self.list(|parser| {
            let expression = parser.expression()?;
            let name = parser.alias()?.or_else(|| parser.inferred(&expression));
            let name = name.unwrap_or_else(|| {
                unnamed += 1;
                format!("${unnamed}")
            });
            Ok((name, expression))
        })?;
        for (i, (name, _)) in items.iter().enumerate() {
            if items[..i].iter().any(|(other, _)| other == name) {
                return Err(Fault(format!(
                    "The name '{name}' is selected twice: give one of them another with AS."
                )));
            }
        }
        Ok(Select::List(items))
    }

    /// `c.a.b` is called `b`, `c` is called `c`.
    fn inferred(&self, expression: &Expr) -> Option<String> {
        match expression {
            Expr::Member(_, name) => match name.as_ref() {
                Expr::Literal(Value::String(name)) => Some(name.clone()),
                _ => None,
            },
            Expr::Name { out, slot } => {
                let frame = self.frames.len().checked_sub(out + 1)?;
                self.frames.get(frame)?.names.get(*slot)?.clone()
            }
            _ => None,
        }
    }

    fn sources(&mut self, sources: &mut Vec<Source>) -> Result<(), Fault> {
        self.first_source(sources)?;
        while self.word("join") {
            let (name, source) = self.source()?;
            self.bind(name, source, sources);
        }
        Ok(())
    }

    fn bind(&mut self, name: Option<String>, source: Source, sources: &mut Vec<Source>) {
        sources.push(source);
        if let Some(frame) = self.frames.last_mut() {
            frame.names.push(name);
        }
    }

    /// At the top any name stands for the container; inside of a subquery it must be bound outside.
    fn first_source(&mut self, sources: &mut Vec<Source>) -> Result<(), Fault> {
        if self.frames.len() > 1 || matches!(self.peek(), Some(Token::Sign("("))) {
            let (name, source) = self.source()?;
            self.bind(name, source, sources);
            return Ok(());
        }
        let first = self.name()?;
        let iterated = if self.word("in") { Some(self.name()?) } else { None };
        // The documents themselves stand at place 0, without a name if the query looks inside of them.
        self.bind(None, Source::Documents, sources);
        let path = self.postfix(Expr::Name { out: 0, slot: 0 })?;
        let plain = matches!(path, Expr::Name { .. });
        match (iterated, plain) {
            (None, true) => {
                let name = self.alias()?.unwrap_or(first);
                if let Some(frame) = self.frames.last_mut() {
                    frame.names[0] = Some(name);
                }
            }
            (None, false) => {
                let name = self.alias()?.or_else(|| self.inferred(&path));
                self.bind(name, Source::Value(path), sources);
            }
            (Some(_), _) => self.bind(Some(first), Source::Each(path), sources),
        }
        Ok(())
    }

    /// `x IN path`, `path [AS x]`, `(SELECT …) [AS x]`.
    fn source(&mut self) -> Result<(Option<String>, Source), Fault> {
        if self.sign("(") {
            let query = self.query()?;
            self.require(")")?;
            return Ok((self.alias()?, Source::Results(Box::new(query))));
        }
        if matches!(self.tokens.get(self.at + 1), Some((_, Token::Word(word))) if word.eq_ignore_ascii_case("in"))
        {
            let name = self.name()?;
            self.require_word("in")?;
            if self.sign("(") {
                let query = self.query()?;
                self.require(")")?;
                return Ok((Some(name), Source::Each(Expr::Scalar(Box::new(query)))));
            }
            let root = self.name()?;
            let root = self.resolve(&root)?;
            return Ok((Some(name), Source::Each(self.postfix(root)?)));
        }
        let root = self.name()?;
        let root = self.resolve(&root)?;
        let path = self.postfix(root)?;
        let name = self.alias()?.or_else(|| self.inferred(&path));
        Ok((name, Source::Value(path)))
    }

    /// The binding of a name, the innermost first.
    pub(super) fn resolve(&self, name: &str) -> Result<Expr, Fault> {
        for (out, frame) in self.frames.iter().rev().enumerate() {
            if let Some(slot) = frame.names.iter().rposition(|bound| bound.as_deref() == Some(name)) {
                return Ok(Expr::Name { out, slot });
            }
        }
        Err(Fault(format!("Identifier '{name}' could not be resolved.")))
    }

    fn alias(&mut self) -> Result<Option<String>, Fault> {
        if self.word("as") {
            return self.any_word().map(Some).ok_or_else(|| self.unexpected());
        }
        let word = match self.peek() {
            Some(Token::Word(word)) if !KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) => {
                word.clone()
            }
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some(word))
    }

    fn order_item(&mut self) -> Result<(Expr, Direction), Fault> {
        let expression = self.expression()?;
        let descending = self.word("desc");
        if !descending {
            self.word("asc");
        }
        Ok((expression, if descending { Direction::Descending } else { Direction::Ascending }))
    }

    /// A count: a number or a parameter.
    fn count(&mut self) -> Result<usize, Fault> {
        let value = match self.next() {
            Some(Token::Number(number)) => Some(Value::Number(number)),
            Some(Token::Parameter(name)) => Some(self.parameter(&name)?),
            _ => None,
        };
        let count = value.as_ref().and_then(whole).and_then(|n| usize::try_from(n).ok());
        count.ok_or_else(|| Fault::new("TOP, OFFSET and LIMIT take a whole number that is not negative."))
    }

    pub(super) fn parameter(&self, name: &str) -> Result<Value, Fault> {
        let found = self.parameters.get(name).map(|value| (*value).clone());
        found.ok_or_else(|| Fault(format!("The parameter {name} has no value.")))
    }

    /// One or more, with commas between.
    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut items = vec![item(self)?];
        while self.sign(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    pub(super) fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(found);
        found
    }

    pub(super) fn require(&mut self, sign: &str) -> Result<(), Fault> {
        if self.sign(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Whether the next token is this keyword; it is passed.
    pub(super) fn word(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn require_word(&mut self, keyword: &str) -> Result<(), Fault> {
        if self.word(keyword) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// A word that is not a keyword.
    fn name(&mut self) -> Result<String, Fault> {
        match self.peek() {
            Some(Token::Word(word)) if !KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)) => {
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Any word, keywords too: after `.` and `AS`.
    pub(super) fn any_word(&mut self) -> Option<String> {
        let Some(Token::Word(word)) = self.peek() else { return None };
        let word = word.clone();
        self.at += 1;
        Some(word)
    }

    pub(super) fn unexpected(&self) -> Fault {
        let shown = match self.tokens.get(self.at.min(self.tokens.len())) {
            None => "the query ends too early".to_owned(),
            Some((at, token)) => {
                let near = match token {
                    Token::Word(word) => word.clone(),
                    Token::Parameter(name) => name.clone(),
                    Token::Text(_) => "a string".to_owned(),
                    Token::Number(number) => number.to_string(),
                    Token::Sign(sign) => (*sign).to_owned(),
                };
                let near: String = near.chars().take(40).collect();
                format!("incorrect syntax near '{near}' (byte {})", at + 1)
            }
        };
        Fault(format!("Syntax error: {shown}."))
    }
}
