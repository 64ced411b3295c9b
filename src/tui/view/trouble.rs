//! What is wrong, told in the pane where it belongs: cause, remedy, seconds to the next try.

use ratatui::{buffer::Buffer, layout::Rect};

use super::wrap;
use crate::{
    engine::{ConnectionState, FollowMode, Server},
    tui::{
        model::{Model, Pane},
        widgets::{pen::Pen, text},
    },
};

/// Lines of a cause, at most: servers can be wordy, and what to do next must stay in sight.
const MOST_CAUSE: usize = 4;
/// Lines of a remedy, at most.
const MOST_REMEDY: usize = 3;

struct Trouble {
    /// Bad, or only worth a look.
    bad: bool,
    lines: Vec<String>,
}

/// Lines that the trouble of a pane takes above its rows.
pub(crate) fn height(model: &Model, pane: Pane, inner: Rect) -> u16 {
    let lines = find(model, pane, usize::from(inner.width)).map_or(0, |trouble| trouble.lines.len());
    u16::try_from(lines).unwrap_or(0)
}

/// Draws the trouble of a pane at the top of its inner area.
pub(super) fn draw(model: &Model, pane: Pane, inner: Rect, buf: &mut Buffer) {
    let Some(trouble) = find(model, pane, usize::from(inner.width)) else { return };
    let theme = &model.theme;
    for (i, line) in trouble.lines.iter().enumerate() {
        let style = match (i, trouble.bad) {
            (0, true) => theme.bad,
            (0, false) => theme.waiting,
            _ => theme.text,
        };
        Pen::new(buf, inner, u16::try_from(i).unwrap_or(u16::MAX)).skip(1).put(line, style);
    }
}

fn find(model: &Model, pane: Pane, columns: usize) -> Option<Trouble> {
    let columns = columns.saturating_sub(3).max(10);
    let down = |server| down(model, server, columns);
    let problem = |words: &Option<String>| words.as_deref().map(|words| problem("!", true, words, columns));
    match pane {
        Pane::Feed => down(Server::Cosmos).or_else(|| problem(&model.feed.status.problem)),
        Pane::Leases => match &model.cosmos {
            Some(ConnectionState::Down { .. }) => {
                problem(&Some("no news: Cosmos is not reachable".to_owned()))
            }
            _ if model.leases.snapshot.rows.is_empty() => None,
            _ => problem(&model.leases.snapshot.problem),
        },
        Pane::Cache => down(Server::Redis)
            .or_else(|| problem(&model.cache.status.problem))
            .or_else(|| polling(model, columns)),
        Pane::Latency | Pane::Log => None,
    }
}

/// Silence must not be read as calm: without notifications changes show late.
fn polling(model: &Model, columns: usize) -> Option<Trouble> {
    let FollowMode::Polling { reason } = &model.cache.status.follow else { return None };
    Some(problem("~", false, &format!("polling, changes show late: {reason}"), columns))
}

fn problem(glyph: &str, bad: bool, words: &str, columns: usize) -> Trouble {
    let lines = wrap(&format!("{glyph} {}", text::clean(words)), columns);
    Trouble { bad, lines: lines.into_iter().take(3).collect() }
}

fn down(model: &Model, server: Server, columns: usize) -> Option<Trouble> {
    let Some(ConnectionState::Down { address, cause, remedy, retry_at }) = model.connection(server) else {
        return None;
    };
    let name = match server {
        Server::Cosmos => "Cosmos",
        Server::Redis => "Redis",
    };
    let mut lines = wrap(&format!("! no {name} at {}", text::clean(address)), columns);
    lines.extend(wrap(&text::clean(cause), columns).into_iter().take(MOST_CAUSE));
    lines.extend(wrap(&format!("→ {}", text::clean(remedy)), columns).into_iter().take(MOST_REMEDY));
    lines.push(match retry_at {
        Some(at) => match text::seconds_between(model.now, *at) {
            ..=0 => "trying again now".to_owned(),
            seconds => format!("next try in {seconds} s"),
        },
        None => "not tried again by itself".to_owned(),
    });
    Some(Trouble { bad: true, lines })
}
