//! Servers that live inside this program: the Cosmos emulator's listener, the RESP server, a private redis-server.

pub mod cosmos;
