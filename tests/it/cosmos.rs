//! The Cosmos room against the embedded emulator.
