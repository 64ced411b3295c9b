//! Numbers of documents as people read them, and as they were written where somebody looks for them.

use super::fixture::{self, change, keys, model, tell, text};
use crate::engine::{Event, Field};

#[test]
fn numbers_of_the_feed_have_separators_and_names_made_of_digits_do_not() {
    let mut model = model(240, 60);
    tell(&mut model, fixture::up());
    let mut dear = change(1, "dear", 1_028.99, Some(-1_500.0), 0, 0);
    let ean = Field { name: "ean".into(), value: "4006381333931".into(), number: false, delta: None };
    let stock = Field { name: "stock".into(), value: "12345".into(), number: true, delta: None };
    dear.fields.splice(1.., [ean, stock]);
    tell(&mut model, [Event::Changes(vec![change(2, "cheap", 28.5, None, 1, 0), dear])]);
    let shown = text(&model);
    let line = |id: &str| shown.lines().find(|line| line.contains(id)).unwrap().to_owned();
    let dear = line(" dear");
    for words in ["  1,028.99 ", " 4006381333931 12,345 ", "▼1,500.00"] {
        assert!(dear.contains(words), "{words:?} in {dear}");
    }
    assert!(line(" cheap").contains("     28.50 "), "right-aligned below it: {shown}");
    // What is looked for is what is written in the document.
    keys(&mut model, "/1028\n");
    let shown = text(&model);
    assert!(shown.contains("1,028.99") && !shown.contains(" cheap"), "{shown}");
}
