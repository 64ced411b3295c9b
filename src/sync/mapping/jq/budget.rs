//! What a jq expression may take for one document. It is the user's own program and need not end: so
//! it is counted, and thrown out by unwinding when it has had enough. That costs the usual expression
//! a few nanoseconds a step, and needs no clock.
//!
//! Counted are *steps* and *bytes*. The interpreter looks up every term of the expression that it
//! evaluates in a table that we hand it; handing it out is a step. What goes round without evaluating
//! terms counts for itself: [`super::value`] for every value that is walked, compared or built, and
//! [`super::natives`] for `range`. Bytes are those of all values that were built, dropped or not.
//! The nesting of values is bounded by [`super::value`].

use std::cell::Cell;
use std::fmt;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use jaq_core::data::HasLut;
use jaq_core::{DataT, Lut};

use super::value::Measured;

/// Steps for any document, far below a second …
const STEPS: u64 = 500_000;
/// … and for each byte of it: reshaping one needs about one.
const STEPS_PER_BYTE: u64 = 4;
/// Bytes of values for any document …
const BYTES: u64 = 96 << 20;
/// … and for each byte of it: a small array takes many times what its text does.
const BYTES_PER_BYTE: u64 = 32;
/// Steps that are tried on the caller's own stack. The interpreter keeps closures and paths in lists
/// that it drops link by link, each a call deeper, and a step can add a link: after so many they
/// still fit what a worker's thread has. The usual expression takes some dozen.
const NEAR_STEPS: u64 = 2_000;
/// Bytes of values of such an evaluation that nobody waits for.
const NEAR_BYTES: u64 = 1 << 20;
/// Stack that dropping one such link takes, with room to spare.
const STACK_PER_STEP: u64 = 512;
/// Stack used by an expression that calls itself: half of what a worker's thread has.
const STACK: usize = 1 << 20;

/// The kind of filters that are counted.
pub(super) struct Counted;

impl DataT for Counted {
    type V<'a> = Measured;
    type Data<'a> = Terms<'a>;
}

/// The table of terms. Looking into it is a step.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a>(&'a Lut<Counted>);

impl<'a> HasLut<'a, Counted> for Terms<'a> {
    fn lut(&self) -> &'a Lut<Counted> {
        BUDGET.with(|budget| {
            budget.take_steps(1);
            if budget.stack.get().abs_diff(here()) > STACK {
                throw(Spent::Stack);
            }
        });
        self.0
    }
}

thread_local! {
    /// What is left to the evaluation on this thread. A plain value where there is none: the
    /// operations of values know no context to take it from.
    static BUDGET: Budget = const {
        Budget { steps: Cell::new(u64::MAX), bytes: Cell::new(u64::MAX), stack: Cell::new(0) }
    };
}

struct Budget {
    steps: Cell<u64>,
    bytes: Cell<u64>,
    stack: Cell<usize>,
}

/// What was used up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Spent {
    /// Too many steps.
    Steps,
    /// Too many bytes of values.
    Bytes,
    /// Calls within calls.
    Stack,
    /// Arrays and objects within each other.
    Depth,
}

impl Budget {
    fn take_steps(&self, count: u64) {
        match self.steps.get().checked_sub(count) {
            Some(left) => self.steps.set(left),
            None => throw(Spent::Steps),
        }
    }
}

/// Takes steps, or ends the evaluation.
pub(super) fn take_steps(count: usize) {
    BUDGET.with(|budget| budget.take_steps(count as u64));
}

/// Takes bytes that are about to be allocated, or ends the evaluation.
pub(super) fn take_bytes(count: usize) {
    BUDGET.with(|budget| match budget.bytes.get().checked_sub(count as u64) {
        Some(left) => budget.bytes.set(left),
        None => throw(Spent::Bytes),
    });
}

/// Ends the evaluation: unwinds without a panic's message; [`run`] expects it.
#[cold]
pub(super) fn throw(spent: Spent) -> ! {
    resume_unwind(Box::new(spent))
}

/// About where the stack is.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it is the caller's place on the stack that counts")]
fn here() -> usize {
    let mark = 0_u8;
    std::ptr::from_ref(black_box(&mark)).addr()
}

