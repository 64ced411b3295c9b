//! A run as the engine would tell it, without an engine: the same every time.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::{SignedDuration, Timestamp};
use ratatui::{buffer::Buffer, layout::Rect, layout::Size, style::Color, style::Modifier};

use crate::{
    cosmos::EpkRange,
    engine::{
        CacheStatus, Cause, ChangeRow, Command, ConnectionState, Diff, Difference, DocumentDetail, Encoding,
        EntryDetail, EntryRow, EntryState, EntryValue, Event, FeedStatus, Field, Finding, FindingKind,
        FollowMode, ForeignOwner, JobStatus, LatencySnapshot, LeaseOrder, LeasePlan, LeaseRow, LeaseSnapshot,
        Level, LogLine, Novelty, ProbeTiming, ProofKind, ProofStatus, RebuildMode, RebuildOrder,
        RebuildPhase, RebuildPlan, RebuildReport, Server, SourceDocument, Stage, StageSummary, Summary,
        SyncPhase, SyncStatus, TrafficStatus, Undoable, VerifyPhase, VerifyStatus, VersionSeen, Versions,
    },
    latency::LatencyTracker,
    lease::{Lease, LeaseKind, LeasePrefix},
    tui::{
        Model, ScreenOptions,
        model::Overlay,
        update::{Effect, Msg, update},
        view,
    },
};

/// 2026-11-23 14:02:12 UTC.
pub(in crate::tui) fn start() -> Timestamp {
    "2026-11-23T14:02:12Z".parse().unwrap()
}

/// So many milliseconds before the time of the fixture.
pub(super) fn before(millis: i64) -> Timestamp {
    start() - SignedDuration::from_millis(millis)
}

pub(super) fn model(width: u16, height: u16) -> Model {
    let options = ScreenOptions {
        key_template: "price:{id}".to_owned(),
        slo_ms: Some(25),
        same_as: "--cosmos http://127.0.0.1:8081 --redis redis://127.0.0.1:6379".to_owned(),
        ..ScreenOptions::default()
    };
    Model::new(options, Size { width, height }, start())
}

pub(super) fn tell(model: &mut Model, events: impl IntoIterator<Item = Event>) -> Vec<Effect> {
    events.into_iter().flat_map(|event| update(model, Msg::Engine(event))).collect()
}

pub(super) fn press(model: &mut Model, code: KeyCode) -> Vec<Effect> {
    // As the loop does before it takes keys in.
    let now = model.now;
    update(model, Msg::Tick(now));
    update(model, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

/// A letter with control.
pub(super) fn chord(model: &mut Model, letter: char) -> Vec<Effect> {
    update(model, Msg::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)))
}

/// Types characters; `\n` is enter.
pub(super) fn keys(model: &mut Model, text: &str) -> Vec<Effect> {
    text.chars()
        .flat_map(|c| press(model, if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) }))
        .collect()
}

pub(in crate::tui) fn change(
    seq: u64,
    id: &str,
    price: f64,
    delta: Option<f64>,
    quarter: usize,
    age: i64,
) -> ChangeRow {
    let field = |name: &str, value: &str, delta| Field { name: name.into(), value: value.into(), delta };
    let currency = ["GBP", "EUR", "USD"][seq as usize % 3];
    let name = ["Kettle", "Rain coat", "Desk lamp", "Tent"][seq as usize % 4];
    let json = serde_json::json!({
        "id": id,
        "price": { "current": price, "currency": currency, "sale": seq.is_multiple_of(2) },
        "name": name,
    });
    ChangeRow {
        seq,
        seen_at: before(age),
        id: id.to_owned(),
        partition_key: Some(format!("\"{id}\"")),
        etag: format!("\"0000-{seq}\""),
        lsn: Some(20_000 + seq),
        range: range(quarter),
        keys: vec![format!("price:{id}")],
        fields: vec![
            field("price.current", &format!("{price:.2}"), delta),
            field("price.currency", currency, None),
            field("name", name, None),
        ],
        novelty: match delta {
            Some(_) => Novelty::Replaced,
            None => Novelty::New,
        },
        versions: Versions { written: 0, delivered: 1, folded: 0 },
        json: Some(json.to_string().into()),
    }
}

