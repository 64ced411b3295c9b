//! The header: what is compared, both connections, the sync. One line, two when narrow; what matters
//! least goes first where there is no room.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    engine::{ConnectionState, RebuildStatus, Server, SyncPhase},
    tui::{
        keymap::Action,
        layout::WIDE,
        model::Model,
        theme::Theme,
        widgets::{pen::Pen, text},
    },
};

type Part = (String, Style);

/// Draws the header.
pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let theme = &model.theme;
    let mut left: Vec<Part> = vec![
        ("syncscope".to_owned(), theme.accent.patch(theme.strong)),
        (format!("  {}", model.options.source), theme.strong),
        (" → ".to_owned(), theme.dim),
        (model.options.cache.clone(), theme.text),
    ];
    if model.options.demo {
        left.push(("  demo".to_owned(), theme.dim));
    }
    if model.recording {
        left.push(("  ● rec".to_owned(), theme.bad));
    }
    let connections =
        |words| [connection(model, Server::Cosmos, words), connection(model, Server::Redis, words)];
    let sync = sync(model);
    if area.width < WIDE {
        line(area, 0, &left, &sync, buf);
        let mut right: Vec<Vec<Part>> = connections(Words::All).into_iter().collect();
        right.extend(figures(model));
        line(area, 1, &[], &right, buf);
    } else {
        // State is never left out for the sake of names and addresses.
        let room = usize::from(area.width).saturating_sub(2 + width(&left));
        let mut right = Vec::new();
        for words in [Words::All, Words::NoProduct, Words::Name] {
            right = connections(words).into_iter().chain(sync.clone()).collect::<Vec<_>>();
            if right.iter().map(|group| width(group) + 2).sum::<usize>() <= room {
                break;
            }
        }
        right.extend(figures(model));
        line(area, 0, &left, &right, buf);
    }
}

/// How much is said about a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Words {
    All,
    NoProduct,
    Name,
}

fn width(parts: &[Part]) -> usize {
    parts.iter().map(|(words, _)| text::width(words)).sum()
}

/// Writes groups right-aligned; the last ones are left out where they do not fit.
fn line(area: Rect, row: u16, left: &[Part], groups: &[Vec<Part>], buf: &mut Buffer) {
    let columns = usize::from(area.width).saturating_sub(2);
    let mut pen = Pen::new(buf, area, row);
    pen.skip(1);
    let left_width = width(left);
    let mut right_width = 0;
    let mut shown = 0;
    for group in groups {
        let width = width(group) + 2;
        if left_width + right_width + width > columns {
            break;
        }
        right_width += width;
        shown += 1;
    }
    for (words, style) in left {
        pen.put(words, *style);
    }
    let gap = if left.is_empty() { 0 } else { columns.saturating_sub(left_width + right_width) };
    pen.skip(gap);
    for (i, group) in groups.iter().take(shown).enumerate() {
        pen.skip(if left.is_empty() && i == 0 { 0 } else { 2 });
        for (words, style) in group {
            pen.put(words, *style);
        }
    }
}

fn connection(model: &Model, server: Server, words: Words) -> Vec<Part> {
    let theme = &model.theme;
    let name = match server {
        Server::Cosmos => "cosmos",
        Server::Redis => "redis",
    };
    match model.connection(server) {
        None => vec![("○ ".to_owned(), theme.dim), (name.to_owned(), theme.dim)],
        Some(ConnectionState::Connecting { address }) => vec![
            (format!("{} ", spinner(model)), theme.waiting),
            (format!("{name} {}", port(address)), theme.dim),
        ],
        Some(ConnectionState::Up { address, product }) => {
            let product = text::end(product, 24).into_owned();
            let full = if product.starts_with(name) { product } else { format!("{name} {product}") };
            let told = if words == Words::All { full } else { name.to_owned() };
            let address = if words == Words::Name { String::new() } else { format!(" {}", port(address)) };
            vec![("● ".to_owned(), theme.good), (told, theme.text), (address, theme.dim)]
        }
        Some(ConnectionState::Down { address, retry_at, .. }) => {
            let wait = match retry_at.map(|at| text::seconds_between(model.now, at)) {
                Some(seconds) if seconds > 0 => format!(", retry {seconds}s"),
                Some(_) => ", retry …".to_owned(),
                None => String::new(),
            };
            vec![("✗ ".to_owned(), theme.bad), (format!("{name} {} down{wait}", port(address)), theme.bad)]
        }
    }
}

