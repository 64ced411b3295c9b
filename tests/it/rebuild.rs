//! Rebuilds under traffic.
