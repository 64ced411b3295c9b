//! Scalar expressions, by precedence.

use serde_json::Value;

use super::Fault;
use super::aggregate::Kind;
use super::ast::{Expr, Like, Operator};
use super::functions;
use super::parser::Parser;
use super::pattern;
use super::token::Token;

/// Operators between two operands in a row; the evaluation recurses into the left one.
const LONGEST_CHAIN: usize = 100;

impl Parser<'_> {
    /// `a ? b : c`, `a ?? b`, and everything that binds closer.
    pub(super) fn expression(&mut self) -> Result<Expr, Fault> {
        self.nested(|parser| {
            let first = parser.either()?;
            if parser.sign("?") {
                let then = parser.expression()?;
                parser.require(":")?;
                return Ok(Expr::If(Box::new(first), Box::new(then), Box::new(parser.expression()?)));
            }
            if parser.sign("??") {
                return Ok(Expr::Coalesce(Box::new(first), Box::new(parser.expression()?)));
            }
            Ok(first)
        })
    }

    fn either(&mut self) -> Result<Expr, Fault> {
        let first = self.both()?;
        let mut any = vec![first];
        while self.word("or") {
            any.push(self.both()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Expr::Or(any) })
    }

    fn both(&mut self) -> Result<Expr, Fault> {
        let mut all = vec![self.negation()?];
        while self.word("and") {
            all.push(self.negation()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Expr::And(all) })
    }

    fn negation(&mut self) -> Result<Expr, Fault> {
        if self.word("not") {
            return self.nested(|parser| Ok(Expr::Not(Box::new(parser.negation()?))));
        }
        let left = self.binary(0)?;
        let not = self.word("not");
        let found = if self.word("in") {
            self.require("(")?;
            let items = self.list(Self::expression)?;
            self.require(")")?;
            Expr::In(Box::new(left), items)
        } else if self.word("between") {
            let low = self.binary(1)?;
            if !self.word("and") {
                return Err(self.unexpected());
            }
            Expr::Between(Box::new(left), Box::new(low), Box::new(self.binary(1)?))
        } else if self.word("like") {
            let pattern = self.binary(1)?;
            let escape = if self.word("escape") { Some(self.escape()?) } else { None };
            let like = match &pattern {
                Expr::Literal(Value::String(text)) => Like::Fixed(pattern::like(text, escape)?),
                _ => Like::Computed { pattern, escape },
            };
            Expr::Like(Box::new(left), Box::new(like))
        } else if not {
            return Err(self.unexpected());
        } else {
            return Ok(left);
        };
        Ok(if not { Expr::Not(Box::new(found)) } else { found })
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let text = match self.next() {
            Some(Token::Text(text)) => text,
            Some(Token::Parameter(name)) => self.parameter(&name)?.as_str().unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(c),
            _ => Err(Fault::new("ESCAPE takes a string of one character.")),
        }
    }

    /// Operators that bind at least this close.
    fn binary(&mut self, least: u8) -> Result<Expr, Fault> {
        let mut left = self.unary()?;
        let mut chain = 0;
        while let Some((operator, binds)) = self.operator().filter(|(_, binds)| *binds >= least) {
            chain += 1;
            if chain > LONGEST_CHAIN {
                return Err(Fault::new("The query has too many operators in a row for this emulator."));
            }
            self.at += 1;
            let right = self.nested(|parser| parser.binary(binds + 1))?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        let Some(Token::Sign(sign)) = self.peek() else { return None };
        Some(match *sign {
            "=" => (Operator::Equal, 0),
            "!=" | "<>" => (Operator::NotEqual, 0),
            "<" => (Operator::Less, 0),
            "<=" => (Operator::LessOrEqual, 0),
            ">" => (Operator::Greater, 0),
            ">=" => (Operator::GreaterOrEqual, 0),
            "|" => (Operator::BitOr, 1),
            "^" => (Operator::BitXor, 2),
            "&" => (Operator::BitAnd, 3),
            "<<" => (Operator::ShiftLeft, 4),
            ">>" => (Operator::ShiftRight, 4),
            ">>>" => (Operator::ShiftRightZero, 4),
            "+" => (Operator::Add, 5),
            "-" => (Operator::Subtract, 5),
            "||" => (Operator::Concat, 5),
            "*" => (Operator::Multiply, 6),
            "/" => (Operator::Divide, 6),
            "%" => (Operator::Remainder, 6),
            _ => return None,
        })
    }

    fn unary(&mut self) -> Result<Expr, Fault> {
        let wrap: fn(Box<Expr>) -> Expr = if self.sign("-") {
            Expr::Negative
        } else if self.sign("~") {
            Expr::BitNot
        } else if self.sign("+") {
            |operand| *operand
        } else {
            let primary = self.primary()?;
            return self.postfix(primary);
        };
        self.nested(|parser| Ok(wrap(Box::new(parser.unary()?))))
    }

    /// `.name`, `["name"]`, `[0]` after something.
    pub(super) fn postfix(&mut self, mut of: Expr) -> Result<Expr, Fault> {
        let mut steps = 0;
        loop {
            let member = if self.sign(".") {
                let name = self.any_word().ok_or_else(|| self.unexpected())?;
                Expr::Literal(name.into())
            } else if self.sign("[") {
                let index = self.expression()?;
                self.require("]")?;
                index
            } else {
                return Ok(of);
            };
            steps += 1;
            if steps > LONGEST_CHAIN {
                return Err(Fault::new("The query has too long a path for this emulator."));
            }
            of = Expr::Member(Box::new(of), Box::new(member));
        }
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        match self.peek() {
            Some(Token::Number(number)) => {
                let number = number.clone();
                self.at += 1;
                Ok(Expr::Literal(Value::Number(number)))
            }
            Some(Token::Text(text)) => {
                let text = text.clone();
                self.at += 1;
                Ok(Expr::Literal(text.into()))
            }
            Some(Token::Parameter(name)) => {
                let value = self.parameter(name)?;
                self.at += 1;
                Ok(Expr::Literal(value))
            }
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.at += 1;
                self.named(&word)
            }
            Some(Token::Sign("(")) => {
                self.at += 1;
                let inner =
                    if self.at_select() { Expr::Scalar(Box::new(self.query()?)) } else { self.expression()? };
                self.require(")")?;
                Ok(inner)
            }
            Some(Token::Sign("[")) => {
                self.at += 1;
                if self.sign("]") {
                    return Ok(Expr::Array(Vec::new()));
                }
                let items = self.list(Self::expression)?;
                self.require("]")?;
                Ok(Expr::Array(items))
            }
            Some(Token::Sign("{")) => {
                self.at += 1;
                if self.sign("}") {
                    return Ok(Expr::Object(Vec::new()));
                }
                let fields = self.list(Self::field)?;
                self.require("}")?;
                Ok(Expr::Object(fields))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn field(&mut self) -> Result<(String, Expr), Fault> {
        let name = match self.peek() {
            Some(Token::Text(name) | Token::Word(name)) => name.clone(),
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        self.require(":")?;
        Ok((name, self.expression()?))
    }

    fn at_select(&self) -> bool {
        matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case("select"))
    }

    /// A constant, a call, or a binding.
    fn named(&mut self, word: &str) -> Result<Expr, Fault> {
        if matches!(self.peek(), Some(Token::Sign("("))) {
            return self.call(word);
        }
        if word == "udf" {
            return Err(Fault::new("User-defined functions are not supported by this emulator."));
        }
        // A binding may be called as a constant is; the constants come first, as at the service.
        match word.to_ascii_lowercase().as_str() {
            "true" => Ok(Expr::Literal(true.into())),
            "false" => Ok(Expr::Literal(false.into())),
            "null" => Ok(Expr::Literal(Value::Null)),
            "undefined" => Ok(Expr::Undefined),
            _ => self.resolve(word),
        }
    }

    fn call(&mut self, name: &str) -> Result<Expr, Fault> {
        self.require("(")?;
        let upper = name.to_ascii_uppercase();
        if matches!(upper.as_str(), "EXISTS" | "ARRAY") && self.at_select() {
            let query = Box::new(self.query()?);
            self.require(")")?;
            return Ok(if upper == "ARRAY" { Expr::Collect(query) } else { Expr::Exists(query) });
        }
        if let Some(kind) = Kind::named(&upper) {
            return self.aggregate(kind, name);
        }
        let arguments = if self.sign(")") {
            Vec::new()
        } else {
            let arguments = self.list(Self::expression)?;
            self.require(")")?;
            arguments
        };
        if upper == "REGEXMATCH" {
            return regex_match(arguments);
        }
        let function = functions::named(&upper)
            .ok_or_else(|| Fault(format!("'{name}' is not a recognized built-in function name.")))?;
        if !function.takes(arguments.len()) {
            return Err(Fault(format!("The {name} function does not take {} argument(s).", arguments.len())));
        }
        Ok(Expr::Call(function, arguments))
    }

    fn aggregate(&mut self, kind: Kind, name: &str) -> Result<Expr, Fault> {
        let allowed =
            self.frames.last_mut().is_some_and(|f| std::mem::replace(&mut f.aggregates_allowed, false));
        if !allowed {
            return Err(Fault(format!(
                "The aggregate {name} is not valid here: aggregates belong to SELECT."
            )));
        }
        let argument = self.expression()?;
        self.require(")")?;
        let Some(frame) = self.frames.last_mut() else { return Err(self.unexpected()) };
        frame.aggregates_allowed = true;
        frame.aggregates.push((kind, argument));
        Ok(Expr::Aggregate(frame.aggregates.len() - 1))
    }
}

/// The pattern must be known before the first document, so that it is compiled once.
fn regex_match(mut arguments: Vec<Expr>) -> Result<Expr, Fault> {
    let text = |argument: Option<&Expr>| match argument {
        Some(Expr::Literal(Value::String(text))) => Some(text.clone()),
        _ => None,
    };
    let modifiers = if arguments.len() == 3 { text(arguments.get(2)) } else { Some(String::new()) };
    match (arguments.len(), text(arguments.get(1)), modifiers) {
        (2 | 3, Some(pattern), Some(modifiers)) => {
            let pattern = pattern::regex(&pattern, &modifiers)?;
            Ok(Expr::Matches(Box::new(arguments.swap_remove(0)), pattern))
        }
        _ => Err(Fault::new(
            "RegexMatch takes a value, a pattern and modifiers, the last two as constants here.",
        )),
    }
}
