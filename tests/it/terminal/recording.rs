//! A recording whose program is ended from outside.

use serde_json::Value;

use super::DEMO;
use crate::support::tty::Tty;

#[test]
fn a_recording_ended_by_a_signal_is_whole_and_valid() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ended.cast");
    let mut args = DEMO.to_vec();
    args.extend(["--record", path.to_str().unwrap()]);
    let tty = Tty::start(&args, 100, 30);
    tty.wait_text("sync 4/4");
    tty.wait_text("100% in step");
    tty.signal("TERM");
    assert!(tty.ended().success());
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.ends_with('\n'), "the last line is whole");
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let header = lines.next().unwrap();
    assert_eq!(
        (&header["version"], &header["width"], &header["height"]),
        (&2.into(), &100.into(), &30.into())
    );
    let mut screen = vt100::Parser::new(30.try_into().unwrap(), 100.try_into().unwrap(), 0);
    let mut before = 0.0;
    for event in lines {
        let (at, kind, data) = (event[0].as_f64().unwrap(), &event[1], event[2].as_str().unwrap());
        assert!(at >= before && kind == "o", "{event}");
        before = at;
        screen.process(data.as_bytes());
    }
    // Played to its end it shows what the screen showed.
    let shown = screen.screen().contents();
    assert!(shown.contains("sync 4/4") && shown.contains("100% in step"), "{shown}");
}
