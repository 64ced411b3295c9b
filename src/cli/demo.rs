//! `syncscope demo`: emulator, cache, sample prices, sync, traffic, and the screen on it all. The
//! screen comes first; the rest starts while it is already drawn.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::config::{CosmosConnection, RedisConnection, Settings, StartPosition, SyncSettings};
use crate::engine::{
    Create, Engine, EngineOptions, Event, Face, Insert, Inside, Level, LogLine, Watch, channels,
};
use crate::seed::Template;
use crate::tui::{self, ScreenOptions};

use super::CliError;
use super::args::{DemoArgs, Pace, ProcessorArgs};
use super::emulator::Pair;
use super::kept_layout;
use super::look::Look;
use super::screen::screen_options;

/// Sample traffic, in writes per second, where the command line says nothing.
const RATE: f64 = 10.0;
/// The same on a tour: slow enough to read.
const TOUR_RATE: f64 = 2.0;

/// Runs until the user quits; then everything it started is gone.
pub(super) async fn run(settings: Settings, args: &DemoArgs, look: Look) -> Result<ExitCode, CliError> {
    let template = Template::named(args.template.into());
    let rate = args.rate.unwrap_or(if args.tour.is_some() { TOUR_RATE } else { RATE });
    let mut options = EngineOptions {
        watch: Watch::all(),
        sync: true,
        create: Create { source: true, leases: true },
        insert: (args.count > 0).then_some(Insert::Generated { count: args.count }),
        traffic: (!args.no_traffic).then_some(rate),
        template,
        first_id_is_one: true,
        ..EngineOptions::new(settings)
    };
    // The emulator tells of writes; whoever names an interval wants to see what polling does.
    options.prompt = args.processor.poll_interval.is_none();
    let settings = &mut options.settings;
    settings.sync.start = StartPosition::Beginning;
    settings.view.feed_from = StartPosition::Beginning;
    quicken(&mut settings.sync, &args.processor);
    if settings.view.fields.is_empty() {
        settings.view.fields = options.template.display().to_vec();
    }
    let screen = ScreenOptions {
        tour: args.tour.map(|pace| pace == Pace::Auto),
        template: args.template.into(),
        ..screen_options(&options.settings, true, look)
    };
    let (Face { commands, events }, inside) = channels();
    let leases = format!("{}/{}", options.settings.database, options.settings.lease_container);
    let servers = async {
        let pair = Pair::start(&args.embedded, leases).await?;
        welcome(&inside, &pair).await;
        options.settings.cosmos =
            CosmosConnection::parse(&pair.cosmos.connection_string()).map_err(CliError::Refused)?;
        options.settings.redis = RedisConnection::parse(&pair.cache.url()).map_err(CliError::Refused)?;
        inside.tell(Event::SameAs(options.settings.as_flags().trim_start().to_owned())).await;
        let Pair { cosmos, cache } = pair;
        let cosmos = Arc::new(cosmos);
        options.emulator = Some(Arc::clone(&cosmos));
        let engine = Engine::start(options, inside)?;
        Ok::<_, CliError>((cosmos, cache, engine))
    };
    let before = screen.arrangement.clone();
    let shown = tui::run(commands, events, screen);
    tokio::pin!(servers, shown);
    // The screen is drawn first; it may also be left before the servers are up.
    let mut running = None;
    let result = loop {
        tokio::select! {
            biased;
            result = &mut shown => break result.map_err(CliError::from),
            started = &mut servers, if running.is_none() => match started {
                Ok(started) => running = Some(started),
                Err(error) => break Err(error),
            },
        }
    };
    if let Some((cosmos, cache, engine)) = running {
        engine.end().await;
        match Arc::into_inner(cosmos) {
            Some(cosmos) => Pair { cosmos, cache }.stop().await,
            // Somebody still holds it: dropping ends it too.
            None => cache.stop().await,
        }
    }
    kept_layout::keep(&before, &result?);
    Ok(ExitCode::SUCCESS)
}

async fn welcome(inside: &Inside, pair: &Pair) {
    let lines = [
        format!("Cosmos emulator: {}", pair.cosmos.connection_string()),
        format!("cache ({}): {}", pair.cache.product(), pair.cache.url()),
    ];
    for text in lines {
        inside
            .tell(Event::Log(LogLine { at: Timestamp::now(), level: Level::Info, room: "demo", text }))
            .await;
    }
}

/// Where the command line says nothing: let a killed instance's leases move while somebody is watching.
fn quicken(sync: &mut SyncSettings, said: &ProcessorArgs) {
    if said.acquire_interval.is_none() && said.renew_interval.is_none() && said.expiration_interval.is_none()
    {
        sync.acquire_interval = Duration::from_secs(2);
        sync.renew_interval = Duration::from_secs(3);
        sync.expiration_interval = Duration::from_secs(10);
    }
}
