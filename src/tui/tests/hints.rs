//! Keys that the screen promises are those that are bound: with every action of every place on another
//! chord, no frame names a key that does nothing, and a click on a hint does what its key does.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{Arc, LazyLock},
};

use crossterm::event::{KeyCode, KeyEvent};

use super::{
    arrange::click,
    fixture::{self, keys, press, tell, text},
    same_as, screens,
    screens::Scene,
    views,
};
use crate::{
    engine::{CacheStatus, Event, FeedStatus, LeaseOrder, LeaseSnapshot, SyncStatus},
    tui::{
        Model,
        keymap::{Action, Chord, Context, Keymap},
        model::Overlay,
        update::{Msg, update},
        view::clickable,
    },
};

/// Signs that nothing else on the screen has, one for each row of the table.
const FIRST_SIGN: u32 = 0x1401;

/// Places whose footers offer only what does something as they are now.
const DECIDED: [Context; 12] = [
    Context::Rebuild,
    Context::RebuildSince,
    Context::Leases,
    Context::Bookmarks,
    Context::Restore,
    Context::Letters,
    Context::Tree,
    Context::Verify,
    Context::Preview,
    Context::Follow,
    Context::Health,
    Context::Help,
];

/// The keys that come with the program, and what they are called.
static USUAL: LazyLock<Keymap> = LazyLock::new(Keymap::default);
static NAMES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let rows = USUAL.contexts().into_iter().flat_map(|context| USUAL.rows(context));
    rows.flat_map(|row| row.chords.iter().map(|chord| chord.text())).collect()
});

/// A keymap file that gives every action of every place one key that no other has.
fn all_other() -> (String, BTreeMap<char, (Context, Action)>) {
    let (mut file, mut signs) = (String::new(), BTreeMap::new());
    for context in USUAL.contexts() {
        writeln!(file, "[{}]", context.name()).unwrap();
        for row in USUAL.rows(context) {
            let sign = char::from_u32(FIRST_SIGN + u32::try_from(signs.len()).unwrap()).unwrap();
            // A plain character is text there.
            let chord = if context.takes_text() { format!("alt-{sign}") } else { sign.to_string() };
            writeln!(file, "{} = '{chord}'", row.action.name()).unwrap();
            signs.insert(sign, (context, row.action));
        }
    }
    assert!(signs.len() < 600, "the script has no more letters of one column");
    (file, signs)
}

/// No keys but those that must be.
fn nearly_none() -> String {
    let mut file = String::new();
    for context in USUAL.contexts() {
        writeln!(file, "[{}]", context.name()).unwrap();
        for row in USUAL.rows(context) {
            let key = match (context, row.action) {
                (_, Action::Back) => "'f13'",
                (Context::Global, Action::Quit) => "'f14'",
                _ => "[]",
            };
            writeln!(file, "{} = {key}", row.action.name()).unwrap();
        }
    }
    file
}

/// The press that does here what this one does with the keys that come with the program.
pub(super) fn as_bound(model: &Model, event: KeyEvent) -> KeyEvent {
    let keymap = &model.options.keymap;
    if keymap.key_of(Context::Main, Action::Quit).is_none_or(|key| key == "q") {
        return event;
    }
    let (chord, context) = (Chord::of(&event), model.context());
    let tour = model.tour.is_some() && !context.takes_text() && context != Context::Confirm;
    let mut places = tour.then_some(Context::Tour).into_iter().chain([context, Context::Global]);
    let meant = places.find_map(|place| Some((place, USUAL.own(place, chord)?)));
    let bound = meant.and_then(|(place, action)| {
        keymap.rows(place).find(|row| row.action == action)?.chords.first().copied()
    });
    bound.map_or(event, Chord::event)
}

fn running(model: &mut Model, typed: &str) {
    tell(model, fixture::running());
    keys(model, typed);
}

