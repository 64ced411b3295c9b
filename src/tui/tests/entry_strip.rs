//! The decoded entry in the cache pane.

use std::sync::Arc;

use super::fixture::{self, entry, keys, model, tell};
use crate::engine::{DistributedExpiry, Encoding, EntryState, EntryValue, Event};

#[test]
fn the_selected_entry_is_decoded_below_its_rows_and_masked_with_the_rest() {
    let mut model = model(120, 40);
    tell(&mut model, fixture::running());
    assert!(!fixture::text(&model).contains("IDistributedCache"), "nothing is selected");
    let mut row = entry("p-000044", EntryState::InStep, 0);
    row.kind = "hash".to_owned();
    row.value = Some(Arc::new(EntryValue {
        encoding: Encoding::DistributedCache,
        text: r#"{"sku":"OU-84961"}"#.into(),
        cut: false,
        expiry: Some(DistributedExpiry {
            absolute: "2026-11-23T14:05:02Z".parse().ok(),
            sliding: Some(std::time::Duration::from_secs(300)),
        }),
    }));
    tell(&mut model, [Event::Entries(vec![row])]);
    // The document's selection, made in the feed, shows its entry.
    keys(&mut model, "jj");
    assert_eq!(model.thread.name(), Some("p-000044"));
    let screen = fixture::text(&model);
    for words in ["IDistributedCache · in step", r#"{"sku":"OU-84961"}"#] {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
    keys(&mut model, "3f");
    let wide = fixture::text(&model);
    assert!(wide.contains("absexp 14:05:02") && wide.contains("sldexp 5m"), "{wide}");
    keys(&mut model, "m");
    assert!(!fixture::text(&model).contains("84961"), "masked");
}