/// `:8081` of a loopback address, the whole of another.
fn port(address: &str) -> String {
    let local = ["127.0.0.1:", "localhost:", "[::1]:"];
    match local.iter().find_map(|host| address.strip_prefix(host)) {
        Some(port) => format!(":{port}"),
        None => text::middle(address, 32).into_owned(),
    }
}

fn spinner(model: &Model) -> char {
    const TURN: [char; 4] = ['◐', '◓', '◑', '◒'];
    TURN[usize::try_from(model.now.as_millisecond().div_euclid(250).rem_euclid(4)).unwrap_or(0)]
}

fn sync(model: &Model) -> Vec<Vec<Part>> {
    let theme = &model.theme;
    let sync = &model.sync;
    if model.engine_gone {
        let words = format!("✗ the engine has ended: {} quits", model.key(Action::Quit));
        return vec![vec![(words, theme.bad)]];
    }
    if let Some(rebuild) = model.rebuilding() {
        return vec![vec![(rebuild_words(rebuild), theme.waiting)]];
    }
    let (glyph, words, style) = match sync.phase {
        SyncPhase::Off => ("■", "sync off", theme.dim),
        SyncPhase::Joining => ("◐", "sync joining", theme.waiting),
        SyncPhase::Running => ("▶", "sync", theme.good),
        SyncPhase::Paused => ("‖", "sync paused", theme.waiting),
        SyncPhase::Stopping => ("◐", "sync stopping", theme.waiting),
        SyncPhase::Rebuilding => ("◐", "rebuilding", theme.waiting),
    };
    let mut main = vec![(format!("{glyph} "), style), (words.to_owned(), word_style(theme, sync.phase))];
    if sync.phase != SyncPhase::Off {
        main.push((format!(" {}/{}", sync.owned, sync.leases), theme.text));
    }
    let mut groups = vec![main];
    if let Some(lag) = sync.lag.or_else(|| model.leases.lag()) {
        let style = if lag == 0 { theme.text } else { theme.waiting };
        groups.push(vec![("lag ".to_owned(), theme.dim), (text::count(lag), style)]);
    }
    let rate = if sync.phase == SyncPhase::Off { model.feed.status.rate } else { sync.rate };
    groups.push(vec![(text::rate(rate), theme.text)]);
    groups
}

fn word_style(theme: &Theme, phase: SyncPhase) -> Style {
    match phase {
        SyncPhase::Off => theme.dim,
        SyncPhase::Running => theme.text,
        _ => theme.waiting,
    }
}

pub(super) fn rebuild_words(status: &RebuildStatus) -> String {
    match status.total {
        Some(total) if total > 0 => {
            let percent = (status.done.min(total) as f64 / total as f64 * 100.0).floor();
            format!("◐ rebuild {percent}%")
        }
        _ => format!("◐ rebuild {}", text::count(status.done)),
    }
}

/// What must not be overlooked, then what is nice to know.
fn figures(model: &Model) -> Vec<Vec<Part>> {
    let theme = &model.theme;
    let mut groups = Vec::new();
    if model.sync.set_aside > 0 {
        groups.push(vec![(format!("! {} set aside", text::count(model.sync.set_aside)), theme.bad)]);
    }
    let lost = model.dropped.saturating_add(model.feed.status.skipped);
    if lost > 0 {
        groups.push(vec![(format!("~ {} not shown", text::count(lost)), theme.waiting)]);
    }
    if model.traffic.failed > 0 {
        groups.push(vec![(format!("! {} failed", text::counted(model.traffic.failed, "write")), theme.bad)]);
    }
    if model.traffic.paused {
        groups.push(vec![("traffic held".to_owned(), theme.waiting)]);
    } else if model.traffic.target_rate > 0.0 {
        groups.push(vec![
            ("traffic ".to_owned(), theme.dim),
            (text::rate(model.traffic.target_rate), theme.text),
        ]);
    }
    groups
}
