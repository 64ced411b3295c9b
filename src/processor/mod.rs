//! The change feed processor: bootstrap, acquire, renew, worker; generic over a `ChangeHandler`. Knows no cache.