/// What the pictures leave out and what names a key.
const MORE: &[(&str, Scene)] = &[
    ("nothing_yet", |model| {
        tell(model, fixture::up());
        let scanned = CacheStatus { scanned: true, ..CacheStatus::default() };
        tell(model, [Event::Feed(FeedStatus { live: true, ..FeedStatus::default() }), Event::Cache(scanned)]);
        tell(model, [Event::Leases(LeaseSnapshot::default())]);
    }),
    ("nothing_yet_leases", |model| {
        tell(model, fixture::up());
        tell(model, [Event::Leases(LeaseSnapshot::default())]);
        keys(model, "2");
    }),
    ("nothing_yet_cache", |model| {
        tell(model, fixture::up());
        tell(model, [Event::Cache(CacheStatus { scanned: true, ..CacheStatus::default() })]);
        keys(model, "3");
    }),
    ("nothing_yet_latency", |model| {
        tell(model, fixture::up());
        keys(model, "4");
    }),
    ("emptied", |model| {
        running(model, "3");
        tell(model, [Event::CacheFlushed]);
    }),
    ("nothing_passes_feed", |model| running(model, "/\"zzz\"\n")),
    ("nothing_passes_leases", |model| running(model, "2/\"zzz\"\n")),
    ("nothing_passes_cache", |model| running(model, "3/\"zzz\"\n")),
    ("engine_gone", |model| {
        running(model, "");
        update(model, Msg::EngineGone);
    }),
    ("rebuild_since", |model| {
        running(model, "b");
        press(model, KeyCode::Down);
        press(model, KeyCode::Down);
        let Some(Overlay::Rebuild(dialog)) = model.overlays.last() else { panic!() };
        let order = dialog.order(model.now, &jiff::tz::TimeZone::UTC).unwrap();
        let Event::RebuildPlan(mut plan) = fixture::flush_plan() else { unreachable!() };
        plan.order = order;
        tell(model, [Event::RebuildPlan(plan)]);
    }),
    ("rebuild_nothing_ticked", |model| {
        running(model, "b");
        press(model, KeyCode::Up);
    }),
    ("lease_taken_over", |model| {
        running(model, "L");
        press(model, KeyCode::Tab);
        tell(model, [fixture::lease_plan(LeaseOrder::default())]);
        keys(model, "t");
    }),
    ("lease_owned", |model| {
        running(model, "2jjj");
        keys(model, "L");
        press(model, KeyCode::Tab);
        tell(model, [fixture::lease_plan(LeaseOrder::default())]);
    }),
    ("preview_empty", |model| running(model, "P")),
    ("tree_empty", |model| {
        tell(model, fixture::up());
        keys(model, "W");
    }),
    ("letters_busy", |model| {
        running(model, "D");
        tell(model, [views::dead_letters()]);
        keys(model, "r");
    }),
    ("insert_file", |model| {
        running(model, "i");
        press(model, KeyCode::PageUp);
    }),
    ("verifying", |model| running(model, "v")),
    // What is said in the footer.
    ("says_sync_is_off", |model| {
        running(model, "");
        tell(model, [Event::Sync(SyncStatus::default())]);
        keys(model, " ");
    }),
    ("says_one_instance", |model| running(model, "-")),
    ("says_no_traffic", |model| {
        tell(model, fixture::up());
        keys(model, "t");
    }),
    ("says_nothing_is_looked_for", |model| running(model, "n")),
    ("says_marked", |model| running(model, "/p-0\n*")),
    ("says_hidden", |model| running(model, "3c")),
    ("says_compared", |model| running(model, "V")),
    ("says_masked", |model| running(model, "mjI")),
    ("says_insert_under_way", |model| {
        running(model, "");
        tell(model, [fixture::scenario_under_way()]);
        keys(model, "u");
    }),
    ("says_what_would_be_lost", |model| {
        running(model, "ix");
        click(model, 0, 0);
    }),
    ("says_what_a_choice_would_lose", |model| {
        running(model, "ix");
        fixture::chord(model, 'p');
        keys(model, "rebuild the cache\n");
    }),
    ("says_the_key_there", |model| {
        running(model, "j");
        fixture::chord(model, 'p');
        keys(model, "save unless somebody\n");
    }),
    ("tour_follow", |model| {
        fixture::tour(model);
        keys(model, "nnnnn");
    }),
    ("tour_end", |model| {
        fixture::tour(model);
        keys(model, "nnnnnnnnnnnn");
    }),
];

fn scenes() -> impl Iterator<Item = &'static (&'static str, Scene)> {
    screens::SCENES.iter().chain(same_as::MORE).chain(MORE)
}

fn parsed(file: &str) -> Arc<Keymap> {
    Keymap::parse("k.toml", file).unwrap().into()
}

fn with_keys(keymap: &Arc<Keymap>, size: (u16, u16)) -> Model {
    let mut model = fixture::model(size.0, size.1);
    model.options.keymap = Arc::clone(keymap);
    model
}

