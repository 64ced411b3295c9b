//! The values of jq expressions: the crate's own, each with a bound of how deep it is nested. An
//! expression can nest them without an end in a few steps (`[recurse([.])]`), and dropping, printing
//! and comparing recurse; it can build large ones in one step (`"x" * 1e9`). So whatever builds a
//! value takes its bytes from the budget first, and none is nested deeper than [`DEEPEST`].

use std::iter;

use bytes::Bytes;
use jaq_core::box_iter::{BoxIter, box_once};
use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_core::{Exn, ValR, ValX};
use jaq_json::{Map, Rc, Val};
use jaq_std::ValT as _;

use super::budget::{Spent, take_bytes, take_steps, throw};
use super::order::{self, BYTES_A_STEP};
use super::slices::{bounds, place, slice, slice_of_text};

/// Deepest value on the way to a result; documents and results may have 128 levels.
pub(super) const DEEPEST: u16 = 256;
/// Bytes of an item of an array, with what growing it leaves unused.
pub(super) const ITEM: usize = 32;
/// Bytes of a member of an object.
pub(super) const MEMBER: usize = 96;
/// Bytes of a text beside its own.
pub(super) const TEXT: usize = 64;
/// Longest number, in digits: reading one takes the square of its length.
pub(super) const DIGITS: usize = 1_000;

pub(super) type Error = jaq_core::Error<Measured>;

/// A value, nested at most so deep. The bound of a part is that of the whole less one; where it has
/// grown beyond reason, the value is walked.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub(super) value: Val,
    depth: u16,
}

impl Measured {
    /// A value that is nested at most so deep.
    pub(super) fn new(value: Val, depth: u16) -> Self {
        let mut measured = Self { value, depth: 0 };
        if matches!(measured.value, Val::Arr(_) | Val::Obj(_)) {
            measured.depth = depth.max(1);
            if depth > DEEPEST {
                measured.depth = order::depth(&measured.value);
                if measured.depth > DEEPEST {
                    drop(measured);
                    throw(Spent::Depth);
                }
            }
        }
        measured
    }

    /// A value without parts.
    pub(super) fn scalar(value: Val) -> Self {
        Self { value, depth: 0 }
    }

    /// A part of a value with this bound.
    fn part(value: Val, whole: u16) -> Self {
        Self::new(value, whole.saturating_sub(1))
    }

    pub(super) fn text(text: impl Into<Bytes>) -> Self {
        Self::scalar(Val::utf8_str(text))
    }

    pub(super) fn depth(&self) -> u16 {
        self.depth
    }

    /// Its member or item; `None` where it has none.
    pub(super) fn find(&self, index: &Self) -> Result<Option<Self>, Error> {
        let found = match (&self.value, &index.value) {
            (Val::Null, _) => None,
            (Val::Obj(members), Val::TStr(key)) => {
                take_steps(key.len() / BYTES_A_STEP);
                members.get(&index.value).cloned()
            }
            (Val::Arr(items), Val::Num(_)) if index.is_int() => {
                place(&index.value, items.len()).and_then(|at| items.get(at).cloned())
            }
            (Val::Arr(_), Val::Arr(_)) => return self.indices(index).map(Some),
            (Val::Arr(_) | Val::TStr(_), Val::Obj(_)) => {
                let (from, to) = bounds(&index.value);
                return jaq_core::ValT::range(self.clone(), from.as_ref()..to.as_ref()).map(Some);
            }
            _ => return Err(Error::index(self.clone(), index.clone())),
        };
        Ok(found.map(|part| Self::part(part, self.depth)))
    }

    /// Where `part` is found in an array (an item, or a run of them) or in a text.
    pub(super) fn indices(&self, part: &Self) -> Result<Self, Error> {
        let found: Vec<usize> = match (&self.value, &part.value) {
            (Val::TStr(_) | Val::Arr(_), Val::TStr(empty)) if empty.is_empty() => Vec::new(),
            (Val::TStr(text), Val::TStr(part)) => {
                take_steps(text.len().saturating_mul(part.len()) / (16 * BYTES_A_STEP) + 1);
                // Counted in characters, overlapping ones as well.
                let starts = text.iter().enumerate().filter(|(_, byte)| !matches!(byte, 0x80..=0xBF));
                let matching = starts.enumerate().filter(|(_, (at, _))| text[*at..].starts_with(part));
                matching.map(|(character, _)| character).collect()
            }
            (Val::Arr(items), Val::Arr(run)) if !run.is_empty() => {
                let matches = |window: &[Val]| window.iter().zip(run.iter()).all(|(a, b)| order::same(a, b));
                items
                    .windows(run.len())
                    .enumerate()
                    .filter(|(_, window)| matches(window))
                    .map(|(at, _)| at)
                    .collect()
            }
            (Val::Arr(_), Val::Arr(_)) => Vec::new(),
            (Val::Arr(items), part) => {
                let same = items.iter().enumerate().filter(|(_, item)| order::same(item, part));
                same.map(|(at, _)| at).collect()
            }
            _ => return Err(Error::index(self.clone(), part.clone())),
        };
        Ok(found.into_iter().map(Self::from).collect())
    }

