//! A private redis-server: own port, own directory, no persistence. It ends with us, even when we are killed.
//!
//! A small shell starts it and waits on a pipe from us. The pipe closes when we stop, drop or die in any
//! way, and the shell then ends the server and removes the directory.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::EmbeddedCacheError;

/// What is looked for on the PATH, best first.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];
/// A cold start takes some 20 ms; a loaded machine may need far longer.
const START_LIMIT: Duration = Duration::from_secs(10);
/// Pause between two looks whether it is up.
const START_POLL: Duration = Duration::from_millis(5);
/// A free port can be lost to somebody else between our look and the server's bind.
const PORT_ATTEMPTS: usize = 3;
/// The shell kills the server at once; this is only for a machine that hangs.
const STOP_LIMIT: Duration = Duration::from_millis(900);
/// More than INFO's server section needs.
const MAX_ANSWER: usize = 16 * 1024;

/// `$1` = the server, `$2` = its directory, the rest = its arguments. File descriptor 3 is our pipe, because
/// a shell gives background commands an empty standard input. A server that ends before it was up leaves its
/// log to us; the directory then goes when we close the pipe.
const GUARD: &str = r#"
exec 3<&0
server=$1 dir=$2
shift 2
"$server" "$@" </dev/null >"$dir/log" 2>&1 3<&- &
pid=$!
{ read -r _ <&3; kill -9 "$pid"; rm -rf "$dir"; } 2>/dev/null &
reader=$!
exec 3<&-
wait "$pid"
if [ -e "$dir/up" ]; then kill "$reader" 2>/dev/null; rm -rf "$dir"; fi
"#;

/// A running private server. Dropping it ends it too.
#[derive(Debug)]
pub(super) struct RedisServer {
    port: u16,
    product: String,
    shell: Child,
    dir: PathBuf,
}

impl RedisServer {
    /// The server's path, if one is installed and this system has the shell for it.
    pub(super) fn find() -> Option<PathBuf> {
        if !cfg!(unix) {
            return None;
        }
        let path = std::env::var_os("PATH")?;
        let dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
        PROGRAMS.iter().find_map(|name| dirs.iter().map(|dir| dir.join(name)).find(|file| file.is_file()))
    }

    /// Starts the program on `port`, or on a free one.
    pub(super) async fn start(program: &Path, port: Option<u16>) -> Result<Self, EmbeddedCacheError> {
        if let Some(port) = port {
            if !is_free(port).await {
                return Err(EmbeddedCacheError::PortTaken { port });
            }
            return Self::launch(program, port).await;
        }
        let mut attempt = 1;
        loop {
            match Self::launch(program, free_port().await?).await {
                Err(EmbeddedCacheError::NotUp { .. }) if attempt < PORT_ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    async fn launch(program: &Path, port: u16) -> Result<Self, EmbeddedCacheError> {
        let dir = std::env::temp_dir().join(format!("syncscope-redis-{}", uuid::Uuid::new_v4()));
        tokio::fs::create_dir(&dir).await.map_err(start_error("cannot make its directory"))?;
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(GUARD).arg("syncscope-redis").arg(program).arg(&dir);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--daemonize", "no"]);
        command.args(["--save", "", "--appendonly", "no", "--loglevel", "warning", "--dir"]).arg(&dir);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Its own process group: ctrl-c on our terminal must not end the server before we have finished with it.
        #[cfg(unix)]
        command.process_group(0);
        let shell = command.spawn().map_err(start_error("cannot start /bin/sh"))?;
        let mut server = Self { port, product: String::new(), shell, dir };
        if let Ok(Some(product)) = timeout(START_LIMIT, server.until_up()).await {
            server.product = product;
            // From here on the shell removes the directory, because nobody reads the log any more.
            tokio::fs::write(server.dir.join("up"), b"").await.map_err(start_error("cannot mark it"))?;
            return Ok(server);
        }
        let log = last_words(&server.dir).await;
        let dir = server.dir.clone();
        server.stop().await;
        let _ = tokio::fs::remove_dir_all(dir).await;
        Err(EmbeddedCacheError::NotUp { log })
    }

    /// Waits for an answer; `None` when the process ended instead.
    async fn until_up(&mut self) -> Option<String> {
        loop {
            if let Ok(Some(_)) = self.shell.try_wait() {
                return None;
            }
            if let Some(product) = ask(self.port, &self.dir).await {
                return Some(product);
            }
            sleep(START_POLL).await;
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn product(&self) -> &str {
        &self.product
    }

    pub(super) async fn stop(mut self) {
        drop(self.shell.stdin.take());
        let deadline = Instant::now() + STOP_LIMIT;
        if tokio::time::timeout_at(deadline, self.shell.wait()).await.is_err() {
            let _ = self.shell.start_kill();
        }
    }
}

fn start_error(what: &'static str) -> impl FnOnce(std::io::Error) -> EmbeddedCacheError {
    move |source| EmbeddedCacheError::Start { what, source }
}

async fn is_free(port: u16) -> bool {
    tokio::net::TcpListener::bind(("127.0.0.1", port)).await.is_ok()
}

async fn free_port() -> Result<u16, EmbeddedCacheError> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
    listener
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(start_error("no free port"))
}

/// Name and version, if the server on `port` is the one that works in `dir`, not another that took the port.
async fn ask(port: u16, dir: &Path) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    stream.write_all(b"CONFIG GET dir\r\nINFO server\r\nQUIT\r\n").await.ok()?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER as u64).read_to_end(&mut answer).await.ok()?;
    let answer = String::from_utf8_lossy(&answer);
    // The server shows its directory with links resolved; the last part is unique enough.
    let name = dir.file_name()?.to_str()?;
    if !answer.contains(name) {
        return None;
    }
    let field = |name: &str| answer.lines().find_map(|line| line.strip_prefix(name));
    field("valkey_version:")
        .map(|version| format!("valkey {version}"))
        .or_else(|| field("redis_version:").map(|version| format!("redis {version}")))
}

async fn last_words(dir: &Path) -> String {
    let log = tokio::fs::read_to_string(dir.join("log")).await.unwrap_or_default();
    match log.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => line.trim().to_owned(),
        None => "it wrote no log".to_owned(),
    }
}