fn range(quarter: usize) -> EpkRange {
    let bounds = ["", "0FFFFFFFFFFFFFFF", "1FFFFFFFFFFFFFFF", "2FFFFFFFFFFFFFFF", "FF"];
    EpkRange::new(bounds[quarter], bounds[quarter + 1])
}

pub(in crate::tui) fn entry(id: &str, state: EntryState, age: i64) -> EntryRow {
    EntryRow {
        key: format!("price:{id}"),
        document_id: Some(id.to_owned()),
        kind: "string".to_owned(),
        size: Some(198 + id.len() as u64),
        expires_at: (state == EntryState::Stale).then(|| before(-3_725_000)),
        value: Some(Arc::new(EntryValue {
            encoding: Encoding::Text,
            text: format!(r#"{{"id":"{id}","price":{{"current":12.00,"rrp":20.00,"currency":"EUR"}},"name":"Rain coat","brand":"Oakhurst"}}"#).into(),
            cut: false,
            expiry: None,
        })),
        state,
        delay_ms: (state == EntryState::InStep).then_some(3.2),
        changed_at: before(age),
    }
}

fn lease(quarter: usize, owner: Option<&str>, mine: bool, age: i64, lag: u64) -> LeaseRow {
    let range = range(quarter);
    LeaseRow {
        id: format!("acct_shop_prices..{}", range.max),
        token: format!("{}-{}", range.min, range.max),
        kind: LeaseKind::EpkRange,
        share: Some(range.share()),
        range: Some(range),
        owner: owner.map(str::to_owned),
        mine,
        heartbeat: owner.map(|_| before(age)),
        expired: age > 60_000,
        continuation: Some("20118".to_owned()),
        lag: Some(lag),
    }
}

pub(in crate::tui) fn leases() -> LeaseSnapshot {
    LeaseSnapshot {
        prefix: "acct_shop_prices".to_owned(),
        container: "shop/leases".to_owned(),
        rows: vec![
            lease(0, Some("syncscope-1"), true, 2_000, 0),
            lease(1, Some("syncscope-1"), true, 2_000, 0),
            lease(2, Some("host-b"), false, 9_000, 14),
            lease(3, None, false, 0, 120),
        ],
        other_prefixes: vec![("billing".to_owned(), 3)],
        read_at: Some(before(400)),
        expiration: Duration::from_secs(60),
        problem: None,
    }
}

/// The snapshot before: one lease was free, another had an owner that fell silent.
fn leases_before() -> LeaseSnapshot {
    let mut snapshot = leases();
    snapshot.rows[1] = lease(1, None, false, 0, 40);
    snapshot.rows[2] = lease(2, Some("host-a"), false, 70_000, 40);
    snapshot.rows[3] = lease(3, Some("host-b"), false, 70_000, 120);
    snapshot
}

fn latency() -> LatencySnapshot {
    let stage = |stage, p50: f64, seed: usize| StageSummary {
        stage,
        count: 4_120,
        p50,
        p95: p50 * 2.6,
        p99: p50 * 4.1,
        max: p50 * 9.7,
        recent: (0..60)
            .map(|i| {
                (i % 17 != 5).then_some(p50 * (1.0 + f64::from((i as u32 * 7 + seed as u32) % 11) / 5.0))
            })
            .collect(),
    };
    LatencySnapshot {
        stages: vec![
            stage(Stage::Write, 0.8, 1),
            stage(Stage::Feed, 1.9, 4),
            stage(Stage::Lease, 0.3, 3),
            stage(Stage::Cache, 0.9, 2),
            stage(Stage::Total, 3.1, 7),
            stage(Stage::Whole, 3.9, 5),
        ],
        ..measured()
    }
}

/// Heat map and slowest ways of a made-up run: a slow spell 40 s ago.
fn measured() -> LatencySnapshot {
    let tracker = LatencyTracker::new().with_target(Duration::from_millis(25), 0.99);
    let first = std::time::Instant::now() + Duration::from_secs(600);
    for n in 0..2_400_u64 {
        let at = |micros: u64| first + Duration::from_millis(n * 50) + Duration::from_micros(micros);
        let slow = if (1_600..1_660).contains(&n) { 9_000 + n * 377 % 40_000 } else { n * 7 % 2_900 };
        let id = format!("p-{:06}", n % 700);
        tracker.sent(&id, at(0), at(slow / 9));
        tracker.acknowledged(&id, "1", at(800 + slow / 3));
        tracker.seen_in_feed(&id, "1", at(2_000 + slow));
        tracker.delivered(&id, "1", at(2_300 + slow));
        tracker.in_cache(&id, "1", at(3_100 + slow));
    }
    let mut snapshot = tracker.snapshot(first + Duration::from_secs(120), start());
    (snapshot.open, snapshot.folded, snapshot.lost) = (2, 12, 0);
    snapshot
}

pub(super) fn up() -> Vec<Event> {
    vec![
        Event::Connection(
            Server::Cosmos,
            ConnectionState::Up { address: "127.0.0.1:8081".into(), product: "embedded".into() },
        ),
        Event::Connection(
            Server::Redis,
            ConnectionState::Up { address: "127.0.0.1:6379".into(), product: "redis 7.0.15".into() },
        ),
    ]
}

pub(super) fn redis_down() -> Event {
    Event::Connection(
        Server::Redis,
        ConnectionState::Down {
            address: "127.0.0.1:6379".into(),
            cause: "connection refused (os error 111)".into(),
            remedy: "start it with: redis-server --port 6379".into(),
            retry_at: Some(before(-4_000)),
        },
    )
}

fn log(age: i64, level: Level, room: &'static str, text: &str) -> Event {
    Event::Log(LogLine { at: before(age), level, room, text: text.to_owned() })
}

/// Everything up and live.
pub(super) fn running() -> Vec<Event> {
    let mut events = up();
    let ids = ["p-000812", "p-000044", "p-000731", "p-000120", "p-000007", "p-000555"];
    let changes = (0..60)
        .map(|i| {
            let id = if i < 54 { format!("p-{:06}", i * 13 % 999) } else { ids[59 - i].to_owned() };
            let delta = [None, Some(4.0), Some(-10.0), Some(0.0)][i % 4];
            change(
                i as u64,
                &id,
                5.0 + (i as f64 * 7.37) % 90.0,
                delta,
                i % 4,
                140 + (59 - i64::try_from(i).unwrap()) * 310,
            )
        })
        .collect();
    let states = [
        EntryState::InStep,
        EntryState::Pending,
        EntryState::InStep,
        EntryState::Stale,
        EntryState::Orphan,
        EntryState::Missing,
    ];
    let mut entries: Vec<EntryRow> =
        (0..70).map(|i| entry(&format!("p-{:06}", i * 17 % 999), EntryState::InStep, 30_000 + i)).collect();
    entries.extend(
        ids.iter().enumerate().map(|(i, id)| entry(id, states[i], 100 + i64::try_from(i).unwrap() * 300)),
    );
    events.extend([
        Event::Changes(changes),
        Event::Feed(FeedStatus {
            live: true,
            seen: 4_120,
            rate: 48.0,
            ranges: 4,
            documents: Some(1_284),
            ..FeedStatus::default()
        }),
        Event::Leases(leases_before()),
        Event::Leases(leases()),
        Event::Entries(entries),
        Event::Cache(CacheStatus {
            keys: Some(1_284),
            used_memory: Some(2_140_000),
            follow: FollowMode::Tracking,
            scanned: true,
            in_step: 1_281,
            compared: 1_284,
            beyond_window: 1_208,
            ..CacheStatus::default()
        }),
        Event::Latency(latency()),
        Event::Sync(SyncStatus {
            phase: SyncPhase::Running,
            owned: 4,
            leases: 4,
            delivered: 4_120,
            rate: 412.0,
            lag: Some(0),
            instances: vec!["syncscope-1".to_owned()],
            ..SyncStatus::default()
        }),
        Event::Traffic(TrafficStatus { target_rate: 50.0, written: 4_120, ..TrafficStatus::default() }),
        log(11_000, Level::Info, "rebuild", "rebuild done: 1,284 in 0.4 s, verified"),
        log(4_000, Level::Info, "seed", "inserted 50 documents"),
        log(2_000, Level::Warning, "lease", "lease 75–100 expired, owner was host-b"),
    ]);
    events
}

pub(super) fn plan() -> RebuildPlan {
    RebuildPlan {
        source: "shop/prices".into(),
        lease_container: "shop/leases".into(),
        prefix: String::new(),
        delete: (0..6)
            .map(|i| format!("127.0.0.1_shop_prices..{i}"))
            .chain(["127.0.0.1_shop_prices.info".into()])
            .collect(),
        leases: 6,
        foreign_owners: Vec::new(),
        documents: Some(1_284),
        other_leases: 3,
        other_prefixes: 2,
        estimate: Some(Duration::from_millis(700)),
        patterns: vec!["price:*".into()],
        cache_keys: Some(1_301),
        mapping_keys: Some(1_284),
        warnings: Vec::new(),
        cache: "127.0.0.1:6379 db 0".into(),
        refused: None,
        same_as: "syncscope rebuild --cosmos http://127.0.0.1:8081 --redis redis://127.0.0.1:6379".into(),
        ..RebuildPlan::default()
    }
}

/// The plan of a flush while somebody else owns leases.
pub(super) fn flush_plan() -> Event {
    Event::RebuildPlan(Box::new(RebuildPlan {
        order: RebuildOrder { mode: RebuildMode::Flush, ..RebuildOrder::default() },
        foreign_owners: vec![ForeignOwner {
            name: "func-host-3b1c".into(),
            leases: 2,
            heartbeat_age: 9,
            since: Some(before(130_000)),
        }],
        warnings: vec![
            "entries live 1 s, and a refill may take 4 s: the first may be gone before the last is written"
                .into(),
        ],
        ..plan()
    }))
}

/// The plan for the lease that is ticked.
pub(super) fn leases_plan(model: &Model) -> Event {
    let Some(Overlay::Rebuild(dialog)) = model.overlays.last() else { panic!("the dialog is open") };
    let order = dialog.order(start(), &jiff::tz::TimeZone::UTC).unwrap();
    Event::RebuildPlan(Box::new(RebuildPlan {
        delete: Vec::new(),
        reset: order.only.clone(),
        order,
        ..plan()
    }))
}

/// A rebuild that is through, with one wrong entry left.
pub(super) fn rebuilt() -> Event {
    let Event::Rebuild(mut status) = rebuild(RebuildPhase::Done, 1_284) else { unreachable!() };
    let summary = Summary { documents: 1_284, total: Some(1_284), in_step: 1_281, ..Summary::default() };
    status.proof =
        Some(Box::new(ProofStatus { kind: ProofKind::Markers, ranges: 4, arrived: 4, passed: 4, leases: 4 }));
    status.report = Some(RebuildReport { verified: summary, swept: 2, mended: 1, left: 1, markers: 4 });
    Event::Rebuild(status)
}

/// The plan of a deed on leases: one owned by somebody alive, one by somebody silent, one free.
pub(super) fn lease_plan(order: LeaseOrder) -> Event {
    let prefix = LeasePrefix::from_raw("acct_shop_prices");
    let leases = [(0, Some(("host-b", 9_000))), (1, Some(("host-a", 70_000))), (2, None)]
        .into_iter()
        .map(|(quarter, owner)| {
            let mut lease = Lease::new_epk(&prefix, &range(quarter), Some("\"20118\""));
            if let Some((owner, age)) = owner {
                lease.set_owner(Some(owner));
                lease.set_heartbeat(before(age));
            }
            lease
        })
        .collect();
    let found = LeasePlan {
        order,
        container: "shop/leases".into(),
        prefix: "acct_shop_prices".into(),
        others_elsewhere: (3, 1),
        ..LeasePlan::default()
    };
    let marker = Some(("acct_shop_prices.info".to_owned(), "e".to_owned()));
    let mut plan = found.with(leases, marker, start(), Duration::from_secs(60));
    for document in &mut plan.documents {
        document.since = document.owner.as_ref().map(|_| before(130_000));
    }
    Event::LeasePlan(Box::new(plan))
}

pub(super) fn rebuild(phase: RebuildPhase, done: u64) -> Event {
    Event::Rebuild(crate::engine::RebuildStatus {
        proof: None,
        report: None,
        phase,
        done,
        total: Some(1_284),
        rate: 3_210.0,
        left: Some(Duration::from_millis(1_400)),
        elapsed: Duration::from_millis(2_400),
    })
}

/// A verification that found three wrong entries.
pub(super) fn verified() -> Vec<Event> {
    let finding = |kind, id: &str, cause, evidence: &str, details: &[&str]| {
        Event::Finding(Box::new(Finding {
            kind,
            key: format!("price:{id}"),
            id: Some(id.to_owned()),
            partition_key: None,
            details: details.iter().map(|detail| (*detail).to_owned()).collect(),
            cause,
            evidence: evidence.to_owned(),
            lsn: Some(20_118),
            lease_lsn: Some(20_300),
        }))
    };
    vec![
        finding(
            FindingKind::Stale,
            "p-000120",
            Cause::OlderVersion,
            "the lease is at 20,300, past the document's 20,118; the entry is the version of 14:00:02",
            &["price.current: 12.00, in the cache 14.00"],
        ),
        finding(FindingKind::Missing, "p-000555", Cause::NeverWritten, "the lease has passed it", &[]),
        finding(FindingKind::Orphan, "p-000007", Cause::DocumentGone, "no such document in the source", &[]),
        Event::Verify(VerifyStatus {
            phase: VerifyPhase::Done,
            summary: Summary {
                documents: 1_284,
                total: Some(1_284),
                in_step: 1_282,
                missing: 1,
                stale: 1,
                orphans: 1,
                keys: 1_284,
                elapsed: Duration::from_millis(420),
                ..Summary::default()
            },
            ..VerifyStatus::default()
        }),
    ]
}

/// A demo with the guided tour at its first step.
pub(super) fn tour(model: &mut Model) -> Vec<Effect> {
    tell(model, running());
    model.options.demo = true;
    update(model, Msg::Tour { auto: false })
}

/// An answer to the newest question among the effects.
pub(super) fn document(effects: &[Effect], in_step: bool) -> Event {
    let (request, id) = effects
        .iter()
        .rev()
        .find_map(|effect| match effect {
            Effect::Send(Command::ShowDocument { request, id, .. }) => Some((*request, id.clone())),
            _ => None,
        })
        .expect("a document was asked for");
    let json = |price: &str| {
        format!(
            r#"{{"id":"{id}","name":"Rain coat","market":"GB","price":{{"current":{price},"rrp":20.00,"currency":"GBP"}},"tags":["outdoor","sale"],"_etag":"\"0000-44\"","_ts":1795442531}}"#
        )
    };
    let source = json("12.00");
    let cached = if in_step { source.clone() } else { json("14.00") };
    let version = |age, summary: &str, lsn| VersionSeen {
        seen_at: before(age),
        etag: format!("\"0000-{lsn}\""),
        lsn: Some(lsn),
        summary: summary.into(),
        range: range(1),
        json: Some(json(summary).into()),
        timing: Some(ProbeTiming { write: Some(0.9), feed: Some(2.1), lease: Some(0.4), cache: Some(1.1) }),
    };
    Event::Document(Box::new(DocumentDetail {
        request,
        counts: Versions { written: 4, delivered: 3, folded: 1 },
        key: Some(format!("price:{id}")),
        keys: vec![format!("price:{id}")],
        difference: (!in_step).then(|| Difference::Stale { fields: vec!["price.current".into()] }),
        diff: Arc::new(Diff::of(Some(source.as_bytes()), Some(cached.as_bytes()))),
        expected: Some(source.clone()),
        entry: Ok(Some(EntryDetail {
            kind: "string".into(),
            size: cached.len() as u64,
            raw: cached.clone().into(),
            value: cached,
            expires_at: None,
        })),
        source: Ok(Some(SourceDocument {
            json: source,
            etag: "\"0000-44\"".into(),
            ts: 1_795_442_531,
            lsn: Some(20_118),
        })),
        id: id.clone(),
        state: if in_step { EntryState::InStep } else { EntryState::Stale },
        versions: vec![
            version(623, "12.00", 20_118),
            version(31_990, "14.00", 20_007),
            version(129_449, "19.00", 19_870),
        ],
        timing: Some(ProbeTiming { write: Some(0.9), feed: Some(2.1), lease: Some(0.4), cache: Some(1.1) }),
    }))
}

/// Draws into a buffer of the model's size.
pub(super) fn draw(model: &Model) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, model.size.width, model.size.height));
    view::draw(model, &mut buf);
    buf
}