    /// The value as compact JSON.
    pub(super) fn json(&self) -> Self {
        Self::from(self.to_string())
    }

    fn items(self) -> Result<Vec<Val>, Self> {
        match self.value {
            Val::Arr(items) => Ok(own_items(items)),
            _ => Err(self),
        }
    }
}

/// What may be shared, as one's own.
pub(super) fn own_items(items: Rc<Vec<Val>>) -> Vec<Val> {
    Rc::try_unwrap(items).unwrap_or_else(|shared| {
        take_bytes(shared.len() * ITEM);
        (*shared).clone()
    })
}

/// What may be shared, as one's own.
pub(super) fn own_members(members: Rc<Map>) -> Map {
    Rc::try_unwrap(members).unwrap_or_else(|shared| {
        take_bytes(shared.len() * MEMBER);
        (*shared).clone()
    })
}

impl jaq_core::ValT for Measured {
    fn from_num(digits: &str) -> ValR<Self> {
        if digits.len() > DIGITS {
            return Err(Error::str(format_args!("a number of more than {DIGITS} digits")));
        }
        Val::from_num(digits).map(Self::scalar).map_err(|_| Error::str("not a number"))
    }

    fn from_map<I: IntoIterator<Item = (Self, Self)>>(members: I) -> ValR<Self> {
        let (mut object, mut deepest) = (Map::default(), 0);
        for (key, member) in members {
            if !key.is_utf8_str() {
                return Err(Error::typ(key, "string"));
            }
            take_bytes(MEMBER);
            deepest = deepest.max(member.depth);
            object.insert(key.value, member.value);
        }
        Ok(Self::new(Val::obj(object), deepest + 1))
    }