/// Words of a line that promise a key which comes with the program.
fn promised(line: &str) -> Vec<String> {
    // The keys that are words of their own mean something else on some lines.
    const NO_KEYS: [&str; 8] = [
        // A signal to another process.
        "ctrl-c of syncscope",
        "shift-drag",
        // The tour's words on ranges of keys.
        "key space.",
        // What the mouse clicks.
        "a row, a tab,",
        // A title of latency.
        "n 4,1",
        "n 2,4",
        // A choice, and the prompt of a filter.
        "( )",
        "/   words",
    ];
    let line = NO_KEYS.iter().fold(line.to_owned(), |line, known| line.replace(known, " "));
    let line = line.replace(['│', '╭', '╮', '╰', '╯', '─', '`'], " ");
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut found = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let bare = word.trim_matches([',', ':', ';', '.', '(', ')']);
        let bare = if bare.is_empty() { word } else { bare };
        let next = words.get(i + 1).copied().unwrap_or_default();
        let before = i.checked_sub(1).map_or("", |i| words[i]);
        let next_bare = next.trim_end_matches([',', ':', '.']);
        let verb = next.len() > 3 && next_bare.ends_with('s') && next_bare.chars().all(char::is_alphabetic);
        let promise = match bare {
            "↑↓" | "←→" => true,
            "page" => before.ends_with(':') && (next == "down" || next == "up"),
            // `↓ 12 more`.
            "↑" | "↓" => verb,
            // `a → b`, and words that say what is done.
            "←" | "→" | "end" | "home" | "insert" | "delete" | "up" | "down" | "a" => false,
            // Counts, and units.
            digit if digit.len() == 1 && digit.starts_with(|c: char| c.is_ascii_digit()) => {
                next.starts_with("show")
            }
            "s" | "B" | "K" if before.ends_with(|c: char| c.is_ascii_digit()) => false,
            one if one.chars().count() == 1 && NAMES.contains(one) => {
                one.chars().all(char::is_alphabetic) || verb
            }
            other => NAMES.contains(other),
        };
        if promise {
            found.push(format!("{before} {word} {next}"));
        }
    }
    found
}

/// The lines of a frame; beside a dialog nothing, because that is cut anywhere.
fn lines(model: &Model) -> Vec<String> {
    let buf = fixture::draw(model);
    let dialog = clickable::area(model);
    let columns = |y: u16| match dialog {
        Some(area) if (area.y..area.bottom()).contains(&y) => area.x..area.right(),
        _ => 0..buf.area.width,
    };
    let line = |y: u16| columns(y).map(|x| buf[(x, y)].symbol()).collect::<String>();
    (0..buf.area.height).map(line).collect()
}

