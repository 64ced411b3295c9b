//! Which room may import which: the nevers of the design.
