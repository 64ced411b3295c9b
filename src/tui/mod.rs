//! The terminal screen: model, update, view. Draws `Event`s, sends `Command`s, does no I/O of its own.
