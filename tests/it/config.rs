//! Merged settings, where values come from, masked secrets.
