//! Small drawing pieces that know nothing of panes: text that fits, a pen for rows, frames, bars.

pub(super) mod bar;
pub(super) mod chart;
pub(super) mod pane;
pub(super) mod pen;
pub(super) mod spark;
pub(super) mod text;
pub(crate) mod titles;
