//! Splits and merges of physical ranges. LSNs go on from the parents' and no version is rewritten,
//! so that the etag of a parent stays a valid cursor for its part of the key space.

use thiserror::Error;

use super::super::keys::Epk;
use super::log::{Range, place};
use super::ranges::Ranges;

/// Why a range could not be split or merged.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TopologyError {
    /// The emulator has no such container.
    #[error("there is no container {0} in the embedded Cosmos: create it first")]
    NoContainer(String),
    /// No live range has this id.
    #[error("the container has no live range {0}: read its list of ranges again")]
    NoRange(u32),
    /// The range is too narrow to have two halves.
    #[error("range {0} cannot be split: it is too narrow")]
    TooNarrow(u32),
    /// Only neighbours merge.
    #[error("ranges {0} and {1} are not neighbours: only neighbours merge")]
    NotNeighbours(u32, u32),
    /// There is nothing to merge with.
    #[error("the container has one range only")]
    OneRange,
}

impl Ranges {
    /// Splits where half of the documents lie on either side, else in the middle of the space.
    pub(in super::super) fn split(&mut self, id: u32) -> Result<[u32; 2], TopologyError> {
        let index = self.index_of(id)?;
        let range = &self.live[index];
        let cut = median(range).or_else(|| middle(range)).ok_or(TopologyError::TooNarrow(id))?;
        let parent = self.live.remove(index);
        let (left, right) = (self.next_id, self.next_id + 1);
        self.next_id += 2;
        self.generation += 1;
        let mut children = [
            child(left, parent.min.clone(), cut.clone(), &[&parent]),
            child(right, cut.clone(), parent.max.clone(), &[&parent]),
        ];
        let side = |epk: &Epk| usize::from(*epk >= cut);
        for (key, document) in parent.documents {
            let child = &mut children[side(&key.0)];
            child.log.insert(place(&document), document.clone());
            child.documents.insert(key, document);
        }
        for version in parent.history {
            let image = version.current.as_ref().or(version.previous.as_ref());
            if let Some(side) = image.map(|document| side(&document.key.0)) {
                children[side].history.push_back(version);
            }
        }
        self.live.splice(index..index, children);
        Ok([left, right])
    }

    /// Merges two neighbours, named in either order.
    pub(in super::super) fn merge(&mut self, ids: [u32; 2]) -> Result<u32, TopologyError> {
        let [a, b] = [self.index_of(ids[0])?, self.index_of(ids[1])?];
        let first = a.min(b);
        if a.abs_diff(b) != 1 {
            return Err(TopologyError::NotNeighbours(ids[0], ids[1]));
        }
        let parents: Vec<Range> = self.live.drain(first..first + 2).collect();
        let id = self.next_id;
        self.next_id += 1;
        self.generation += 1;
        let by_ref: Vec<&Range> = parents.iter().collect();
        let mut merged = child(id, parents[0].min.clone(), parents[1].max.clone(), &by_ref);
        for parent in parents {
            merged.log.extend(parent.log);
            merged.documents.extend(parent.documents);
            merged.history.extend(parent.history);
        }
        merged.history.make_contiguous().sort_by_key(|version| version.lsn);
        self.live.insert(first, merged);
        Ok(id)
    }

    /// The range with the most documents.
    pub(in super::super) fn fullest(&self) -> Option<u32> {
        self.live.iter().max_by_key(|range| range.documents.len()).map(|range| range.id)
    }

    /// The neighbours with the fewest documents between them.
    pub(in super::super) fn emptiest_pair(&self) -> Option<[u32; 2]> {
        let pairs = self.live.windows(2);
        let pair = pairs.min_by_key(|pair| pair.iter().map(|range| range.documents.len()).sum::<usize>())?;
        Some([pair[0].id, pair[1].id])
    }

    fn index_of(&self, id: u32) -> Result<usize, TopologyError> {
        self.live.iter().position(|range| range.id == id).ok_or(TopologyError::NoRange(id))
    }
}

/// An empty range that goes on where its parents stopped.
fn child(id: u32, min: Epk, max: Epk, parents: &[&Range]) -> Range {
    let mut range = Range::new(id, min, max);
    for parent in parents {
        range.parents.extend(&parent.parents);
        range.parents.push(parent.id);
        range.lsn = range.lsn.max(parent.lsn);
        range.forgotten = range.forgotten.max(parent.forgotten);
    }
    range
}

fn median(range: &Range) -> Option<Epk> {
    let (key, _) = range.documents.iter().nth(range.documents.len() / 2)?;
    (range.min < key.0).then(|| key.0.clone())
}

fn middle(range: &Range) -> Option<Epk> {
    // Hash V2 uses the lower quarter of the space; "FF" is its end.
    let end = u128::MAX >> 2;
    let bound = |epk: &Epk, open: u128| match epk.to_hex() {
        hex if hex.is_empty() || hex == "FF" => Some(open),
        hex => u128::from_str_radix(&format!("{hex:0<32.32}"), 16).ok(),
    };
    let (min, max) = (bound(&range.min, 0)?, bound(&range.max, end)?);
    let middle = min.checked_add(max.checked_sub(min)? / 2).filter(|m| *m > min)?;
    Epk::try_from(format!("{middle:032X}")).ok()
}