    fn key_values(self) -> BoxIter<'static, ValR<(Self, Self), Self>> {
        let whole = self.depth;
        // One after the other from what is shared: a copy would be dear where only the first is wanted.
        match self.value {
            Val::Arr(items) => Box::new((0..items.len()).map(move |at| {
                take_steps(1);
                Ok((Self::from(at), Self::part(items[at].clone(), whole)))
            })),
            Val::Obj(members) => {
                let mut at = 0;
                Box::new(iter::from_fn(move || {
                    take_steps(1);
                    let (key, member) = members.get_index(at)?;
                    at += 1;
                    Some(Ok((Self::scalar(key.clone()), Self::part(member.clone(), whole))))
                }))
            }
            _ => box_once(Err(Error::typ(self, "iterable (array or object)"))),
        }
    }

    fn values(self) -> Box<dyn Iterator<Item = ValR<Self>>> {
        Box::new(self.key_values().map(|pair| pair.map(|(_, value)| value)))
    }

    fn index(self, index: &Self) -> ValR<Self> {
        Ok(self.find(index)?.unwrap_or_else(|| Self::scalar(Val::Null)))
    }

    fn range(self, range: Range<&Self>) -> ValR<Self> {
        match &self.value {
            Val::Arr(items) => {
                let (from, to) = slice(&range, items.len())?;
                take_bytes((to - from) * ITEM);
                Ok(Self::new(items[from..to].iter().cloned().collect(), self.depth))
            }
            Val::TStr(text) => {
                let (from, to) = slice_of_text(&range, text)?;
                take_bytes(TEXT);
                Ok(Self::text(text.slice(from..to)))
            }
            Val::Null => Ok(self),
            _ => Err(Error::typ(self, "rangeable (array or string)")),
        }
    }

    fn map_values<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let whole = self.depth;
        match self.value {
            Val::Arr(items) => {
                own_items(items).into_iter().flat_map(|item| f(Self::part(item, whole))).collect()
            }
            Val::Obj(members) => {
                let (mut object, mut deepest) = (Map::default(), 0);
                for (key, member) in own_members(members) {
                    if let Some(member) = f(Self::part(member, whole)).next().transpose()? {
                        take_bytes(MEMBER);
                        deepest = deepest.max(member.depth);
                        object.insert(key, member.value);
                    }
                }
                Ok(Self::new(Val::obj(object), deepest + 1))
            }
            _ => opt.fail(self, |value| Exn::from(Error::typ(value, "iterable (array or object)"))),
        }
    }

    fn map_index<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        index: &Self,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        if let (Val::TStr(_) | Val::Arr(_), Val::Obj(_)) = (&self.value, &index.value) {
            let (from, to) = bounds(&index.value);
            return self.map_range(from.as_ref()..to.as_ref(), opt, f);
        }
        let whole = self.depth;
        match (self.value, &index.value) {
            // As in jq, what is not there becomes an object when a member of it is set.
            (Val::Null, Val::TStr(_)) => match f(Self::scalar(Val::Null)).next().transpose()? {
                Some(new) => Self::from_map([(index.clone(), new)]).map_err(Exn::from),
                None => Ok(Self::scalar(Val::Null)),
            },
            (Val::Obj(members), Val::TStr(_)) => {
                let mut object = own_members(members);
                // Taken out, so that it is nobody else's and can be changed in its place.
                let old = object.get_mut(&index.value).map(std::mem::take);
                let known = old.is_some();
                let new = f(Self::part(old.unwrap_or_default(), whole)).next().transpose()?;
                let depth = new.as_ref().map_or(whole, |new| whole.max(new.depth + 1));
                match new {
                    Some(new) => {
                        take_bytes(if known { 0 } else { MEMBER });
                        object.insert(index.value.clone(), new.value);
                    }
                    // Constant in time, at the price of the order.
                    None if known => _ = object.swap_remove(&index.value),
                    None => {}
                }
                Ok(Self::new(Val::obj(object), depth))
            }
            (Val::Arr(items), Val::Num(_)) if index.is_int() => {
                let Some(at) = place(&index.value, items.len()).filter(|at| *at < items.len()) else {
                    let array = Self { value: Val::Arr(items), depth: whole };
                    return opt
                        .fail(array, |_| Exn::from(Error::str(format_args!("index {index} out of bounds"))));
                };
                let mut items = own_items(items);
                let old = std::mem::take(&mut items[at]);
                let mut depth = whole;
                if let Some(new) = f(Self::part(old, whole)).next().transpose()? {
                    depth = depth.max(new.depth + 1);
                    items[at] = new.value;
                } else {
                    take_steps(items.len() / BYTES_A_STEP);
                    items.remove(at);
                }
                Ok(Self::new(Val::Arr(items.into()), depth))
            }
            (value @ (Val::Obj(_) | Val::Arr(_)), _) => {
                let value = Self { value, depth: whole };
                opt.fail(value, |value| Exn::from(Error::index(value, index.clone())))
            }
            (value, _) => {
                let value = Self::scalar(value);
                opt.fail(value, |value| Exn::from(Error::typ(value, "iterable (array or object)")))
            }
        }
    }

    fn map_range<'a, I: Iterator<Item = ValX<'a, Self>>>(
        self,
        range: Range<&Self>,
        opt: Opt,
        f: impl Fn(Self) -> I,
    ) -> ValX<'a, Self> {
        let whole = self.depth;
        let found = match &self.value {
            Val::Arr(items) => slice(&range, items.len()),
            Val::TStr(text) => slice_of_text(&range, text),
            _ => return opt.fail(self, |value| Exn::from(Error::typ(value, "array"))),
        };
        let (from, to) = match found {
            Ok(found) => found,
            Err(error) => return opt.fail(self, |_| Exn::from(error)),
        };
        match self.value {
            Val::Arr(items) => {
                take_bytes((to - from) * ITEM);
                let old = Self::new(items[from..to].iter().cloned().collect(), whole);
                let new = f(old).next().transpose()?;
                let depth = new.as_ref().map_or(whole, |new| whole.max(new.depth));
                let new = match new {
                    None => Vec::new(),
                    Some(new) => new.items().map_err(|value| Exn::from(Error::typ(value, "array")))?,
                };
                take_bytes((items.len() + new.len()) * ITEM);
                let mut items = own_items(items);
                items.splice(from..to, new);
                Ok(Self::new(Val::Arr(items.into()), depth))
            }
            Val::TStr(text) => {
                let new = f(Self::text(text.slice(from..to))).next().transpose()?;
                let new = match &new {
                    None => &[][..],
                    Some(new) => new.try_as_utf8_bytes()?,
                };
                take_bytes(TEXT + text.len() + new.len());
                Ok(Self::text([&text[..from], new, &text[to..]].concat()))
            }
            value => Ok(Self { value, depth: whole }),
        }
    }

    fn as_bool(&self) -> bool {
        !matches!(self.value, Val::Null | Val::Bool(false))
    }

    fn into_string(self) -> Self {
        if self.is_utf8_str() { self } else { self.json() }
    }
}

impl jaq_std::ValT for Measured {
    fn into_seq<S: FromIterator<Self>>(self) -> Result<S, Self> {
        let whole = self.depth;
        let items = self.items()?;
        take_bytes(items.len() * ITEM);
        Ok(items.into_iter().map(|item| Self::part(item, whole)).collect())
    }

    fn is_int(&self) -> bool {
        self.value.is_int()
    }

    fn as_isize(&self) -> Option<isize> {
        self.value.as_isize()
    }

    fn as_f64(&self) -> Option<f64> {
        self.value.as_f64()
    }

    fn is_utf8_str(&self) -> bool {
        matches!(self.value, Val::TStr(_))
    }

    /// Whoever asks for the bytes is about to look at them.
    fn as_bytes(&self) -> Option<&[u8]> {
        let bytes = self.value.as_bytes()?;
        take_steps(bytes.len() / BYTES_A_STEP);
        Some(bytes)
    }

    fn as_sub_str(&self, part: &[u8]) -> Self {
        take_bytes(TEXT);
        Self::scalar(self.value.as_sub_str(part))
    }

    fn from_utf8_bytes(text: impl AsRef<[u8]> + Send + 'static) -> Self {
        take_bytes(TEXT + text.as_ref().len());
        Self::scalar(Val::from_utf8_bytes(text))
    }
}
