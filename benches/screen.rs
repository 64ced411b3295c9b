//! What the screen costs: frames under a flood, a key until its frame, memory over ten minutes, a core
//! at rest. `cargo bench --bench screen` prints each figure beside what it may be, and fails where one
//! is above it. `SYNCSCOPE_MINUTES` are the simulated minutes of the flood (10).
//!
//! Frames and memory are measured in this process: update, view, the difference to the frame before and
//! the bytes for the terminal. A key is measured through the real loop in a pseudo-terminal, rest with
//! the real program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // a measuring program, not a library

use std::cell::Cell;
use std::io::{Read, Write};
use std::num::NonZero;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::{SignedDuration, Timestamp};
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Rect, Size};
use ratatui::{Terminal, TerminalOptions, Viewport};
use syncscope::cosmos::EpkRange;
use syncscope::engine::{ChangeRow, EntryRow, EntryState, Event, Field, Novelty, Versions};
use syncscope::tui::update::{Msg, update};
use syncscope::tui::{self, Model, ScreenOptions, view};

const SIZE: (u16, u16) = (240, 60);
/// Events a second: half changes, half entries, each of one row.
const RATE: u64 = 10_000;
const FRAMES_A_SECOND: u64 = 60;
const FRAME_P99: Duration = Duration::from_millis(8);
const KEY_TO_FRAME: Duration = Duration::from_millis(30);
/// Percent of one core.
const AT_REST: f64 = 1.0;
/// Growth of memory from the second minute of the flood on, in bytes: noise of the allocator.
const GROWTH: u64 = 4_000_000;
const KEYS: usize = 60;
/// Set in the process that shows the flood.
const CHILD: &str = "SYNCSCOPE_BENCH_CHILD";

