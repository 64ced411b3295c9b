//! A query over documents: rows of bindings, filter, groups, order, and what is left of them.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::super::document::Document;
use super::Fault;
use super::aggregate::State;
use super::ast::{Direction, Expr, Query, Source};
use super::evaluate::{Binding, Lazy, Row, eval, holds};
use super::output::write_result;
use super::value::{canonical, order};

/// Steps of evaluation that one request may take: some seconds. A join of arrays with themselves could
/// take years.
const STEPS: u64 = 50_000_000;
/// Bytes of results that one request may hold.
const RESULTS: usize = 256 << 20;

/// What a query has cost so far.
#[derive(Debug)]
pub(in super::super) struct Work {
    /// Steps that are left.
    left: Cell<u64>,
}

impl Default for Work {
    fn default() -> Self {
        Self::of(STEPS)
    }
}

impl Work {
    pub(super) fn of(steps: u64) -> Self {
        Self { left: Cell::new(steps) }
    }

    pub(super) fn spend(&self, steps: u64) -> Result<(), Fault> {
        let left = self.left.get().checked_sub(steps).ok_or_else(too_much)?;
        self.left.set(left);
        Ok(())
    }

    /// For a buffer of this length.
    #[expect(clippy::unused_self, reason = "one place decides what is too much")]
    pub(super) fn spend_bytes(&self, length: usize) -> Result<(), Fault> {
        if length > RESULTS { Err(too_much()) } else { Ok(()) }
    }
}

fn too_much() -> Fault {
    Fault::new("The query needs more work than this emulator gives to one request: narrow it, or join less.")
}

