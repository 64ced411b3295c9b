//! Sample price documents: templates and generator.
