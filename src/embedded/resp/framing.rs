//! From bytes to commands: limits and completeness are checked here, the frame itself is decoded by `redis-protocol`.
//!
//! The check keeps its place, so a big command that arrives in many pieces is looked at once only.

use bytes::{Bytes, BytesMut};
use redis_protocol::resp2::decode::decode_bytes_mut;
use redis_protocol::resp2::types::BytesFrame;

use super::numbers::parse_int;

/// Longest argument. Documents of Cosmos DB end at 2 MB.
pub(super) const MAX_ARGUMENT: usize = 16 * 1024 * 1024;
/// Longest command with all its arguments.
const MAX_COMMAND: usize = 64 * 1024 * 1024;
/// Most arguments of a command.
const MAX_ARGUMENTS: i64 = 1024 * 1024;
/// Longest header line or inline command, as in Redis.
const MAX_LINE: usize = 64 * 1024;

/// Why the connection cannot go on, in the words of Redis.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProtocolError(pub(super) String);

/// Splits what a client sends into commands.
#[derive(Debug, Default)]
pub(super) struct Framing {
    /// Where the check goes on, and how many arguments are missing; `None` = at the start of a command.
    progress: Option<Progress>,
}

#[derive(Debug, Clone, Copy)]
struct Progress {
    position: usize,
    missing: i64,
}

impl Framing {
    /// The next whole command, `None` when more bytes are needed. An empty command is to be ignored.
    pub(super) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Vec<Bytes>>, ProtocolError> {
        let Some(&first) = buffer.first() else { return Ok(None) };
        if first != b'*' {
            return inline(buffer);
        }
        let mut progress = match self.progress.take() {
            Some(progress) => progress,
            None => match header(buffer, 0, "mbulk count")? {
                None => return Ok(None),
                Some((count, _)) if count > MAX_ARGUMENTS => {
                    return Err(error("invalid multibulk length"));
                }
                Some((count, position)) if count <= 0 => {
                    let _ = buffer.split_to(position);
                    return Ok(Some(Vec::new()));
                }
                Some((count, position)) => Progress { position, missing: count },
            },
        };
        while progress.missing > 0 {
            let Some(next) = argument(buffer, progress.position)? else {
                self.progress = Some(progress);
                return Ok(None);
            };
            progress = Progress { position: next, missing: progress.missing - 1 };
        }
        let mut command = buffer.split_to(progress.position);
        match decode_bytes_mut(&mut command) {
            Ok(Some((BytesFrame::Array(arguments), _, _))) => arguments
                .into_iter()
                .map(|argument| match argument {
                    BytesFrame::BulkString(bytes) => Ok(bytes),
                    _ => Err(error("invalid bulk length")),
                })
                .collect::<Result<Vec<Bytes>, _>>()
                .map(Some),
            _ => Err(error("invalid multibulk length")),
        }
    }
}

fn error(what: &str) -> ProtocolError {
    ProtocolError(format!("ERR Protocol error: {what}"))
}

/// End of the argument that starts at `position`, if it is all there.
fn argument(buffer: &[u8], position: usize) -> Result<Option<usize>, ProtocolError> {
    match buffer.get(position) {
        None => return Ok(None),
        Some(b'$') => {}
        Some(&other) => {
            return Err(error(&format!("expected '$', got '{}'", char::from(other).escape_default())));
        }
    }
    let Some((length, start)) = header(buffer, position, "bulk count")? else { return Ok(None) };
    let length = usize::try_from(length)
        .ok()
        .filter(|&length| length <= MAX_ARGUMENT)
        .ok_or_else(|| error("invalid bulk length"))?;
    let end = start + length + 2;
    if end > MAX_COMMAND {
        return Err(error("too big command"));
    }
    if buffer.len() < end {
        return Ok(None);
    }
    if &buffer[end - 2..end] == b"\r\n" { Ok(Some(end)) } else { Err(error("invalid bulk length")) }
}

/// The number of a `*N\r\n` or `$N\r\n` line at `position`, and where the line after it starts.
fn header(buffer: &[u8], position: usize, what: &str) -> Result<Option<(i64, usize)>, ProtocolError> {
    let line = &buffer[position + 1..];
    let line = &line[..line.len().min(MAX_LINE)];
    match line.iter().position(|&byte| byte == b'\r') {
        None if line.len() == MAX_LINE => Err(error(&format!("too big {what} string"))),
        None => Ok(None),
        Some(end) if end + 1 == line.len() && line.len() < MAX_LINE => Ok(None),
        Some(end) => {
            let invalid =
                if what == "bulk count" { "invalid bulk length" } else { "invalid multibulk length" };
            let number = parse_int(&line[..end]).filter(|_| line.get(end + 1) == Some(&b'\n'));
            match number {
                Some(number) => Ok(Some((number, position + 1 + end + 2))),
                None => Err(error(invalid)),
            }
        }
    }
}

/// A command typed as a line (`PING\r\n`), with the quoting of redis-cli.
fn inline(buffer: &mut BytesMut) -> Result<Option<Vec<Bytes>>, ProtocolError> {
    let Some(end) = buffer.iter().take(MAX_LINE).position(|&byte| byte == b'\n') else {
        return if buffer.len() >= MAX_LINE { Err(error("too big inline request")) } else { Ok(None) };
    };
    let line = buffer.split_to(end + 1);
    let line = line[..end].strip_suffix(b"\r").unwrap_or(&line[..end]);
    words(line).map(Some).ok_or_else(|| error("unbalanced quotes in request"))
}

