//! The embedded Cosmos emulator as any client sees it over HTTP.
