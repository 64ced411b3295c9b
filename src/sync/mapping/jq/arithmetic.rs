//! `+`, `-`, `*`, `/`, `%` of jq: the crate's own, after a look at what they would build.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use jaq_core::ops::Math;
use jaq_core::{Error, ValR};
use jaq_json::{Map, Num, Rc, Val};
use jaq_std::ValT;

use super::budget::{take_bytes, take_steps};
use super::order::{self, BYTES_A_STEP};
use super::value::{DIGITS, ITEM, MEMBER, Measured, TEXT, own_items, own_members};

/// Longest whole number that is calculated with.
const BITS: u64 = 4 * DIGITS as u64;

/// A calculation with scalars, which the crate does.
fn scalar(left: Val, math: Math, right: Val) -> ValR<Measured> {
    let bits = |value: &Val| match value {
        Val::Num(Num::BigInt(number)) => number.bits(),
        _ => 64,
    };
    if bits(&left) + bits(&right) > BITS {
        return Err(Error::str(format_args!("a number of more than {DIGITS} digits")));
    }
    let (kept_left, kept_right) = (left.clone(), right.clone());
    let made: ValR<Val> = math.run(left, right);
    made.map(Measured::scalar)
        .map_err(|_| Error::math(Measured::scalar(kept_left), math, Measured::scalar(kept_right)))
}

fn refused(left: Val, depth_left: u16, math: Math, right: Val, depth_right: u16) -> ValR<Measured> {
    Err(Error::math(Measured::new(left, depth_left), math, Measured::new(right, depth_right)))
}

impl Add for Measured {
    type Output = ValR<Self>;

    fn add(self, other: Self) -> ValR<Self> {
        let (left_depth, right_depth) = (self.depth(), other.depth());
        let depth = left_depth.max(right_depth);
        match (self.value, other.value) {
            (Val::Null, value) | (value, Val::Null) => Ok(Self::new(value, depth)),
            (left @ Val::Num(_), right @ Val::Num(_)) => scalar(left, Math::Add, right),
            (Val::TStr(left), Val::TStr(right)) => {
                // Text that is nobody else's grows in its place.
                let copied = if left.is_unique() { 0 } else { TEXT + left.len() };
                take_bytes(copied + right.len());
                take_steps((left.len() + right.len()) / BYTES_A_STEP);
                (Val::TStr(left) + Val::TStr(right)).map(Self::scalar).map_err(|_| Error::str("not texts"))
            }
            (Val::Arr(left), Val::Arr(right)) => {
                take_bytes(right.len() * ITEM);
                let mut items = own_items(left);
                items.extend(right.iter().cloned());
                Ok(Self::new(Val::Arr(items.into()), depth))
            }
            (Val::Obj(left), Val::Obj(right)) => {
                take_bytes(right.len() * MEMBER);
                let mut members = own_members(left);
                members.extend(right.iter().map(|(key, value)| (key.clone(), value.clone())));
                Ok(Self::new(Val::obj(members), depth))
            }
            (left, right) => refused(left, left_depth, Math::Add, right, right_depth),
        }
    }
}

impl Sub for Measured {
    type Output = ValR<Self>;

    fn sub(self, other: Self) -> ValR<Self> {
        let (left_depth, right_depth) = (self.depth(), other.depth());
        match (self.value, other.value) {
            (left @ Val::Num(_), right @ Val::Num(_)) => scalar(left, Math::Sub, right),
            (Val::Arr(left), Val::Arr(right)) => {
                take_steps(right.len());
                let mut gone: Vec<&Val> = right.iter().collect();
                gone.sort_unstable_by(|left, right| order::compare(left, right));
                let mut items = own_items(left);
                items.retain(|item| gone.binary_search_by(|known| order::compare(known, item)).is_err());
                Ok(Self::new(Val::Arr(items.into()), left_depth))
            }
            (left, right) => refused(left, left_depth, Math::Sub, right, right_depth),
        }
    }
}

impl Mul for Measured {
    type Output = ValR<Self>;

    fn mul(self, other: Self) -> ValR<Self> {
        let (left_depth, right_depth) = (self.depth(), other.depth());
        match (self.value, other.value) {
            (Val::Obj(left), Val::Obj(right)) => {
                Ok(Self::new(Val::Obj(merged(left, &right)), left_depth.max(right_depth)))
            }
            (left @ (Val::Num(_) | Val::TStr(_)), right @ (Val::Num(_) | Val::TStr(_))) => {
                if let (Val::TStr(text), count) | (count, Val::TStr(text)) = (&left, &right)
                    && count.is_int()
                {
                    // More than a machine counts to: more than there is.
                    let count =
                        count.as_isize().map_or(usize::MAX, |count| usize::try_from(count).unwrap_or(0));
                    take_bytes(text.len().saturating_mul(count).saturating_add(TEXT));
                }
                scalar(left, Math::Mul, right)
            }
            (left, right) => refused(left, left_depth, Math::Mul, right, right_depth),
        }
    }
}

/// `left` with the members of `right`; objects under the same key are merged as well.
fn merged(left: Rc<Map>, right: &Map) -> Rc<Map> {
    take_steps(right.len());
    take_bytes(right.len() * MEMBER);
    let mut members = own_members(left);
    for (key, new) in right {
        match (members.get_mut(key), new) {
            (Some(known), Val::Obj(new)) if matches!(known, Val::Obj(_)) => {
                if let Val::Obj(old) = std::mem::take(known) {
                    *known = Val::Obj(merged(old, new));
                }
            }
            (Some(known), new) => *known = new.clone(),
            (None, new) => _ = members.insert(key.clone(), new.clone()),
        }
    }
    members.into()
}

impl Div for Measured {
    type Output = ValR<Self>;

    fn div(self, other: Self) -> ValR<Self> {
        let (left_depth, right_depth) = (self.depth(), other.depth());
        match (self.value, other.value) {
            (left @ Val::Num(_), right @ Val::Num(_)) => scalar(left, Math::Div, right),
            (Val::TStr(text), Val::TStr(separator)) => {
                take_steps(text.len() / BYTES_A_STEP);
                let pieces = if separator.is_empty() {
                    text.len()
                } else {
                    memchr::memmem::find_iter(&text, &**separator).count() + 1
                };
                take_bytes(pieces.saturating_mul(ITEM + TEXT));
                let pieces = Val::TStr(text) / Val::TStr(separator);
                pieces.map(|pieces| Self::new(pieces, 1)).map_err(|_| Error::str("not texts"))
            }
            (left, right) => refused(left, left_depth, Math::Div, right, right_depth),
        }
    }
}

impl Rem for Measured {
    type Output = ValR<Self>;

    fn rem(self, other: Self) -> ValR<Self> {
        let (left_depth, right_depth) = (self.depth(), other.depth());
        match (self.value, other.value) {
            (left @ Val::Num(_), right @ Val::Num(_)) => scalar(left, Math::Rem, right),
            (left, right) => refused(left, left_depth, Math::Rem, right, right_depth),
        }
    }
}

impl Neg for Measured {
    type Output = ValR<Self>;

    fn neg(self) -> ValR<Self> {
        match self.value {
            Val::Num(number) => Ok(Self::scalar(Val::Num(-number))),
            _ => Err(Error::typ(self, "number")),
        }
    }
}
