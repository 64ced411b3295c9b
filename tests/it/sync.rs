//! Mapping and delivery into Redis.
