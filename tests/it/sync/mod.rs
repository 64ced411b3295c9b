//! Mapping and delivery into Redis.

mod encodings;
