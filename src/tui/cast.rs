//! The frames as an asciicast (version 2): what the screen showed and when, for `asciinema play` or a
//! web page. Made of the frames that were drawn, so that what is masked there is masked here.
//!
//! Lines go to whoever writes them through a bounded channel. While that is full a frame is left out,
//! and the next one holds the difference to the last one that was recorded: slow disks make a coarser
//! recording, never a wrong one.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use ratatui::{
    backend::{Backend, CrosstermBackend},
    buffer::Buffer,
};
use serde_json::json;
use tokio::sync::mpsc;

/// Lines on their way to the file: some seconds of busy frames.
const LINES: usize = 256;

/// Both ends of a recording: one for [`super::ScreenOptions::record`], one for whoever writes the file.
/// Lines come without their line feed; the recording is over when the channel is closed.
pub fn recording() -> (mpsc::Sender<String>, mpsc::Receiver<String>) {
    mpsc::channel(LINES)
}

/// Nobody writes the recording any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended;

/// Makes lines of frames.
#[derive(Debug)]
pub(crate) struct Recorder {
    lines: mpsc::Sender<String>,
    title: String,
    began: Instant,
    started: Timestamp,
    /// The last frame that was recorded.
    recorded: Option<Buffer>,
}

impl Recorder {
    pub(crate) fn new(lines: mpsc::Sender<String>, title: &str, started: Timestamp) -> Self {
        Self { lines, title: title.to_owned(), began: Instant::now(), started, recorded: None }
    }

    /// Records a frame that was drawn just now.
    pub(crate) fn frame(&mut self, frame: &Buffer) -> Result<(), Ended> {
        self.frame_at(frame, self.began.elapsed())
    }

    fn frame_at(&mut self, frame: &Buffer, after: Duration) -> Result<(), Ended> {
        let same_size = self.recorded.as_ref().is_some_and(|last| last.area == frame.area);
        // The size before the frame, the header before the first size.
        let needed = if same_size { 1 } else { 2 };
        if self.lines.is_closed() {
            return Err(Ended);
        }
        let Ok(mut permits) = self.lines.try_reserve_many(needed) else { return Ok(()) };
        let mut send = |line: String| {
            if let Some(permit) = permits.next() {
                permit.send(line);
            }
        };
        let mut bytes = Vec::new();
        if !same_size {
            let area = frame.area;
            send(match self.recorded {
                None => json!({
                    "version": 2,
                    "width": area.width,
                    "height": area.height,
                    "timestamp": self.started.as_second(),
                    "title": self.title,
                    "env": { "TERM": "xterm-256color" },
                })
                .to_string(),
                Some(_) => event(after, "r", &format!("{}x{}", area.width, area.height)),
            });
            bytes.extend_from_slice(b"\x1b[?25l\x1b[0m\x1b[2J");
            self.recorded = Some(Buffer::empty(area));
        }
        let Some(last) = &mut self.recorded else { return Ok(()) };
        let changed = last.diff(frame);
        if !changed.is_empty() || !bytes.is_empty() {
            // Writing to a vector cannot fail.
            let _ = CrosstermBackend::new(&mut bytes).draw(changed.into_iter());
            send(event(after, "o", &String::from_utf8_lossy(&bytes)));
            last.clone_from(frame);
        }
        Ok(())
    }
}

