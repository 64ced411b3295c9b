//! Write to feed to lease to Redis, restarts and failures.