/// `None` = quotes do not match. A quote may start within a word, and must end it.
fn words(line: &[u8]) -> Option<Vec<Bytes>> {
    let mut words = Vec::new();
    let mut rest = line.iter().copied().peekable();
    loop {
        while rest.next_if(|&byte| is_space(byte)).is_some() {}
        if rest.peek().is_none() {
            return Some(words);
        }
        let mut word = Vec::new();
        while let Some(byte) = rest.next_if(|&byte| !is_space(byte)) {
            match byte {
                b'"' | b'\'' => {
                    quoted(byte, &mut rest, &mut word)?;
                    if rest.peek().is_some_and(|&byte| !is_space(byte)) {
                        return None;
                    }
                }
                byte => word.push(byte),
            }
        }
        words.push(Bytes::from(word));
    }
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0
}

/// The rest of a quoted part, its closing quote included. `None` = it does not close.
fn quoted(
    quote: u8,
    rest: &mut std::iter::Peekable<impl Iterator<Item = u8> + Clone>,
    word: &mut Vec<u8>,
) -> Option<()> {
    loop {
        match rest.next()? {
            byte if byte == quote => return Some(()),
            b'\\' if quote == b'"' => word.push(escape(rest)?),
            b'\\' if rest.peek() == Some(&b'\'') => word.extend(rest.next()),
            byte => word.push(byte),
        }
    }
}

/// What follows a backslash within double quotes.
fn escape(rest: &mut std::iter::Peekable<impl Iterator<Item = u8> + Clone>) -> Option<u8> {
    Some(match rest.next()? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        b'x' => {
            let mut ahead = rest.clone();
            let digits = [ahead.next()?, ahead.next()?].map(|digit| char::from(digit).to_digit(16));
            match digits {
                [Some(high), Some(low)] => {
                    *rest = ahead;
                    (high * 16 + low) as u8
                }
                _ => b'x',
            }
        }
        byte => byte,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(input: &[u8]) -> Result<Vec<Vec<Bytes>>, ProtocolError> {
        let mut buffer = BytesMut::from(input);
        let mut framing = Framing::default();
        let mut commands = Vec::new();
        while let Some(command) = framing.next(&mut buffer)? {
            commands.push(command);
        }
        Ok(commands)
    }

    fn packed(command: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
        for argument in command {
            bytes.extend(format!("${}\r\n", argument.len()).into_bytes());
            bytes.extend(argument);
            bytes.extend(b"\r\n");
        }
        bytes
    }

    #[test]
    fn inline_commands_are_split_like_in_redis() {
        let line = b"SET \"a \\\"b\\x41\\n\" 'it\\'s'  \r\n\r\nPING\n";
        let commands = all(line).unwrap();
        assert_eq!(commands, [vec!["SET", "a \"bA\n", "it's"], vec![], vec!["PING"]]);
        assert_eq!(all(b"GET \"a\r\n"), Err(error("unbalanced quotes in request")));
        assert_eq!(all(b"GET \"a\"b\r\n"), Err(error("unbalanced quotes in request")));
        assert_eq!(all(b"GET a\"b c\"\r\n").unwrap(), [vec!["GET", "ab c"]]);
    }

    #[test]
    fn what_is_not_resp_is_refused_in_the_words_of_redis() {
        for (input, words) in [
            (&b"*a\r\n"[..], "invalid multibulk length"),
            (b"*99999999\r\n", "invalid multibulk length"),
            (b"*1\r\n:1\r\n", "expected '$', got ':'"),
            (b"*1\r\n$-1\r\n", "invalid bulk length"),
            (b"*1\r\n$99999999\r\n", "invalid bulk length"),
            (b"*1\r\n$1\r\nabc", "invalid bulk length"),
        ] {
            assert_eq!(all(input), Err(error(words)));
        }
        assert_eq!(all(&vec![b'a'; MAX_LINE]), Err(error("too big inline request")));
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_commands_or_an_error(input in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = all(&input);
        }

        #[test]
        fn nearly_right_bytes_too(
            parts in proptest::collection::vec(
                prop_oneof!["\\*[0-9]{1,3}", "\\$[0-9]{1,2}", "\r\n", "\n", "[ -~]{0,9}", "\\*-1", "\\$-1"], 0..60,
            ),
        ) {
            let _ = all(parts.concat().as_bytes());
        }

        #[test]
        fn commands_come_out_as_they_went_in_however_they_are_cut(
            commands in proptest::collection::vec(
                proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..5), 0..10,
            ),
            step in 1usize..64,
        ) {
            let bytes: Vec<u8> = commands.iter().flat_map(|command| packed(command)).collect();
            let mut buffer = BytesMut::new();
            let mut framing = Framing::default();
            let mut found = Vec::new();
            for piece in bytes.chunks(step) {
                buffer.extend_from_slice(piece);
                while let Some(command) = framing.next(&mut buffer).unwrap() {
                    found.push(command.iter().map(|argument| argument.to_vec()).collect::<Vec<_>>());
                }
            }
            prop_assert_eq!(found, commands);
            prop_assert!(buffer.is_empty());
        }
    }
}