/// `[seconds, kind, data]`.
fn event(after: Duration, kind: &str, data: &str) -> String {
    // Six digits, as asciinema writes them.
    let seconds = (after.as_secs_f64() * 1e6).round() / 1e6;
    json!([seconds, kind, data]).to_string()
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use ratatui::style::{Color, Style};
    use serde_json::Value;

    use super::*;

    fn recorder() -> (Recorder, mpsc::Receiver<String>) {
        let (sender, lines) = recording();
        (Recorder::new(sender, "syncscope \"shop\"", Timestamp::UNIX_EPOCH), lines)
    }

    fn frame(width: u16, height: u16, words: &str) -> Buffer {
        let mut buf = Buffer::empty(ratatui::layout::Rect::new(0, 0, width, height));
        buf.set_string(1, 0, words, Style::new().fg(Color::Green));
        buf
    }

    /// Plays a recording as a terminal would.
    fn play(lines: &mut mpsc::Receiver<String>) -> (String, usize) {
        let header: Value = serde_json::from_str(&lines.try_recv().unwrap()).unwrap();
        assert_eq!((&header["version"], &header["title"]), (&json!(2), &json!("syncscope \"shop\"")));
        let cells = |n: &Value| NonZero::new(u16::try_from(n.as_u64().unwrap()).unwrap()).unwrap();
        let mut terminal = vt100::Parser::new(cells(&header["height"]), cells(&header["width"]), 0);
        let mut last = 0.0;
        let mut events = 0;
        while let Ok(line) = lines.try_recv() {
            let event: (f64, String, String) = serde_json::from_str(&line).unwrap();
            assert!(event.0 >= last, "time goes on");
            last = event.0;
            events += 1;
            match event.1.as_str() {
                "o" => terminal.process(event.2.as_bytes()),
                "r" => {
                    let (width, height) = event.2.split_once('x').unwrap();
                    terminal.screen_mut().set_size(height.parse().unwrap(), width.parse().unwrap());
                }
                other => panic!("unknown kind {other}"),
            }
        }
        (terminal.screen().contents(), events)
    }

    #[test]
    fn a_terminal_that_plays_it_shows_the_last_frame() {
        let (mut recorder, mut lines) = recorder();
        let frames =
            [frame(20, 2, "価格 39.99 €"), frame(20, 2, "価 39.98 €"), frame(30, 3, "a \"larger\" one 🛒")];
        for (i, frame) in (0..).zip(&frames) {
            recorder.frame_at(frame, Duration::from_millis(i * 40)).unwrap();
        }
        let (shown, events) = play(&mut lines);
        assert_eq!(shown.trim_end(), " a \"larger\" one 🛒");
        assert_eq!(events, 4, "three frames and a change of size");
        let (mut again, mut lines) = self::recorder();
        again.frame_at(&frames[0], Duration::ZERO).unwrap();
        again.frame_at(&frames[1], Duration::from_secs(1)).unwrap();
        assert_eq!(play(&mut lines).0.trim_end(), " 価 39.98 €");
    }

    #[test]
    fn a_frame_that_changed_nothing_is_no_line() {
        let (mut recorder, mut lines) = recorder();
        let frame = frame(20, 2, "calm");
        for i in 0..5 {
            recorder.frame_at(&frame, Duration::from_secs(i)).unwrap();
        }
        assert_eq!(play(&mut lines), (" calm".to_owned(), 1));
    }

    #[test]
    fn frames_without_room_are_made_up_for_by_the_next() {
        let (mut recorder, mut lines) = recorder();
        for i in 0..2 * LINES as u64 {
            recorder.frame_at(&frame(20, 2, &format!("frame {i}")), Duration::from_millis(i)).unwrap();
        }
        let mut early: Vec<String> = Vec::new();
        while let Ok(line) = lines.try_recv() {
            early.push(line);
        }
        assert_eq!(early.len(), LINES, "the rest found no room");
        recorder.frame_at(&frame(20, 2, "the end"), Duration::from_secs(1)).unwrap();
        early.push(lines.try_recv().unwrap());
        let (sender, mut all) = mpsc::channel(early.len());
        for line in early {
            sender.try_send(line).unwrap();
        }
        drop(sender);
        assert_eq!(play(&mut all).0.trim_end(), " the end");
    }

    #[test]
    fn a_writer_that_is_gone_is_told() {
        let (mut recorder, lines) = recorder();
        drop(lines);
        assert_eq!(recorder.frame_at(&frame(20, 2, "x"), Duration::ZERO), Err(Ended));
    }
}