fn main() -> ExitCode {
    if std::env::var_os(CHILD).is_some() {
        flooded_screen();
        return ExitCode::SUCCESS;
    }
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let mut good = true;
    for (name, measure) in
        [("frames", frames as fn() -> bool), ("keys", keys), ("memory", memory), ("rest", rest)]
    {
        if only.as_deref().is_none_or(|only| only == name) {
            good &= measure();
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints a figure and whether it is as it should be.
fn tell(what: &str, figure: &str, most: &str, good: bool) -> bool {
    println!("{} {what}: {figure} (at most {most})", if good { "ok  " } else { "HIGH" });
    good
}

/// One event of a flood: a change, or the entry that it became.
fn event(n: u64, now: Timestamp) -> Event {
    let row = n / 2;
    // 50,000 documents, so that rows and entries are pushed out of their bounds all the time.
    let id = format!("p-{:06}", row * 7_919 % 50_000);
    if n.is_multiple_of(2) {
        let bounds = ["", "0FFFFFFFFFFFFFFF", "1FFFFFFFFFFFFFFF", "2FFFFFFFFFFFFFFF", "FF"];
        let quarter = row as usize % 4;
        let price = (row * 37 % 9_000) as f64 / 100.0;
        Event::Changes(vec![ChangeRow {
            seq: row,
            seen_at: now,
            partition_key: Some(format!("\"{id}\"")),
            etag: format!("\"0000-{row}\""),
            lsn: Some(row),
            range: EpkRange::new(bounds[quarter], bounds[quarter + 1]),
            keys: vec![format!("price:{id}")],
            fields: vec![
                Field {
                    name: "price.current".into(),
                    value: format!("{price:.2}"),
                    number: true,
                    delta: Some(1.0),
                },
                Field { name: "price.currency".into(), value: "GBP".into(), number: false, delta: None },
                Field {
                    name: "name".into(),
                    value: "Rain coat, 価格, waterproof".into(),
                    number: false,
                    delta: None,
                },
            ],
            novelty: Novelty::Replaced,
            versions: Versions { written: 0, delivered: 1, folded: 0 },
            json: Some(document(&id, price).into()),
            id,
        }])
    } else {
        Event::Entries(vec![EntryRow {
            key: format!("price:{id}"),
            document_id: Some(id),
            kind: "string".into(),
            size: Some(200 + row % 100),
            expires_at: row.is_multiple_of(3).then(|| now + SignedDuration::from_secs(600)),
            value: None,
            state: if row.is_multiple_of(50) { EntryState::Pending } else { EntryState::InStep },
            delay_ms: Some(3.2),
            changed_at: now,
        }])
    }
}

/// A document of the usual size, about 420 bytes.
fn document(id: &str, price: f64) -> String {
    format!(
        r#"{{"id":"{id}","price":{{"current":{price:.2},"currency":"GBP","sale":{}}},"name":"Rain coat","text":"{}"}}"#,
        price < 20.0,
        "waterproof ".repeat(30)
    )
}

fn model(now: Timestamp) -> Model {
    Model::new(ScreenOptions::default(), Size { width: SIZE.0, height: SIZE.1 }, now)
}

fn start() -> Timestamp {
    "2026-11-23T14:00:00Z".parse().unwrap()
}

/// A terminal that only counts what it is sent.
struct Counter(Rc<Cell<usize>>);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Frames of a flood: as it comes, filtered, sorted.
fn frames() -> bool {
    let mut good = true;
    for (what, keys) in [
        ("", ""),
        (", feed and cache filtered by letters", "/p12\r3/p12\r"),
        (", feed filtered by jq", "/.price.current < 20 and .price.sale\r"),
        (", feed filtered by a field of the document", "/price.current<20\r"),
        (", feed and cache sorted", "oo3o"),
        (", feed filtered by jq and sorted", "/.price.sale\roo"),
    ] {
        good &= frames_after(what, keys);
    }
    good
}

fn press(model: &mut Model, keys: &str) {
    for key in keys.chars() {
        let code = if key == '\r' { KeyCode::Enter } else { KeyCode::Char(key) };
        update(model, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }
}

/// Every frame of a minute of flood once these keys were typed.
fn frames_after(what: &str, keys: &str) -> bool {
    let mut model = model(start());
    press(&mut model, keys);
    let area = Rect::new(0, 0, SIZE.0, SIZE.1);
    let bytes = Rc::new(Cell::new(0));
    let options = TerminalOptions { viewport: Viewport::Fixed(area) };
    let mut terminal =
        Terminal::with_options(CrosstermBackend::new(Counter(Rc::clone(&bytes))), options).unwrap();
    let mut times = Vec::new();
    let mut told = 0;
    for frame in 0..60 * FRAMES_A_SECOND {
        let now =
            start() + SignedDuration::from_millis(i64::try_from(frame * 1_000 / FRAMES_A_SECOND).unwrap());
        let due = frame * RATE / FRAMES_A_SECOND;
        let events: Vec<Event> = (told..due).map(|n| event(n, now)).collect();
        told = due;
        let began = Instant::now();
        update(&mut model, Msg::Tick(now));
        for event in events {
            update(&mut model, Msg::Engine(event));
        }
        terminal
            .draw(|frame| {
                view::draw(&model, frame.buffer_mut());
            })
            .unwrap();
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    let figure = format!(
        "p50 {:.1} p99 {:.1} max {:.1} ms, {} kB each",
        ms(at(0.5)),
        ms(at(0.99)),
        ms(at(1.0)),
        bytes.get() / times.len() / 1_000
    );
    tell(&format!("frame of 167 events at 240×60{what}"), &figure, "p99 8 ms", at(0.99) <= FRAME_P99)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Shows a flood until `q`; runs in the pseudo-terminal of [`keys`].
fn flooded_screen() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (commands, _asked) = tokio::sync::mpsc::channel(64);
        let (events, told) = tokio::sync::mpsc::channel(1_024);
        tokio::spawn(async move {
            let began = Instant::now();
            let mut sent = 0;
            let mut tick = tokio::time::interval(Duration::from_millis(5));
            loop {
                tick.tick().await;
                let due = (began.elapsed().as_secs_f64() * RATE as f64) as u64;
                for n in sent..due {
                    if events.send(event(n, Timestamp::now())).await.is_err() {
                        return;
                    }
                }
                sent = due;
            }
        });
        tui::run(commands, told, ScreenOptions::default()).await.unwrap();
    });
}

/// A program in a pseudo-terminal, and the screen that it draws.
struct Shown {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Shown {
    fn start(mut command: CommandBuilder) -> Self {
        let (cols, rows) = SIZE;
        let pair =
            native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        command.cwd(env!("CARGO_TARGET_TMPDIR"));
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
            command.env(name, env!("CARGO_TARGET_TMPDIR"));
        }
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let cells = |n| NonZero::new(n).unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(rows), cells(cols), 0)));
        let mut output = pair.master.try_clone_reader().unwrap();
        let parser = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = vec![0; 65_536];
            while let Ok(n @ 1..) = output.read(&mut bytes) {
                parser.lock().unwrap().process(&bytes[..n]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { child, keys, screen, _master: pair.master }
    }

    fn type_in(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Time until the screen shows a text, or does not any more.
    fn wait(&self, text: &str, there: bool) -> Duration {
        let began = Instant::now();
        while self.screen.lock().unwrap().screen().contents().contains(text) != there {
            assert!(began.elapsed() < Duration::from_secs(30), "never saw {text}");
            std::thread::sleep(Duration::from_micros(500));
        }
        began.elapsed()
    }

    fn end(mut self) {
        self.type_in("q");
        self.child.wait().unwrap();
    }
}

/// From a key to the frame that shows what it did, through the real loop.
fn keys() -> bool {
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.env(CHILD, "1");
    let mut shown = Shown::start(command);
    shown.wait("price:p-", true);
    std::thread::sleep(Duration::from_secs(2));
    let mut times: Vec<Duration> = (0..KEYS)
        .flat_map(|i| {
            // Not in step with the frames.
            std::thread::sleep(Duration::from_millis(20 + i as u64 * 7 % 33));
            shown.type_in("?");
            let opened = shown.wait("open the document beside its entry", true);
            shown.type_in("?");
            [opened, shown.wait("open the document beside its entry", false)]
        })
        .collect();
    shown.end();
    times.sort_unstable();
    let (p50, max) = (times[times.len() / 2], times[times.len() - 1]);
    let figure = format!("p50 {:.1} max {:.1} ms", ms(p50), ms(max));
    tell("key to its frame under the flood", &figure, "30 ms", max <= KEY_TO_FRAME)
}

/// Ten minutes of flood with a frame a second, as fast as they go.
fn memory() -> bool {
    let minutes: u64 = std::env::var("SYNCSCOPE_MINUTES").ok().and_then(|n| n.parse().ok()).unwrap_or(10);
    let mut model = model(start());
    // Documents are kept and judged.
    press(&mut model, "/.price.sale\r");
    let mut buf = ratatui::buffer::Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
    let mut sizes = Vec::new();
    for second in 0..minutes * 60 {
        let now = start() + SignedDuration::from_secs(i64::try_from(second).unwrap());
        update(&mut model, Msg::Tick(now));
        for n in second * RATE..(second + 1) * RATE {
            update(&mut model, Msg::Engine(event(n, now)));
        }
        buf.reset();
        view::draw(&model, &mut buf);
        if second % 60 == 59 {
            sizes.push(resident(std::process::id()));
        }
    }
    let grown = sizes[sizes.len() - 1].saturating_sub(sizes[0]);
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let figure = format!(
        "{:.1} MB after a minute, {:.1} MB after {minutes}",
        megabytes(sizes[0]),
        megabytes(sizes[sizes.len() - 1])
    );
    tell("memory of the flood", &figure, &format!("{:.0} MB more", megabytes(GROWTH)), grown <= GROWTH)
}

/// The real program with nothing to do: a demo without traffic, then servers that are not there.
fn rest() -> bool {
    let nobody = free_port();
    let cosmos = format!("http://127.0.0.1:{nobody}");
    let redis = format!("redis://127.0.0.1:{nobody}");
    let demo = ["demo", "--no-traffic", "--cosmos-port", "0"];
    let down = ["--cosmos", cosmos.as_str(), "--redis", redis.as_str()];
    at_rest("demo without traffic at rest", &demo, "in step")
        & at_rest("servers that are down", &down, "next try")
}

fn at_rest(what: &str, args: &[&str], settled: &str) -> bool {
    const SETTLE: Duration = Duration::from_secs(5);
    const LOOK: Duration = Duration::from_secs(20);
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_syncscope"));
    command.args(args);
    let shown = Shown::start(command);
    shown.wait(settled, true);
    std::thread::sleep(SETTLE);
    let process = shown.child.process_id().unwrap();
    let (before, began) = (processor_time(process), Instant::now());
    std::thread::sleep(LOOK);
    let used = processor_time(process).saturating_sub(before);
    let percent = used.as_secs_f64() / began.elapsed().as_secs_f64() * 100.0;
    shown.end();
    tell(what, &format!("{percent:.2}% of a core"), "1%", percent <= AT_REST)
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Processor time of all threads of a process (Linux: ticks are hundredths of a second).
fn processor_time(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Bytes of memory that a process has now (Linux).
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap_or(0);
    kilobytes * 1_024
}
