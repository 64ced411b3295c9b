//! The processor over HTTP: leases, checkpoints, restarts.