/// Results one after the other, as JSON text.
#[derive(Debug, Default)]
pub(in super::super) struct Rows {
    /// The texts, end to end.
    text: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Rows {
    /// How many.
    pub(in super::super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of all.
    pub(in super::super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The result at a place.
    pub(in super::super) fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }

    /// Appends a text as it is.
    pub(in super::super) fn push_text(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
        self.ends.push(self.text.len());
    }

    fn push(&mut self, select: &super::ast::Select, row: &Row<'_>, work: &Work) -> Result<(), Fault> {
        let before = self.text.len();
        if write_result(select, row, work, &mut self.text)? {
            self.ends.push(self.text.len());
        } else {
            self.text.truncate(before);
        }
        work.spend_bytes(self.text.len())
    }
}

impl Query {
    /// Whether each document's results follow from it alone, so that a page can end anywhere.
    pub(in super::super) fn streams(&self) -> bool {
        !self.distinct
            && self.top.is_none()
            && self.group.is_empty()
            && self.aggregates.is_empty()
            && self.order.is_empty()
            && self.limit.is_none()
            && !self.sources.is_empty()
    }

    /// Appends the results of one document of a query that [streams](Self::streams).
    pub(in super::super) fn stream(
        &self,
        document: Arc<Document>,
        rows: &mut Rows,
        work: &Work,
    ) -> Result<(), Fault> {
        self.each_row(Some(&Rc::new(Lazy::new(document))), None, work, &mut |row| {
            rows.push(&self.select, row, work)?;
            Ok(ControlFlow::Continue(()))
        })
        .map(drop)
    }

    /// All results over these documents.
    pub(in super::super) fn run(
        &self,
        documents: impl IntoIterator<Item = Arc<Document>>,
        work: &Work,
    ) -> Result<Rows, Fault> {
        if self.sources.is_empty() {
            return self.results(None, &mut std::iter::once(None), work);
        }
        let mut documents = documents.into_iter().map(|document| Some(Rc::new(Lazy::new(document))));
        self.results(None, &mut documents, work)
    }

    /// Whether a document is what the query filters for; the form of a patch's condition.
    pub(in super::super) fn matches(&self, document: &Arc<Document>) -> Result<bool, Fault> {
        Ok(self.run([Arc::clone(document)], &Work::default())?.len() > 0)
    }

    fn results(
        &self,
        outer: Option<&Row<'_>>,
        roots: &mut dyn Iterator<Item = Option<Rc<Lazy>>>,
        work: &Work,
    ) -> Result<Rows, Fault> {
        let mut found = Found { rows: Rows::default(), keys: Vec::new() };
        if self.group.is_empty() && self.aggregates.is_empty() {
            // Without an order the first are as good as any.
            let most = self.most().filter(|_| self.order.is_empty() && !self.distinct);
            for root in roots {
                let went = self.each_row(root.as_ref(), outer, work, &mut |row| {
                    found.take(self, row, work)?;
                    let enough = most.is_some_and(|most| found.rows.len() >= most);
                    Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
                })?;
                if went.is_break() {
                    break;
                }
            }
        } else {
            self.grouped(outer, roots, work, &mut found)?;
        }
        Ok(found.finish(self))
    }

    /// Results needed at most.
    fn most(&self) -> Option<usize> {
        self.top.or_else(|| self.limit.map(|limit| limit.saturating_add(self.offset)))
    }

    fn grouped(
        &self,
        outer: Option<&Row<'_>>,
        roots: &mut dyn Iterator<Item = Option<Rc<Lazy>>>,
        work: &Work,
        found: &mut Found,
    ) -> Result<(), Fault> {
        let mut groups: IndexMap<String, (Vec<Binding>, Vec<State>)> = IndexMap::new();
        let fresh = || self.aggregates.iter().map(|(kind, _)| State::new(*kind)).collect::<Vec<_>>();
        for root in roots {
            let _always_goes_on = self.each_row(root.as_ref(), outer, work, &mut |row| {
                let mut key = String::new();
                for by in &self.group {
                    key += &eval(by, row, work)?
                        .map_or_else(|| "undefined".to_owned(), |value| canonical(&value));
                    key.push('\u{0}');
                }
                let (_, states) = groups.entry(key).or_insert_with(|| (row.bindings.clone(), fresh()));
                for ((_, argument), state) in self.aggregates.iter().zip(states) {
                    state.add(eval(argument, row, work)?.as_deref());
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        // Aggregates of nothing are still an answer; groups of nothing are none.
        if self.group.is_empty() && groups.is_empty() {
            groups.insert(String::new(), (Vec::new(), fresh()));
        }
        for (bindings, states) in groups.into_values() {
            let aggregates = states.into_iter().map(State::result).collect();
            found.take(self, &Row { bindings, aggregates, outer }, work)?;
        }
        Ok(())
    }

    /// Calls `each` for every combination of the sources' values that the filter lets through.
    fn each_row<'o>(
        &self,
        root: Option<&Rc<Lazy>>,
        outer: Option<&'o Row<'o>>,
        work: &Work,
        each: &mut Each<'_>,
    ) -> Result<ControlFlow<()>, Fault> {
        let mut row = Row { bindings: Vec::with_capacity(self.sources.len()), aggregates: Vec::new(), outer };
        self.bind(&self.sources, root, &mut row, work, each)
    }

    fn bind(
        &self,
        sources: &[Source],
        root: Option<&Rc<Lazy>>,
        row: &mut Row<'_>,
        work: &Work,
        each: &mut Each<'_>,
    ) -> Result<ControlFlow<()>, Fault> {
        let Some((source, rest)) = sources.split_first() else {
            if let Some(filter) = &self.filter
                && holds(filter, row, work)? != Some(true)
            {
                return Ok(ControlFlow::Continue(()));
            }
            return each(row);
        };
        let bound = match source {
            Source::Documents => root.cloned().map(Binding::Document).into_iter().collect(),
            Source::Value(path) => {
                let value = eval(path, row, work)?.map(std::borrow::Cow::into_owned);
                value.map(|value| Binding::Value(Rc::new(value))).into_iter().collect()
            }
            Source::Each(path) => match eval(path, row, work)?.map(std::borrow::Cow::into_owned) {
                Some(Value::Array(items)) => values(items),
                _ => Vec::new(),
            },
            Source::Results(query) => values(collect(query, row, work)?),
        };
        for binding in bound {
            row.bindings.push(binding);
            let went = self.bind(rest, root, row, work, each);
            row.bindings.pop();
            if went?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

type Each<'e> = dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>, Fault> + 'e;

fn values(items: Vec<Value>) -> Vec<Binding> {
    items.into_iter().map(|item| Binding::Value(Rc::new(item))).collect()
}

/// Whether a subquery has a result.
pub(super) fn exists(query: &Query, outer: &Row<'_>, work: &Work) -> Result<bool, Fault> {
    Ok(query.results(Some(outer), &mut std::iter::once(None), work)?.len() > 0)
}

/// All results of a subquery.
pub(super) fn collect(query: &Query, outer: &Row<'_>, work: &Work) -> Result<Vec<Value>, Fault> {
    let rows = query.results(Some(outer), &mut std::iter::once(None), work)?;
    work.spend(rows.bytes() as u64 / 16)?;
    Ok((0..rows.len()).filter_map(|at| serde_json::from_slice(rows.get(at)).ok()).collect())
}

/// The result of a subquery that must have one at most.
pub(super) fn first(query: &Query, outer: &Row<'_>, work: &Work) -> Result<Option<Value>, Fault> {
    let mut all = collect(query, outer, work)?;
    match all.len() {
        0 | 1 => Ok(all.pop()),
        _ => Err(Fault::new("The cardinality of a scalar subquery result set cannot be greater than one.")),
    }
}

/// Results before they are sorted.
struct Found {
    rows: Rows,
    /// For each result what it is ordered by, and the ordinal of its document.
    keys: Vec<(Vec<Option<Value>>, u64)>,
}

impl Found {
    fn take(&mut self, query: &Query, row: &Row<'_>, work: &Work) -> Result<(), Fault> {
        let before = self.rows.len();
        self.rows.push(&query.select, row, work)?;
        if self.rows.len() > before && !query.order.is_empty() {
            let key =
                |(by, _): &(Expr, Direction)| Ok(eval(by, row, work)?.map(std::borrow::Cow::into_owned));
            let keys = query.order.iter().map(key).collect::<Result<Vec<_>, Fault>>()?;
            let ordinal = row.bindings.iter().find_map(|binding| match binding {
                Binding::Document(document) => Some(document.document.ordinal),
                Binding::Value(_) => None,
            });
            self.keys.push((keys, ordinal.unwrap_or(0)));
        }
        Ok(())
    }

    /// In order, each once if asked, and the part that is wanted.
    fn finish(self, query: &Query) -> Rows {
        let mut places: Vec<usize> = (0..self.rows.len()).collect();
        if !query.order.is_empty() {
            places.sort_by(|a, b| {
                let ((a, of_a), (b, of_b)) = (&self.keys[*a], &self.keys[*b]);
                let pairs = a.iter().zip(b).zip(&query.order);
                let sorted = pairs.fold(Ordering::Equal, |so_far, ((a, b), (_, direction))| {
                    so_far.then_with(|| directed(order(a.as_ref(), b.as_ref()), *direction))
                });
                // Ties go by the age of the documents, in the first direction: clients that merge ranges
                // rely on it.
                sorted.then_with(|| directed(of_a.cmp(of_b), query.order[0].1))
            });
        }
        if query.distinct {
            let mut seen = HashSet::new();
            places.retain(|place| {
                let value = serde_json::from_slice::<Value>(self.rows.get(*place));
                seen.insert(value.map(|value| canonical(&value)).unwrap_or_default())
            });
        }
        let most = query.top.or(query.limit).unwrap_or(usize::MAX);
        let mut rows = Rows::default();
        for place in places.into_iter().skip(query.offset).take(most) {
            rows.text.extend_from_slice(self.rows.get(place));
            rows.ends.push(rows.text.len());
        }
        rows
    }
}

fn directed(order: Ordering, direction: Direction) -> Ordering {
    if direction == Direction::Descending { order.reverse() } else { order }
}
