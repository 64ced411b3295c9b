//! From change to entry: mapping, the `ChangeHandler` that writes to Redis, rebuild.
