//! What is wrong, told in the pane where it belongs: cause, remedy, seconds to the next try.

use ratatui::{buffer::Buffer, layout::Rect};

use super::wrap;
use crate::{
    engine::{ConnectionState, FollowMode, Level, LogLine, Server},
    tui::{
        model::{Model, Pane},
        widgets::{pen::Pen, text},
    },
};

/// Lines of a cause, at most: servers can be wordy, and what to do next must stay in sight.
const MOST_CAUSE: usize = 4;
/// Lines of a remedy, at most.
const MOST_REMEDY: usize = 3;
/// Lines of what else is wrong, at most.
const MOST_PROBLEM: usize = 3;

/// Seconds that an answer may be late.
const SLACK: i64 = 5;
/// Seconds between two looks at the cache server's figures.
const FIGURES: i64 = 2;

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

/// Errors of the last minutes that a hidden activity pane tells.
const RECENT_SECONDS: i64 = 300;
/// Lines of the activity that are looked through for them.
const RECENT_LINES: usize = 100;

/// The trouble of a pane in a few words, and whether it is bad: for where the pane itself is not shown.
pub(super) fn headline(model: &Model, pane: Pane) -> Option<(String, bool)> {
    match pane {
        Pane::Feed | Pane::Leases | Pane::Cache => {
            if let Some(trouble) = find(model, pane, usize::from(u16::MAX)) {
                return Some((trouble.lines.into_iter().next()?, trouble.bad));
            }
            let empty = model.leases.snapshot.problem.as_deref().filter(|_| pane == Pane::Leases);
            empty.map(|problem| (format!("! {}", text::clean(problem)), true))
        }
        Pane::Latency => {
            let lost = model.latency.lost;
            (lost > 0).then(|| (format!("! {} lost", text::count(lost)), true))
        }
        Pane::Log => {
            let recent = |line: &&LogLine| text::seconds_between(line.at, model.now) < RECENT_SECONDS;
            let lines = model.log.iter().map(|(_, line)| line).take(RECENT_LINES);
            let errors = lines.filter(recent).filter(|line| line.level == Level::Error).count();
            (errors > 0)
                .then(|| (format!("! {errors} {}", if errors == 1 { "error" } else { "errors" }), true))
        }
    }
}

fn find(model: &Model, pane: Pane, columns: usize) -> Option<Trouble> {
    let columns = columns.saturating_sub(3).max(10);
    let down = |server| down(model, server, columns);
    let problem = |words: &Option<String>| words.as_deref().map(|words| problem("!", true, words, columns));
    match pane {
        Pane::Feed => down(Server::Cosmos)
            .or_else(|| problem(&model.feed.status.problem))
            .or_else(|| old(model, pane, columns)),
        Pane::Leases => match &model.cosmos {
            Some(ConnectionState::Down { .. }) => {
                problem(&Some("no news: Cosmos is not connected".to_owned()))
            }
            _ if model.leases.snapshot.rows.is_empty() => None,
            _ => problem(&model.leases.snapshot.problem).or_else(|| old(model, pane, columns)),
        },
        Pane::Cache => down(Server::Redis)
            .or_else(|| problem(&model.cache.status.problem))
            .or_else(|| old(model, pane, columns))
            .or_else(|| overflowed(model, columns))
            .or_else(|| polling(model, columns)),
        Pane::Latency | Pane::Log => None,
    }
}

/// Seconds since a pane's data was read, where that is longer than it should be: silence must not be read as
/// calm. `None` while it is fresh, nothing was read yet, or the connection is known to be lost.
pub(super) fn outdated(model: &Model, pane: Pane) -> Option<i64> {
    let (server, read_at, longest) = match pane {
        Pane::Feed => {
            let poll = i64::try_from(model.feed.status.poll_interval.as_secs()).unwrap_or(0);
            (Server::Cosmos, model.feed.status.read_at, 2 * poll + SLACK)
        }
        Pane::Leases => (Server::Cosmos, model.leases.snapshot.read_at, SLACK),
        Pane::Cache => (Server::Redis, model.cache.status.read_at, 2 * FIGURES + SLACK),
        Pane::Latency | Pane::Log => return None,
    };
    if !matches!(model.connection(server), Some(ConnectionState::Up { .. })) {
        return None;
    }
    let age = text::seconds_between(read_at?, model.now);
    (age > longest).then_some(age)
}

fn old(model: &Model, pane: Pane, columns: usize) -> Option<Trouble> {
    let age = text::span(outdated(model, pane)?);
    Some(problem("~", false, &format!("no answer for {age}: what happened since is not shown"), columns))
}

/// Changes came faster than they could be noted, and not everything was looked through again.
fn overflowed(model: &Model, columns: usize) -> Option<Trouble> {
    let status = &model.cache.status;
    (status.missed > 0 && !status.scanned).then(|| {
        let missed = text::counted(status.missed, "change");
        let words = format!("{missed} came too fast; looking through all keys again");
        problem("~", false, &words, columns)
    })
}

/// Silence must not be read as calm: without notifications changes show late.
fn polling(model: &Model, columns: usize) -> Option<Trouble> {
    let FollowMode::Polling { reason } = &model.cache.status.follow else { return None };
    Some(problem("~", false, &format!("polling, changes show late: {reason}"), columns))
}

fn problem(glyph: &str, bad: bool, words: &str, columns: usize) -> Trouble {
    Trouble { bad, lines: lines_of(&format!("{glyph} {}", text::clean(words)), columns, MOST_PROBLEM) }
}

/// Words in so many lines at most; that there would be more is seen.
fn lines_of(words: &str, columns: usize, most: usize) -> Vec<String> {
    let mut lines = wrap(words, columns);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = text::end(&format!("{last} …"), columns).into_owned();
        }
    }
    lines
}

fn down(model: &Model, server: Server, columns: usize) -> Option<Trouble> {
    let Some(ConnectionState::Down { address, cause, remedy, retry_at }) = model.connection(server) else {
        return None;
    };
    let name = match server {
        Server::Cosmos => "Cosmos",
        Server::Redis => "Redis",
    };
    // What does not pass by itself was said by somebody.
    let what = if retry_at.is_some() { "no" } else { "refused by" };
    let mut lines = wrap(&format!("! {what} {name} at {}", text::clean(address)), columns);
    lines.extend(lines_of(&text::clean(cause), columns, MOST_CAUSE));
    lines.extend(lines_of(&format!("→ {}", text::clean(remedy)), columns, MOST_REMEDY));
    lines.push(match retry_at {
        Some(at) => match text::seconds_between(model.now, *at) {
            ..=0 => "trying again now".to_owned(),
            seconds => format!("next try in {seconds} s"),
        },
        None => "tried again now and then".to_owned(),
    });
    Some(Trouble { bad: true, lines })
}
