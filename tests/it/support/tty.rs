//! The program in a pseudo-terminal: keys in, a screen out.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// Long enough for a debug build on a busy machine; conditions end the wait.
const PATIENCE: Duration = Duration::from_secs(60);

const PROGRAM: &str = env!("CARGO_BIN_EXE_syncscope");

/// A program with its terminal.
pub(crate) struct Tty {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
    /// Everything that the program sent to the terminal.
    output: Arc<Mutex<Vec<u8>>>,
    /// Settings of the line as they were before the program came.
    before: String,
    started: Instant,
}

impl Tty {
    /// Starts the program in a terminal of this size, without the user's configuration.
    pub(crate) fn start(args: &[&str], columns: u16, rows: u16) -> Self {
        Self::start_in(args, columns, rows, Path::new(env!("CARGO_TARGET_TMPDIR")))
    }

    /// The same with a directory of its own for what the program keeps.
    pub(crate) fn start_in(args: &[&str], columns: u16, rows: u16, state: &Path) -> Self {
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(args);
        command.env("XDG_STATE_HOME", state);
        Self::of(command, columns, rows, &nowhere())
    }

    /// The same with variables of its own.
    pub(crate) fn start_with(args: &[&str], columns: u16, rows: u16, variables: &[(&str, &str)]) -> Self {
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(args);
        for (name, value) in variables {
            command.env(name, value);
        }
        Self::of(command, columns, rows, &nowhere())
    }

    /// The same with a directory of its own for all that it writes.
    pub(crate) fn start_at(args: &[&str], columns: u16, rows: u16, directory: &Path) -> Self {
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(args);
        command.env("XDG_STATE_HOME", directory);
        Self::of(command, columns, rows, directory)
    }

    /// The program as a job of a shell: stopped, it hands the terminal back; the next line typed brings it to
    /// the foreground again, and the shell ends with it.
    pub(crate) fn start_as_job(args: &[&str], columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new("bash");
        command.args([
            "-c",
            "set -m; \"$@\"; echo STOPPED; read -r _; fg >/dev/null; echo ENDED",
            "sh",
            PROGRAM,
        ]);
        command.args(args);
        Self::of(command, columns, rows, &nowhere())
    }

    fn of(mut command: CommandBuilder, columns: u16, rows: u16, directory: &Path) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        command.cwd(directory);
        let given: Vec<String> = command.iter_extra_env_as_str().map(|(name, _)| name.to_owned()).collect();
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"] {
            if !given.iter().any(|given| given == name) {
                command.env(name, nowhere());
            }
        }
        for name in ["NO_COLOR", "SYNCSCOPE_COSMOS", "SYNCSCOPE_REDIS", "VISUAL"] {
            if !given.iter().any(|given| given == name) {
                command.env_remove(name);
            }
        }
        if !given.iter().any(|given| given == "TERM") {
            command.env("TERM", "xterm-256color");
        }
        let before = line_settings(&*pair.master);
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(rows), cells(columns), 0)));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let parser = Arc::clone(&screen);
        let output = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&output);
        std::thread::spawn(move || {
            let mut bytes = [0; 8_192];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                parser.lock().unwrap().process(&bytes[..n]);
                kept.lock().unwrap().extend_from_slice(&bytes[..n]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { master: pair.master, keys, child, screen, output, before, started }
    }

    /// Types text; `\r` is enter, `\x1b` escape.
    pub(crate) fn type_in(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Clicks on the first place where a text is on the screen, behind blanks that it begins with.
    pub(crate) fn click(&mut self, text: &str) {
        let screen = self.text();
        let found = screen.lines().enumerate().find_map(|(row, line)| Some((row, &line[..line.find(text)?])));
        let (row, before) = found.unwrap_or_else(|| panic!("no {text} to click on:\n{screen}"));
        // The screen that these tests draw has no wide characters before what they click on.
        let blanks = text.chars().take_while(|c| *c == ' ').count();
        let column = before.chars().count() + blanks + 1;
        self.type_in(&format!("\x1b[<0;{column};{}M\x1b[<0;{column};{}m", row + 1, row + 1));
    }

    /// What is on the screen now, a line each.
    pub(crate) fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// All that was sent to the terminal so far, control sequences included.
    pub(crate) fn output(&self) -> Vec<u8> {
        self.output.lock().unwrap().clone()
    }

    /// The program has switched to the screen's own buffer.
    pub(crate) fn is_full_screen(&self) -> bool {
        self.screen.lock().unwrap().screen().alternate_screen()
    }

    /// Whether line settings are as they were before the program came.
    pub(crate) fn has_line_settings_of_before(&self) -> bool {
        line_settings(&*self.master) == self.before
    }

    /// Waits until the screen shows what is asked for; gives the time since the start.
    pub(crate) fn wait_for(&self, what: &str, shown: impl Fn(&str) -> bool) -> Duration {
        let start = Instant::now();
        while !shown(&self.text()) {
            assert!(start.elapsed() < PATIENCE, "never saw {what} on:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(5));
        }
        self.started.elapsed()
    }

    /// Waits until a text is on the screen.
    pub(crate) fn wait_text(&self, text: &str) -> Duration {
        self.wait_for(text, |screen| screen.contains(text))
    }

    /// Changes the size of the terminal.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.screen.lock().unwrap().screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.process_id().unwrap().to_string();
        let status = std::process::Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the end of the program and looks whether the terminal is as it was.
    pub(crate) fn ended(mut self) -> ExitStatus {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "did not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        };
        // The last bytes may still be on their way from the terminal to the parser.
        let restored = |parser: &Mutex<vt100::Parser>| {
            let parser = parser.lock().unwrap();
            let screen = parser.screen();
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        };
        let start = Instant::now();
        while !restored(&self.screen) {
            assert!(start.elapsed() < Duration::from_secs(5), "the terminal was not restored");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(line_settings(&*self.master), self.before, "raw mode was left on");
        status
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        // Only after a failed assertion: otherwise it has ended already.
        drop(self.child.kill());
    }
}

/// A directory in which no user's configuration is.
fn nowhere() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// Line settings as text: canonical mode, echo and the like.
fn line_settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().map(|settings| settings.local_flags))
}

fn cells(n: u16) -> NonZero<u16> {
    NonZero::new(n).expect("a terminal has cells")
}
