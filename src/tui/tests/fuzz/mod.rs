//! Random keys, clicks, sizes and events, for as long as anybody likes: nothing panics, and what must
//! always hold of the model holds after each of them.
//!
//! `SYNCSCOPE_FUZZ=1000000 cargo test --release --lib tui::tests::fuzz` is the full run;
//! `SYNCSCOPE_FUZZ_SEED` repeats one that failed.

mod answers;
mod chaos;
mod invariants;

use std::collections::VecDeque;

use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, layout::Rect, layout::Size};

use self::chaos::Chaos;
use super::fixture;
use crate::{
    engine::Event,
    tui::{Model, ScreenOptions, layout, model::Overlay, update::update, view, widgets::text},
};

const FEED_ROWS: usize = 40;
const CACHE_ROWS: usize = 30;
/// Messages of a run of CI.
const FEW: u64 = 20_000;
/// A frame is drawn once in so many messages.
const DRAWN: u64 = 25;
/// Last messages told when something breaks.
const TOLD: usize = 12;
/// Sizes that matter more than their share: the edges of each shape, and nothing at all.
const SIZES: [(u16, u16); 14] = [
    (0, 0),
    (1, 1),
    (2, 70),
    (200, 1),
    (59, 15),
    (60, 14),
    (60, 15),
    (80, 24),
    (99, 40),
    (100, 15),
    (100, 22),
    (120, 40),
    (240, 60),
    (300, 80),
];
/// A frame can be drawn at any size, changes nothing, and holds nothing that moves a terminal's cursor.
fn drawn(model: &Model, rng: &mut StdRng) {
    let size = model.size;
    let mut terminal = Terminal::new(TestBackend::new(size.width, size.height)).unwrap();
    terminal
        .draw(|frame| {
            view::draw(model, frame.buffer_mut());
        })
        .unwrap();
    let buf = fixture::draw(model);
    assert!(buf == fixture::draw(model), "a frame of the same model is the same frame");
    for y in 0..size.height {
        let mut x = 0;
        while x < size.width {
            let symbol = buf[(x, y)].symbol();
            assert!(!symbol.chars().any(char::is_control), "{symbol:?} at {x},{y}");
            let columns = u16::try_from(text::width(symbol)).unwrap().max(1);
            assert!(x + columns <= size.width, "{symbol:?} hangs over the edge at {x},{y}");
            x += columns;
        }
    }
    // The terminal may have shrunk before its resize event is read.
    let (width, height) = *SIZES.choose(rng).unwrap();
    view::draw(model, &mut Buffer::empty(Rect::new(0, 0, width, height)));
}

#[test]
fn nothing_that_comes_breaks_it() {
    let number = |name| std::env::var(name).ok().and_then(|value: String| value.parse::<u64>().ok());
    let messages = number("SYNCSCOPE_FUZZ").unwrap_or(FEW);
    let seed = number("SYNCSCOPE_FUZZ_SEED").unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
    let mut chaos = Chaos::new(seed);
    let options = ScreenOptions {
        feed_rows: FEED_ROWS,
        cache_rows: CACHE_ROWS,
        ascii: seed % 2 == 1,
        ..fixture::model(80, 24).options
    };
    let mut model = Model::new(options, Size::new(120, 40), fixture::start());
    let mut last: VecDeque<String> = VecDeque::new();
    for step in 0..messages {
        let msg = chaos.msg();
        last.push_back(format!("{msg:?}"));
        if last.len() > TOLD {
            last.pop_front();
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let effects = update(&mut model, msg);
            chaos.took(effects);
            invariants::hold(&model);
            invariants::cursors_in_view(&model);
            if step % DRAWN == 0 {
                drawn(&model, &mut chaos.rng);
            }
        }));
        assert!(
            outcome.is_ok(),
            "step {step} with SYNCSCOPE_FUZZ_SEED={seed} at {:?}, shape {:?}, overlays {:?}, after\n{}",
            model.size,
            layout::frame(&model).shape,
            model.context(),
            last.iter().map(|msg| msg.chars().take(300).collect::<String>()).collect::<Vec<_>>().join("\n")
        );
    }
}

/// Which kind an event is. A new kind does not compile until it is entered here, and does not pass until
/// [`Chaos`] makes it.
fn kind(event: &Event) -> usize {
    match event {
        Event::Connection(..) => 0,
        Event::Sync(_) => 1,
        Event::Changes(_) => 2,
        Event::Feed(_) => 3,
        Event::Leases(_) => 4,
        Event::Entries(_) => 5,
        Event::EntriesRemoved(_) => 6,
        Event::CacheFlushed => 7,
        Event::Cache(_) => 8,
        Event::Latency(_) => 9,
        Event::RebuildPlan(_) => 10,
        Event::Rebuild(_) => 11,
        Event::LeasePlan(_) => 12,
        Event::LeasesDone(_) => 13,
        Event::Verify(_) => 14,
        Event::Finding(_) => 15,
        Event::Drift(_) => 16,
        Event::MappingPreview(_) => 17,
        Event::DeadLetters(_) => 18,
        Event::Traffic(_) => 19,
        Event::Document(_) => 20,
        Event::LatencyReport(_) => 21,
        Event::Files { .. } => 22,
        Event::Edited(_) => 23,
        Event::Log(_) => 24,
        Event::Dropped(_) => 25,
        Event::Versions(_) => 26,
        Event::SameAs(_) => 27,
        Event::Bookmarked(_) => 28,
        Event::Bookmarks(_) => 29,
        Event::Compared { .. } => 30,
    }
}

#[test]
fn every_kind_of_event_comes() {
    let mut chaos = Chaos::new(1);
    let mut come = [false; 31];
    for _ in 0..5_000 {
        come[kind(&chaos.event())] = true;
    }
    assert!(come.iter().all(|come| *come), "{come:?}");
}

/// A mark in everything that is an id or a value; no word of the screen itself has it.
const SECRET: &str = "zqx";

#[test]
fn under_the_mask_no_cell_shows_an_id_or_a_value() {
    let number = |name| std::env::var(name).ok().and_then(|value: String| value.parse::<u64>().ok());
    let messages = number("SYNCSCOPE_FUZZ").unwrap_or(FEW);
    let seed = number("SYNCSCOPE_FUZZ_SEED").unwrap_or_else(|| rand::rng().random_range(0..1_000_000));
    let mut chaos = Chaos::new(seed);
    chaos.mark = Some(SECRET);
    let options =
        ScreenOptions { feed_rows: FEED_ROWS, cache_rows: CACHE_ROWS, ..fixture::model(80, 24).options };
    let mut model = Model::new(options, Size::new(120, 40), fixture::start());
    for step in 0..messages {
        let msg = chaos.msg();
        let effects = update(&mut model, msg);
        chaos.took(effects);
        // A form shows what was typed into it: that is its purpose.
        let typing = model.overlays.iter().any(|overlay| matches!(overlay, Overlay::Insert(_)));
        if step % DRAWN != 0 || typing {
            continue;
        }
        let was = std::mem::replace(&mut model.masked, true);
        let notice = model.notice.take();
        let shown = fixture::text(&model);
        model.masked = was;
        model.notice = notice;
        assert!(
            !shown.contains(SECRET),
            "step {step} with SYNCSCOPE_FUZZ_SEED={seed} at {:?}, {:?}:\n{}",
            model.size,
            model.context(),
            shown.lines().filter(|line| line.contains(SECRET)).collect::<Vec<_>>().join("\n")
        );
    }
}
