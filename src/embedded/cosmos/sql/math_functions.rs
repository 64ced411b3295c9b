//! Functions of numbers. What is not finite is undefined, since JSON cannot say it.

use serde_json::Value;

use super::functions::{Arg, Function, float, value, whole};
use super::value::number;

/// A function of one number.
macro_rules! of {
    ($name:literal, $f:expr) => {
        Function::new($name, 1, 1, |args| {
            let f: fn(f64) -> f64 = $f;
            Ok(float(args, 0).map(f).and_then(number))
        })
    };
}

/// A function of two whole numbers.
macro_rules! of_whole {
    ($name:literal, $f:expr) => {
        Function::new($name, 2, 2, |args| {
            let f: fn(i64, i64) -> Option<i64> = $f;
            Ok(whole(args, 0).zip(whole(args, 1)).and_then(|(a, b)| f(a, b)).map(Value::from))
        })
    };
}

pub(super) static TABLE: &[Function] = &[
    Function::new("ABS", 1, 1, |args| match value(args, 0).and_then(Value::as_i64) {
        Some(n) => Ok(n.checked_abs().map(Value::from)),
        None => Ok(float(args, 0).map(f64::abs).and_then(number)),
    }),
    of!("ACOS", f64::acos),
    of!("ASIN", f64::asin),
    of!("ATAN", f64::atan),
    of!("CEILING", f64::ceil),
    of!("COS", f64::cos),
    of!("COT", |n| 1.0 / n.tan()),
    of!("DEGREES", f64::to_degrees),
    of!("EXP", f64::exp),
    of!("FLOOR", f64::floor),
    of!("LOG10", f64::log10),
    of!("RADIANS", f64::to_radians),
    of!("SIGN", |n| if n == 0.0 { 0.0 } else { n.signum() }),
    of!("SIN", f64::sin),
    of!("SQRT", f64::sqrt),
    of!("SQUARE", |n| n * n),
    of!("TAN", f64::tan),
    of!("TRUNC", f64::trunc),
    Function::new("ATN2", 2, 2, |args| Ok(pair(args).map(|(y, x)| y.atan2(x)).and_then(number))),
    Function::new("POWER", 2, 2, |args| Ok(pair(args).map(|(a, b)| a.powf(b)).and_then(number))),
    Function::new("LOG", 1, 2, |args| {
        if args.len() == 1 {
            return Ok(float(args, 0).map(f64::ln).and_then(number));
        }
        Ok(pair(args).map(|(n, base)| n.log(base)).and_then(number))
    }),
    Function::new("ROUND", 1, 2, |args| Ok(round(args))),
    Function::new("PI", 0, 0, |_| Ok(number(std::f64::consts::PI))),
    Function::new("RAND", 0, 0, |_| Ok(number(rand::random()))),
    Function::new("NUMBERBIN", 1, 2, |args| {
        let size = if args.len() == 1 { Some(1.0) } else { float(args, 1).filter(|size| *size != 0.0) };
        Ok(float(args, 0).zip(size).and_then(|(n, size)| number((n / size).floor() * size)))
    }),
    of_whole!("INTADD", i64::checked_add),
    of_whole!("INTSUB", i64::checked_sub),
    of_whole!("INTMUL", i64::checked_mul),
    of_whole!("INTDIV", i64::checked_div),
    of_whole!("INTMOD", i64::checked_rem),
    of_whole!("INTBITAND", |a, b| Some(a & b)),
    of_whole!("INTBITOR", |a, b| Some(a | b)),
    of_whole!("INTBITXOR", |a, b| Some(a ^ b)),
    of_whole!("INTBITLEFTSHIFT", |a, b| u32::try_from(b).ok().and_then(|b| a.checked_shl(b))),
    of_whole!("INTBITRIGHTSHIFT", |a, b| u32::try_from(b).ok().and_then(|b| a.checked_shr(b))),
    Function::new("INTBITNOT", 1, 1, |args| Ok(whole(args, 0).map(|n| Value::from(!n)))),
];

fn pair(args: &[Arg<'_>]) -> Option<(f64, f64)> {
    float(args, 0).zip(float(args, 1))
}

/// Half away from zero, to so many digits.
fn round(args: &[Arg<'_>]) -> Option<Value> {
    let n = float(args, 0)?;
    if args.len() == 1 {
        return number(n.round());
    }
    let digits = whole(args, 1).and_then(|d| i32::try_from(d).ok()).filter(|d| (0..=15).contains(d))?;
    let scale = 10_f64.powi(digits);
    number((n * scale).round() / scale)
}
