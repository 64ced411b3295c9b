//! Redis: connection, pipelined writes, entry reading, observer, scan. Knows no Cosmos. The only room with the `redis` crate's types.
