//! What a jq expression may take for one document. It is the user's own program and need not end: so
//! it is counted step by step, and thrown out by unwinding when it has had enough. That costs the
//! usual expression a few nanoseconds a step, and needs no thread or clock.
//!
//! The interpreter looks up every term of the expression that it evaluates in a table that we hand it;
//! handing it out is where we count. Only `range` goes round without that; it is replaced by our own.

use std::cell::Cell;
use std::fmt;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use jaq_core::data::HasLut;
use jaq_core::native::{self, Fun, v};
use jaq_core::{DataT, Exn, Lut, ValX};
use jaq_json::Val;

/// Terms evaluated for any document, far below a second …
const STEPS: u64 = 1_000_000;
/// … and for each byte of it: reshaping one needs about one.
const STEPS_PER_BYTE: u64 = 16;
/// Stack used by an expression that calls itself: half of what a worker's thread has.
const STACK: usize = 1 << 20;
/// The one generator of the interpreter that evaluates no terms.
pub(super) const RANGE: &str = "range";

/// The kind of filters that are counted.
pub(super) struct Counted;

impl DataT for Counted {
    type V<'a> = Val;
    type Data<'a> = Meter<'a>;
}

/// The table of terms, and what is left for evaluating them.
#[derive(Clone, Copy)]
pub(super) struct Meter<'a> {
    table: &'a Lut<Counted>,
    budget: &'a Budget,
}

impl<'a> HasLut<'a, Counted> for Meter<'a> {
    fn lut(&self) -> &'a Lut<Counted> {
        self.budget.take();
        self.table
    }
}

/// What is left.
struct Budget {
    all: u64,
    left: Cell<u64>,
    stack: usize,
}

/// What was used up.
#[derive(Debug, Clone, Copy)]
enum Spent {
    Steps(u64),
    Stack,
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(steps) => {
                write!(f, "the jq expression was stopped after {steps} steps: does it end?")
            }
            Self::Stack => f.write_str("the jq expression calls itself too deeply: does it end?"),
        }
    }
}

impl Budget {
    fn take(&self) {
        let Some(left) = self.left.get().checked_sub(1) else { throw(Spent::Steps(self.all)) };
        self.left.set(left);
        if self.stack.abs_diff(here()) > STACK {
            throw(Spent::Stack);
        }
    }
}

/// Unwinds without a panic's message: [`run`] expects it.
#[cold]
fn throw(spent: Spent) -> ! {
    resume_unwind(Box::new(spent))
}

/// About where the stack is.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it is the caller's place on the stack that counts")]
fn here() -> usize {
    let mark = 0_u8;
    std::ptr::from_ref(black_box(&mark)).addr()
}

/// Runs `evaluate` with a fresh budget for a document of so many bytes.
///
/// # Errors
/// Its own, or in words what was used up.
pub(super) fn run<T>(
    table: &Lut<Counted>,
    size: usize,
    evaluate: impl FnOnce(Meter<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let all = STEPS + STEPS_PER_BYTE * size as u64;
    let budget = Budget { all, left: Cell::new(all), stack: here() };
    // Nothing that is used afterwards is changed in there.
    let ran = catch_unwind(AssertUnwindSafe(|| evaluate(Meter { table, budget: &budget })));
    ran.unwrap_or_else(|thrown| match thrown.downcast::<Spent>() {
        Ok(spent) => Err(spent.to_string()),
        Err(panic) => resume_unwind(panic),
    })
}

/// `range(from; to; by)` as the interpreter has it, counted.
pub(super) fn range() -> Fun<Counted> {
    native::run((RANGE, v(3), |mut cv| {
        let (by, to, from) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
        let budget = cv.0.data().budget;
        let mut next: Option<ValX<'_, Val>> = Some(Ok(from));
        let rising = by > Val::from(0_isize);
        let falling = by < Val::from(0_isize);
        Box::new(std::iter::from_fn(move || {
            budget.take();
            let value = match next.take()? {
                Ok(value) => value,
                error => return Some(error),
            };
            let within = match (rising, falling) {
                (true, _) => value < to,
                (_, true) => value > to,
                _ => value != to,
            };
            within.then(|| {
                next = Some((value.clone() + by.clone()).map_err(Exn::from));
                Ok(value)
            })
        }))
    }))
}

/// Text up to a length; more is an error of the writer.
pub(super) struct Bounded {
    text: String,
    most: usize,
}

impl Bounded {
    pub(super) fn new(most: usize) -> Self {
        Self { text: String::new(), most }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.text.len() + text.len() > self.most {
            return Err(fmt::Error);
        }
        self.text.push_str(text);
        Ok(())
    }
}
