//! The cache room against a real redis-server and the in-process one.