/// Runs `evaluate` with a fresh budget for a document of so many bytes; a long evaluation begins anew
/// on a stack of its own. What it makes of the same document must be the same each time.
///
/// # Errors
/// Its own, or in words what was used up.
pub(super) fn run<T: Send>(
    table: &Lut<Counted>,
    size: usize,
    evaluate: &(dyn Fn(Terms<'_>) -> Result<T, String> + Sync),
) -> Result<T, String> {
    let size = size as u64;
    let (steps, bytes) = (STEPS + STEPS_PER_BYTE * size, BYTES + BYTES_PER_BYTE * size);
    let told = |spent| match spent {
        Spent::Steps => format!("the jq expression was stopped after {steps} steps: does it end?"),
        Spent::Bytes => {
            format!("the jq expression was stopped after values of {} MB: does it end?", bytes >> 20)
        }
        Spent::Stack => "the jq expression calls itself too deeply: does it end?".to_owned(),
        Spent::Depth => "the jq expression nests values too deeply: does it end?".to_owned(),
    };
    match attempt(NEAR_STEPS, bytes, || evaluate(Terms(table))) {
        Ok(made) => return made,
        Err(Spent::Steps) => {}
        Err(spent) => return Err(told(spent)),
    }
    let stack = usize::try_from(steps * STACK_PER_STEP).unwrap_or(usize::MAX);
    thread::scope(|scope| {
        let far = thread::Builder::new()
            .name("jq".to_owned())
            .stack_size(stack)
            .spawn_scoped(scope, || attempt(steps, bytes, || evaluate(Terms(table))))
            .map_err(|error| format!("no thread for a long jq expression: {error}"))?;
        match far.join() {
            Ok(made) => made.unwrap_or_else(|spent| Err(told(spent))),
            Err(panic) => resume_unwind(panic),
        }
    })
}

/// Reads a document of so many bytes, as long as it takes: it is bounded by its size.
///
/// # Errors
/// Its own, or that its values take too much.
pub(super) fn aside<T>(size: usize, read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let size = size as u64;
    attempt(STEPS + STEPS_PER_BYTE * size, BYTES + BYTES_PER_BYTE * size, read)
        .unwrap_or_else(|_| Err("the document is too large for jq".to_owned()))
}

/// Evaluates for somebody who cannot wait: on the caller's own stack and as far as that goes, well below a
/// millisecond. Gives also how many steps it took.
///
/// # Errors
/// Its own, or in words what was used up.
pub(super) fn at_once<T>(
    table: &Lut<Counted>,
    size: usize,
    evaluate: impl FnOnce(Terms<'_>) -> Result<T, String>,
) -> (Result<T, String>, u64) {
    let mut left = 0;
    let made = attempt(NEAR_STEPS, NEAR_BYTES + BYTES_PER_BYTE * size as u64, || {
        let made = evaluate(Terms(table));
        left = BUDGET.with(|budget| budget.steps.get());
        made
    });
    let made = made.unwrap_or_else(|_| {
        Err(format!(
            "the jq expression takes more than {NEAR_STEPS} steps, or too much memory, to be asked here"
        ))
    });
    (made, NEAR_STEPS - left)
}

/// Evaluates within a budget; a panic of the interpreter is a fault of the expression like others.
fn attempt<T>(
    steps: u64,
    bytes: u64,
    evaluate: impl FnOnce() -> Result<T, String>,
) -> Result<Result<T, String>, Spent> {
    let before = BUDGET.with(|budget| {
        (budget.steps.replace(steps), budget.bytes.replace(bytes), budget.stack.replace(here()))
    });
    // Nothing that is used afterwards is changed in there.
    let ran = catch_unwind(AssertUnwindSafe(evaluate));
    BUDGET.with(|budget| {
        budget.steps.set(before.0);
        budget.bytes.set(before.1);
        budget.stack.set(before.2);
    });
    match ran {
        Ok(made) => Ok(made),
        Err(thrown) => match thrown.downcast::<Spent>() {
            Ok(spent) => Err(*spent),
            Err(_) => Ok(Err("the jq interpreter failed at this expression".to_owned())),
        },
    }
}

/// Text up to a length; more is an error of the writer. What it takes counts.
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