/// The characters of a frame, a line each.
pub(super) fn text(model: &Model) -> String {
    let buf = draw(model);
    let mut out = String::new();
    for y in 0..buf.area.height {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..buf.area.width {
            let symbol = buf[(x, y)].symbol();
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = crate::tui::widgets::text::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// A frame with its colours, for eyes.
pub(super) fn ansi(model: &Model) -> String {
    let buf = draw(model);
    let mut out = String::new();
    for y in 0..buf.area.height {
        for x in 0..buf.area.width {
            let cell = &buf[(x, y)];
            let mut codes = String::from("0");
            for (modifier, code) in
                [(Modifier::BOLD, 1), (Modifier::DIM, 2), (Modifier::UNDERLINED, 4), (Modifier::REVERSED, 7)]
            {
                if cell.modifier.contains(modifier) {
                    write!(codes, ";{code}").unwrap();
                }
            }
            for (colour, base) in [(cell.fg, 30), (cell.bg, 40)] {
                write!(codes, "{}", colour_code(colour, base)).unwrap();
            }
            write!(out, "\x1b[{codes}m{}", cell.symbol()).unwrap();
        }
        out.push_str("\x1b[0m\n");
    }
    out
}

fn colour_code(colour: Color, base: u8) -> String {
    let index = match colour {
        Color::Rgb(r, g, b) => return format!(";{};2;{r};{g};{b}", base + 8),
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::LightRed => 61,
        Color::LightGreen => 62,
        Color::LightYellow => 63,
        Color::LightCyan => 66,
        _ => return String::new(),
    };
    format!(";{}", base + index)
}

/// Inserts were written, some over documents that were there.
pub(super) fn inserting() -> Event {
    Event::Traffic(TrafficStatus {
        written: 5_432,
        undoable: Undoable { created: 1_250, replaced: 12, forgotten: 300 },
        ..TrafficStatus::default()
    })
}

/// A scenario under way.
pub(super) fn scenario_under_way() -> Event {
    let job = JobStatus {
        number: 1,
        label: "scenario sale-starts".to_owned(),
        done: 212,
        failed: 0,
        total: Some(400),
        share: None,
        since: before(3_000),
        stopped: false,
        problem: None,
    };
    Event::Traffic(TrafficStatus { jobs: vec![job], ..TrafficStatus::default() })
}
