//! The keys of the cache as a tree by `:`, branches with their counts and sizes.

use std::collections::{BTreeMap, BTreeSet};

use super::CachePane;
use crate::tui::keymap::Action;

/// What keys are split by.
pub(crate) const SEPARATOR: char = ':';
/// Most keys taken into the tree; the pane keeps no more than its window anyway.
const MOST: usize = 100_000;

/// A line of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TreeRow {
    /// The whole key, or the prefix with its separator.
    pub(crate) path: String,
    /// The part that this line adds.
    pub(crate) name: String,
    pub(crate) depth: usize,
    /// `None` = a key, `Some(open)` = a branch.
    pub(crate) branch: Option<bool>,
    /// Keys below (1 for a key).
    pub(crate) keys: u64,
    /// Bytes of their values, as far as known.
    pub(crate) bytes: u64,
}

#[derive(Debug, Default)]
struct Node {
    children: BTreeMap<String, Node>,
    /// A key ends here, with its size.
    key: Option<u64>,
    keys: u64,
    bytes: u64,
}

/// State of the view.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyTree {
    open: BTreeSet<String>,
    cursor: Option<String>,
    rows: Vec<TreeRow>,
}

impl KeyTree {
    /// The tree of what the pane keeps, with its first branches open where there are few.
    pub(crate) fn of(cache: &CachePane) -> Self {
        let mut tree = Self::default();
        tree.rebuild(cache);
        if tree.rows.len() == 1
            && let Some(row) = tree.rows.first()
        {
            tree.open.insert(row.path.clone());
            tree.rebuild(cache);
        }
        tree
    }

    pub(crate) fn rows(&self) -> &[TreeRow] {
        &self.rows
    }

    pub(crate) fn place(&self) -> usize {
        let cursor = self.cursor.as_deref();
        self.rows.iter().position(|row| Some(row.path.as_str()) == cursor).unwrap_or(0)
    }

    pub(crate) fn selected(&self) -> Option<&TreeRow> {
        self.rows.get(self.place())
    }

    /// Whether an action does something as things are.
    pub(crate) fn offers(&self, action: Action) -> bool {
        match action {
            Action::Submit | Action::Copy | Action::PreviousChoice | Action::NextChoice => {
                self.selected().is_some()
            }
            _ => true,
        }
    }

    pub(crate) fn step(&mut self, by: isize) {
        let place = self.place().saturating_add_signed(by).min(self.rows.len().saturating_sub(1));
        self.cursor = self.rows.get(place).map(|row| row.path.clone());
    }

    /// Opens or closes the branch under the cursor; closing a key closes the branch it is in.
    pub(crate) fn set_open(&mut self, open: bool, cache: &CachePane) {
        let Some(row) = self.selected().cloned() else { return };
        match (open, row.branch) {
            (true, Some(_)) => drop(self.open.insert(row.path)),
            (true, None) => {}
            (false, Some(true)) => drop(self.open.remove(&row.path)),
            (false, _) => {
                let parent = self.rows[..self.place()].iter().rev().find(|above| above.depth < row.depth);
                let Some(parent) = parent.map(|parent| parent.path.clone()) else { return };
                self.open.remove(&parent);
                self.cursor = Some(parent);
            }
        }
        self.rebuild(cache);
    }

    /// Counts again.
    pub(crate) fn rebuild(&mut self, cache: &CachePane) {
        let mut root = Node::default();
        for (key, size) in cache.sizes().take(MOST) {
            let mut node = &mut root;
            for part in key.split_inclusive(SEPARATOR) {
                node.keys += 1;
                node.bytes += size;
                node = node.children.entry(part.to_owned()).or_default();
            }
            node.keys += 1;
            node.bytes += size;
            node.key = Some(size);
        }
        self.rows.clear();
        let mut path = String::new();
        lines(&root, &mut path, 0, &self.open, &mut self.rows);
    }
}

fn lines(node: &Node, path: &mut String, depth: usize, open: &BTreeSet<String>, rows: &mut Vec<TreeRow>) {
    for (name, child) in &node.children {
        let length = path.len();
        path.push_str(name);
        let row = |branch, keys, bytes| TreeRow {
            path: path.clone(),
            name: name.clone(),
            depth,
            branch,
            keys,
            bytes,
        };
        if !child.children.is_empty() {
            let is_open = open.contains(path.as_str());
            rows.push(row(Some(is_open), child.keys, child.bytes));
            if is_open {
                lines(child, path, depth + 1, open, rows);
            }
        } else if let Some(size) = child.key {
            rows.push(row(None, 1, size));
        }
        path.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{EntryRow, EntryState};

    fn cache(keys: &[(&str, u64)]) -> CachePane {
        let mut pane = CachePane::new(100);
        for (key, size) in keys {
            pane.upsert(EntryRow {
                key: (*key).to_owned(),
                document_id: None,
                kind: "string".to_owned(),
                size: Some(*size),
                expires_at: None,
                value: None,
                state: EntryState::InStep,
                delay_ms: None,
                changed_at: jiff::Timestamp::UNIX_EPOCH,
            });
        }
        pane
    }

    fn shown(tree: &KeyTree) -> Vec<(usize, &str, u64, u64)> {
        tree.rows().iter().map(|row| (row.depth, row.name.as_str(), row.keys, row.bytes)).collect()
    }

    #[test]
    fn branches_count_what_is_below_them() {
        let cache = cache(&[("price:gb:1", 10), ("price:gb:2", 20), ("price:de:1", 5), ("plain", 1)]);
        let mut tree = KeyTree::of(&cache);
        assert_eq!(shown(&tree), [(0, "plain", 1, 1), (0, "price:", 3, 35)]);
        tree.step(1);
        tree.set_open(true, &cache);
        assert_eq!(shown(&tree)[1..], [(0, "price:", 3, 35), (1, "de:", 1, 5), (1, "gb:", 2, 30)]);
        tree.step(2);
        tree.set_open(true, &cache);
        tree.step(1);
        assert_eq!(tree.selected().map(|row| row.path.as_str()), Some("price:gb:1"));
        tree.set_open(false, &cache);
        assert_eq!(tree.selected().map(|row| row.path.as_str()), Some("price:gb:"), "the branch is closed");
        assert_eq!(shown(&tree).len(), 4);
    }

    #[test]
    fn a_lone_branch_is_open_and_odd_keys_have_their_place() {
        let cache = cache(&[("a:", 1), ("a::b", 2), ("a:c", 3)]);
        assert_eq!(KeyTree::of(&cache).rows().iter().filter(|row| row.branch.is_none()).count(), 1);
    }
}
