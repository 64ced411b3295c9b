//! An engine without a screen: its events until somebody has seen enough, a signal comes, or the
//! servers turn out to be out of reach.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::engine::{Command, ConnectionState, Engine, EngineOptions, Event, Face, Level, Server, channels};
use crate::wording::counted;

use super::CliError;
use super::lines;
use super::output::Output;
use super::reader::Reader;
use super::signals::StopSignals;

/// How long a one-off order waits for a server that is not there.
const PATIENCE: Duration = Duration::from_secs(15);

/// A running engine and what it says.
pub(super) struct Session<'o> {
    engine: Engine,
    commands: mpsc::Sender<Command>,
    events: mpsc::Receiver<Event>,
    output: &'o Output,
    signals: StopSignals,
    /// Ends it with its going; `None` = what is under way is done all the same.
    reader: Option<Reader>,
    /// Wait for ever for servers to come up.
    patient: bool,
    down_since: [Option<Instant>; 2],
}

/// What a session's step brought.
pub(super) enum Step {
    /// Something happened.
    Event(Box<Event>),
    /// The user wants to stop.
    Signal,
}

impl<'o> Session<'o> {
    /// Starts the engine. A patient session waits for servers for ever, another for 15 seconds.
    pub(super) fn start(options: EngineOptions, patient: bool, output: &'o Output) -> Result<Self, CliError> {
        let signals = StopSignals::listen()?;
        let (Face { commands, events }, inside) = channels();
        let engine = Engine::start(options, inside)?;
        let down_since = [None, None];
        Ok(Self { engine, commands, events, output, signals, reader: None, patient, down_since })
    }

    /// Ends where nobody reads the output any more: for what only looks.
    pub(super) fn while_read(mut self) -> Self {
        self.reader = Some(Reader::of_stdout());
        self
    }

    /// Asks the engine for something.
    pub(super) async fn order(&self, command: Command) {
        let _ = self.commands.send(command).await;
    }

    /// The next event. Connection troubles and log lines are told on the way.
    ///
    /// # Errors
    /// A server refuses us for good, or is not there for too long.
    pub(super) async fn step(&mut self) -> Result<Step, CliError> {
        let unread = async {
            match &self.reader {
                Some(reader) => reader.gone().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.signals.stop() => Ok(Step::Signal),
            () = unread => Err(CliError::Output(std::io::ErrorKind::BrokenPipe.into())),
            event = self.events.recv() => match event {
                None => Err(CliError::Refused("the engine ended by itself; run again with -v to see why".to_owned())),
                Some(event) => {
                    self.look(&event)?;
                    Ok(Step::Event(Box::new(event)))
                }
            },
        }
    }

    fn look(&mut self, event: &Event) -> Result<(), CliError> {
        match event {
            Event::Connection(server, state) => self.connection(*server, state)?,
            // Losses and returns of servers are told from their own events.
            Event::Log(line) if line.level > Level::Info && !matches!(line.room, "cosmos" | "cache") => {
                self.output.words(&lines::log(line));
            }
            Event::Dropped(sum) => {
                self.output.words(&format!("{} skipped: the output is too slow", counted(*sum, "row")));
            }
            _ => {}
        }
        Ok(())
    }

    fn connection(&mut self, server: Server, state: &ConnectionState) -> Result<(), CliError> {
        let (slot, name) = match server {
            Server::Cosmos => (&mut self.down_since[0], "Cosmos"),
            Server::Redis => (&mut self.down_since[1], "Redis"),
        };
        match state {
            ConnectionState::Connecting { .. } => {}
            ConnectionState::Up { address, product } => {
                if slot.take().is_some() {
                    self.output.words(&format!("{name} at {address} is back ({product})"));
                }
            }
            ConnectionState::Down { address, cause, remedy, retry_at } => {
                let line = format!("{name} at {address}: {cause}; {remedy}");
                let since = *slot.get_or_insert_with(|| {
                    self.output.words(&line);
                    Instant::now()
                });
                let given_up = !self.patient && since.elapsed() >= PATIENCE;
                if retry_at.is_none() || given_up {
                    return Err(CliError::Refused(line));
                }
            }
        }
        Ok(())
    }

    /// Ends the engine, releasing its leases.
    pub(super) async fn end(self) {
        self.engine.stop(self.events).await;
    }
}