#[test]
fn no_frame_names_a_key_that_is_bound_no_more() {
    let (other, fewest) = (parsed(&all_other().0), parsed(&nearly_none()));
    let mut wrong = BTreeSet::new();
    for (keymap, driven) in [(&other, true), (&fewest, false)] {
        for (name, scene) in scenes() {
            for size in screens::SIZES {
                let mut model = with_keys(&other, size);
                scene(&mut model);
                if !driven {
                    model.options.keymap = Arc::clone(keymap);
                    model.notice = None;
                }
                for line in lines(&model) {
                    let found = promised(&line);
                    wrong.extend(found.into_iter().map(|words| format!("{name} at {size:?}: {words}")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_pages_of_keys_and_the_palette_name_none_either() {
    let mut model = with_keys(&parsed(&all_other().0), (240, 60));
    tell(&mut model, fixture::running());
    for context in model.options.keymap.contexts() {
        model.overlays.push(Overlay::Help { of: context, scroll: 0 });
        for _ in 0..6 {
            let found: Vec<String> = text(&model).lines().flat_map(promised).collect();
            assert!(found.is_empty(), "help of {context:?}: {found:?}");
            press(&mut model, KeyCode::PageDown);
        }
        model.overlays.clear();
    }
    fixture::chord(&mut model, 'p');
    for entry in model.palette_entries() {
        let found = promised(&entry.title);
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn a_click_on_a_hint_does_what_its_key_does() {
    let (file, signs) = all_other();
    let keymap = parsed(&file);
    let mut clicked = BTreeSet::new();
    for (name, scene) in scenes() {
        for size in screens::SIZES {
            let mut model = with_keys(&keymap, size);
            scene(&mut model);
            // It may say keys of other places where hints are else.
            model.notice = None;
            let buf = fixture::draw(&model);
            for at in buf.area.positions() {
                let Some(&(context, action)) =
                    buf[at].symbol().chars().next().and_then(|sign| signs.get(&sign))
                else {
                    continue;
                };
                let footer = at.y + 1 == size.1;
                let border = clickable::area(&model).is_some_and(|area| area.bottom() == at.y + 1);
                let strip = at.y + 2 == size.1 && model.tour.is_some();
                let hint = (footer || border) && context == model.context();
                let answer = context == Context::Confirm && !footer;
                if !(hint || answer || strip && context == Context::Tour) {
                    continue;
                }
                let place = format!("{name} at {size:?}: {context:?} {action:?}\n{}", text(&model));
                assert_eq!(clickable::hint(&model, at), Some((context, action)), "{place}");
                if strip && (model.context().takes_text() || model.context() == Context::Confirm) {
                    continue;
                }
                if footer && DECIDED.contains(&context) {
                    let mut pressed = model.clone();
                    let row = model.options.keymap.rows(context).find(|row| row.action == action).unwrap();
                    let effects = update(&mut pressed, Msg::Key(row.chords[0].event()));
                    assert!(
                        !effects.is_empty() || text(&pressed) != text(&model),
                        "nothing happens: {place}"
                    );
                }
                if !clicked.insert((context.name(), action.name(), footer, size)) {
                    continue;
                }
                let (mut by_click, mut by_key) = (model.clone(), model.clone());
                let effects = click(&mut by_click, at.x, at.y);
                let row = model.options.keymap.rows(context).find(|row| row.action == action).unwrap();
                let pressed = update(&mut by_key, Msg::Key(row.chords[0].event()));
                assert_eq!(effects, pressed, "{place}");
                assert_eq!(text(&by_click), text(&by_key), "{place}");
            }
        }
    }
    let hints = |context: Context| -> Vec<String> {
        let of = clicked.iter().filter(|(name, _, footer, size)| {
            *name == context.name() && !footer && *size == screens::SIZES[1]
        });
        of.map(|(_, action, ..)| action.clone()).collect()
    };
    assert_eq!(hints(Context::Confirm), ["back", "submit"]);
    assert_eq!(
        hints(Context::Leases),
        ["back", "bookmarks", "copy", "down", "next_field", "save_bookmark", "submit", "take_over", "up"]
    );
    assert_eq!(
        hints(Context::Bookmarks),
        ["back", "copy", "delete_bookmark", "reload", "save_bookmark", "submit"]
    );
    assert_eq!(hints(Context::Restore), ["back", "copy", "next_field", "take_over"]);
    assert_eq!(hints(Context::Letters), ["back", "copy", "export", "preview", "retry", "retry_all"]);
    assert_eq!(hints(Context::Preview), ["back", "copy", "next_field"]);
    assert_eq!(
        hints(Context::Rebuild),
        ["back", "down", "next_choice", "previous_choice", "submit", "take_over", "tick", "up", "wait"]
    );
    assert_eq!(hints(Context::RebuildSince), ["back", "down", "take_over", "up", "wait"]);
    assert_eq!(hints(Context::Tour), ["tour_auto", "tour_back", "tour_end", "tour_next"]);
    assert_eq!(hints(Context::Tree), ["back", "copy", "next_choice", "previous_choice", "submit"]);
    assert_eq!(hints(Context::Verify), ["back", "repair", "repair_one", "stop_verify", "submit", "verify"]);
    let footers = clicked.iter().filter(|(_, _, footer, _)| *footer).count();
    assert!(footers > 150, "{footers} of the footers: {clicked:?}");
}

#[test]
fn what_promises_a_key_is_recognised() {
    for (line, keys) in [
        ("esc clears it", 1),
        ("i inserts a document", 1),
        ("until v, then r, sweeps them", 2),
        ("enter start   ↑↓ mode   ctrl-y copy", 3),
        ("… 5 more lines: page down", 1),
        ("open one (enter in a pane) and press P there", 2),
        ("the demo goes on: ? shows the keys.", 1),
        ("? price:p-1   198 B   ∞   2 s ago   ↓ 12 more", 0),
        ("ctrl-c of syncscope sync", 0),
    ] {
        assert_eq!(promised(line).len(), keys, "{line}: {:?}", promised(line));
    }
}
