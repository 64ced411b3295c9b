//! One client's connection: reads what is there, runs it as one batch under the lock, writes in one go.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::clients::Client;
use super::commands::execute;
use super::framing::{Framing, ProtocolError};
use super::reply::Reply;
use super::state::State;

/// First size of the read buffer; big arguments make it grow.
const READ_BUFFER: usize = 64 * 1024;
/// A client that does not take its replies is not read from any more beyond this.
const HIGH_WATER: usize = 16 * 1024 * 1024;
/// Commands that run under one hold of the lock.
const BATCH: usize = 512;

/// The state, shared by all connections.
#[derive(Debug, Clone)]
pub(super) struct Shared(Arc<Mutex<State>>);

impl Shared {
    pub(super) fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// A panic while the lock was held leaves data that is still whole, so the server goes on.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the client on every way out.
struct Admission {
    shared: Shared,
    id: u64,
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.shared.lock().dismiss(self.id);
    }
}

/// Serves one client until it leaves, is killed, or the server stops.
pub(super) async fn serve(shared: Shared, mut stream: TcpStream, stop: CancellationToken) {
    let Ok(address) = stream.peer_addr() else { return };
    let _ = stream.set_nodelay(true);
    let wake = Arc::new(Notify::new());
    let kill = stop.child_token();
    let id = shared.lock().admit(Client::new(address, wake.clone(), kill.clone()));
    let admission = Admission { shared, id };
    let (mut reader, mut writer) = stream.split();
    let mut input = Input { buffer: BytesMut::with_capacity(READ_BUFFER), framing: Framing::default() };
    let mut output = BytesMut::new();
    let mut after = After::Read;
    while !kill.is_cancelled() {
        if after == After::Run && output.len() < HIGH_WATER {
            after = run(&admission.shared, id, &mut input);
            admission.shared.lock().take_pending(id, &mut output);
            // Others get their turn between the batches of a long pipeline.
            tokio::task::yield_now().await;
            continue;
        }
        admission.shared.lock().take_pending(id, &mut output);
        if after == After::Close && output.is_empty() {
            break;
        }
        input.make_room();
        tokio::select! {
            () = kill.cancelled() => break,
            () = wake.notified() => {}
            written = writer.write(&output), if !output.is_empty() => match written {
                Ok(0) | Err(_) => break,
                Ok(written) => output.advance(written),
            },
            read = reader.read_buf(&mut input.buffer), if after == After::Read && output.len() < HIGH_WATER => {
                match read {
                    Ok(0) | Err(_) => break,
                    Ok(_) => after = run(&admission.shared, id, &mut input),
                }
            }
        }
    }
    let _ = writer.shutdown().await;
}

struct Input {
    buffer: BytesMut,
    framing: Framing,
}

impl Input {
    /// Room for the next read. Memory that no argument refers to any more is used again.
    fn make_room(&mut self) {
        if self.buffer.capacity() - self.buffer.len() < READ_BUFFER / 4 {
            self.buffer.reserve(READ_BUFFER);
        }
    }
}

/// What is to be done next for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// The input has no whole command any more.
    Read,
    /// There may be more commands in the input.
    Run,
    /// Close, once everything is written.
    Close,
}

/// Runs a batch of commands under one hold of the lock; shorter, when the replies get long.
fn run(shared: &Shared, id: u64, input: &mut Input) -> After {
    let mut state = shared.lock();
    state.read_clock();
    let mut after = After::Run;
    for _ in 0..BATCH {
        let reply = match input.framing.next(&mut input.buffer) {
            Ok(Some(command)) if command.is_empty() => continue,
            Ok(Some(command)) => execute(&mut state, id, &command),
            Ok(None) => {
                after = After::Read;
                break;
            }
            Err(ProtocolError(text)) => {
                state.send(id, Reply::Error(text));
                after = After::Close;
                break;
            }
        };
        let Some(client) = state.clients.get_mut(&id) else { return After::Close };
        client.send(reply);
        if client.closing {
            after = After::Close;
            break;
        }
        if client.pending.len() >= HIGH_WATER {
            break;
        }
    }
    state.flush_tracking();
    after
}

impl State {
    /// Moves what is waiting for a client behind what is being written to it.
    fn take_pending(&mut self, id: u64, output: &mut BytesMut) {
        if output.len() >= HIGH_WATER {
            return;
        }
        let Some(client) = self.clients.get_mut(&id) else { return };
        if output.is_empty() {
            *output = client.pending.split();
        } else {
            output.extend_from_slice(&client.pending.split());
        }
    }
}
