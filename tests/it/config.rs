//! Merged settings, where values come from, masked secrets.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use clap::Parser as _;
use syncscope::cli::args::Cli;
use syncscope::cli::config::show;
use syncscope::config::{ConfigError, Key, Loaded, Origin, Settings, StartPosition, Surroundings, load_in};

const DEFAULT_FILE: &str = include_str!("../../assets/config.toml");

/// A machine of its own: a configuration directory and an environment that no other test sees.
struct Machine {
    directory: tempfile::TempDir,
    environment: HashMap<String, OsString>,
}

impl Machine {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), environment: HashMap::new() }
    }

    fn with_file(self, text: &str) -> Self {
        std::fs::write(self.directory.path().join("config.toml"), text).unwrap();
        self
    }

    fn with_variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    fn run(&self, arguments: &[&str]) -> Result<Loaded, ConfigError> {
        let cli = Cli::try_parse_from([&["syncscope"], arguments].concat()).unwrap();
        let variable = |name: &str| self.environment.get(name).cloned();
        let directory = Some(self.directory.path().to_owned());
        load_in(&cli.overrides(), &Surroundings { variable: &variable, directory })
    }

    fn refusal(&self, arguments: &[&str]) -> String {
        let text = self.run(arguments).unwrap_err().to_string();
        assert!(!text.contains('\n'), "one line: {text}");
        text
    }
}

/// The default file with every setting in force: `#key = …` is a setting, `# text` a comment.
fn uncommented() -> String {
    let lines = DEFAULT_FILE.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_default_file_says_exactly_the_defaults() {
    for text in [DEFAULT_FILE.to_owned(), uncommented()] {
        let loaded = Machine::new().with_file(&text).run(&[]).unwrap();
        assert_eq!(loaded.settings, Settings::default());
        assert!(loaded.file_found);
    }
    let loaded = Machine::new().with_file(&uncommented()).run(&[]).unwrap();
    let unset = [
        Key::MaxItems,
        Key::InstanceName,
        Key::SloMs,
        Key::Theme,
        Key::Layout,
        Key::Keymap,
        Key::Jq,
        Key::TtlField,
        Key::DeleteField,
        Key::DeleteJq,
    ];
    for key in Key::ALL {
        let name = key.path().rsplit('.').next().unwrap();
        assert!(DEFAULT_FILE.contains(&format!("{name} = ")), "{name} is not in the default file");
        let from_file = matches!(loaded.origin(key), Origin::File { line: Some(_), .. });
        assert_eq!(from_file, !unset.contains(&key), "{name}");
    }
}

#[test]
fn later_layers_win_and_each_value_knows_its_own() {
    let file = "database = 'file'\ncontainer = 'file'\nlease-container = 'file'\nkey = 'file:{id}'\n\
                [profile.live]\ncontainer = 'profile'\nlease-container = 'profile'\nkey = 'profile:{id}'\n";
    let machine = Machine::new()
        .with_file(file)
        .with_variable("SYNCSCOPE_LEASE_CONTAINER", "environment")
        .with_variable("SYNCSCOPE_KEY", "environment:{id}");
    let loaded = machine.run(&["--key", "flag:{id}", "--profile", "live"]).unwrap();
    let settings = &loaded.settings;
    let values = [&settings.database, &settings.container, &settings.lease_container, &settings.key];
    assert_eq!(values, ["file", "profile", "environment", "flag:{id}"]);
    let path = machine.directory.path().join("config.toml");
    let told = |key| loaded.origin(key).to_string();
    assert_eq!(told(Key::Database), format!("{}:1", path.display()));
    assert_eq!(told(Key::Container), format!("{}:6 (profile live)", path.display()));
    assert_eq!(told(Key::LeaseContainer), "SYNCSCOPE_LEASE_CONTAINER");
    assert_eq!(told(Key::KeyTemplate), "--key");
    assert_eq!(told(Key::Redis), "default");
    assert_eq!(machine.run(&[]).unwrap().settings.container, "file");
}

#[test]
fn sections_are_merged_key_by_key() {
    let machine = Machine::new()
        .with_file("[sync]\npoll-interval = '1s'\ninstances = 2\n[profile.p.sync]\ninstances = 3")
        .with_variable("SYNCSCOPE_MAX_ITEMS", "100");
    let sync = machine
        .run(&["--profile", "p", "sync", "--start", "beginning", "--until-idle"])
        .unwrap()
        .settings
        .sync;
    assert_eq!((sync.poll_interval, sync.instances), (Duration::from_secs(1), 3));
    assert_eq!((sync.max_items, sync.start), (Some(100), StartPosition::Beginning));
    assert!(sync.until_idle);
}

#[test]
fn sync_options_before_and_after_the_subcommand() {
    let machine = Machine::new();
    assert_eq!(machine.run(&["--sync", "--instances", "2"]).unwrap().settings.sync.instances, 2);
    assert_eq!(machine.run(&["demo", "--instances", "3"]).unwrap().settings.sync.instances, 3);
    let feed = machine.run(&["watch", "feed", "--from", "beginning"]).unwrap();
    assert_eq!(feed.settings.view.feed_from, StartPosition::Beginning);
    assert_eq!(feed.origin(Key::FeedFrom), Origin::Flag("--from".to_owned()));
}

#[test]
fn empty_variables_are_not_given_but_an_empty_prefix_is() {
    let machine = Machine::new()
        .with_file("lease-prefix = 'file'\ndatabase = 'file'")
        .with_variable("SYNCSCOPE_LEASE_PREFIX", "")
        .with_variable("SYNCSCOPE_DATABASE", "");
    let settings = machine.run(&[]).unwrap().settings;
    assert_eq!((settings.lease_prefix.as_str(), settings.database.as_str()), ("", "file"));
    assert_eq!(machine.run(&["--lease-prefix", ""]).unwrap().settings.lease_prefix, "");
}

#[test]
fn the_environment_may_name_file_and_profile() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other.toml");
    std::fs::write(&path, "[profile.a]\ndatabase = 'a'").unwrap();
    let machine =
        Machine::new().with_variable("SYNCSCOPE_CONFIG", &path).with_variable("SYNCSCOPE_PROFILE", "a");
    let loaded = machine.run(&[]).unwrap();
    assert_eq!(loaded.settings.database, "a");
    assert_eq!(loaded.file.as_deref(), Some(path.as_path()));
}

#[test]
fn errors_say_where_and_never_what() {
    let machine = Machine::new();
    assert!(machine.refusal(&["--config", "/nowhere/c.toml"]).contains("/nowhere/c.toml"));
    let told = machine.refusal(&["--cosmos", "https://s3cret.documents.azure.com"]);
    assert!(told.starts_with("--cosmos has no account key") && !told.contains("s3cret"), "{told}");
    let told = machine.refusal(&["--profile", "live"]);
    assert!(told.contains("no profile \"live\"") && told.contains("there is no file"), "{told}");

    let machine = Machine::new().with_variable("SYNCSCOPE_REDIS", "h,password=a,s3cret");
    let told = machine.refusal(&[]);
    assert!(
        told.starts_with("SYNCSCOPE_REDIS names more than one server") && !told.contains("s3cret"),
        "{told}"
    );
    let machine = Machine::new().with_variable("SYNCSCOPE_INSTANCES", "many");
    assert_eq!(machine.refusal(&[]), "SYNCSCOPE_INSTANCES must be a whole number");
    let machine = Machine::new().with_variable("SYNCSCOPE_INSTANCES", "1000");
    assert_eq!(machine.refusal(&[]), "SYNCSCOPE_INSTANCES must be a whole number from 1 to 256");

    let machine = Machine::new().with_file("database = 'shop'\n  contaner = 'prices'\n");
    assert!(machine.refusal(&[]).contains("config.toml:2:3: unknown field `contaner`"));
    let machine = Machine::new().with_file("[sync]\nexpiration-interval = '10s'");
    let told = machine.refusal(&[]);
    assert!(told.contains("sync.renew-interval (default) must be shorter"), "{told}");
    assert!(told.contains("config.toml:2)"), "{told}");
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf8_is_named() {
    use std::os::unix::ffi::OsStringExt as _;
    let machine = Machine::new().with_variable("SYNCSCOPE_DATABASE", OsString::from_vec(vec![0xff]));
    assert_eq!(machine.refusal(&[]), "SYNCSCOPE_DATABASE is not UTF-8");
}

#[test]
fn show_masks_secrets_and_names_origins() {
    let machine = Machine::new()
        .with_file("redis = 'redis://me:s3cret@cache.example.com/2'\ndatabase = 'shop'")
        .with_variable(
            "SYNCSCOPE_COSMOS",
            "AccountEndpoint=https://x.documents.azure.com;AccountKey=s3cret;",
        );
    let loaded = machine.run(&["--key", "price:{id}", "config", "show"]).unwrap();
    for json in [false, true] {
        let mut out = Vec::new();
        show(&loaded, json, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains("s3cret"), "{text}");
        for part in
            ["redis://me:***@cache.example.com:6379/2", "price:{id}", "--key", "SYNCSCOPE_COSMOS", "default"]
        {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(text.contains("config.toml:1"), "{text}");
        if json {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["settings"]["key"]["at"], "--key");
            assert_eq!(value["settings"]["sync.max-items"]["value"], serde_json::Value::Null);
            assert_eq!(value["settings"]["sync.instances"]["value"], 1);
            assert_eq!(value["settings"]["allow-remote"]["value"], serde_json::json!([]));
            assert_eq!(text.lines().count(), 1);
        }
    }
}

#[test]
fn writes_go_to_this_machine_unless_a_host_is_named() {
    let machine = Machine::new();
    let settings = machine.run(&[]).unwrap().settings;
    settings.may_write_to("localhost").unwrap();
    settings.may_write_to("[::1]").unwrap();
    let told = settings.may_write_to("Shop.Documents.Azure.com").unwrap_err().to_string();
    assert!(told.contains("--allow-remote shop.documents.azure.com"), "{told}");

    let named =
        ["--allow-remote", "https://shop.documents.azure.com:443/", "--allow-remote", "cache.example.com"];
    let settings = machine.run(&named).unwrap().settings;
    settings.may_write_to("SHOP.documents.azure.com").unwrap();
    settings.may_write_to("cache.example.com").unwrap();
    settings.may_write_to("evil.example.com").unwrap_err();
    assert!(machine.refusal(&["--allow-remote", "*"]).starts_with("--allow-remote must name one host"));
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let machine = Machine::new();
    std::fs::create_dir(machine.directory.path().join("config.toml")).unwrap();
    assert!(machine.refusal(&[]).contains("cannot read the configuration file"));
    assert!(Path::new(machine.directory.path()).exists());
}

/// An Azure Functions project as the tools make it.
fn functions_project(machine: &Machine, files: &[(&str, &str)]) -> String {
    let root = machine.directory.path().join("app");
    for (name, text) in files {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root.to_str().unwrap().to_owned()
}

const LOCAL_SETTINGS: &str = r#"{
  "IsEncrypted": false,
  "Values": {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "PriceDb": "AccountEndpoint=https://shop.documents.azure.com:443/;AccountKey=s3cret==;",
    "PriceContainer": "prices-v2", // by stage
    "RedisConnection": "cache.redis.cache.windows.net:6380,password=s3cret,ssl=True,abortConnect=False",
    "RedisInstanceName": "prices",
  "FUNCTIONS_WORKER_RUNTIME": "dotnet-isolated" }
}"#;

const PRICE_SYNC: &str = r#"
namespace Shop;
public class PriceSync
{
    private const string Database = "shopdb";
    // [CosmosDBTrigger("old", "old")]
    [Function(nameof(PriceSync))]
    public async Task Run([CosmosDBTrigger(Database, "%PriceContainer%", Connection = "PriceDb",
        LeaseContainerName = "price-leases", LeaseContainerPrefix = "v2-", CreateLeaseContainerIfNotExists = true,
        StartFromBeginning = true, MaxItemsPerInvocation = 250, FeedPollDelay = 1_000)] IReadOnlyList<PriceDto> prices)
    {
    }
}"#;

#[test]
fn a_functions_project_gives_its_settings() {
    let machine = Machine::new().with_file("database = 'file'\nkey = 'file:{id}'");
    let project = functions_project(
        &machine,
        &[
            ("host.json", r#"{ "version": "2.0" }"#),
            ("local.settings.json", LOCAL_SETTINGS),
            ("src/PriceSync.cs", PRICE_SYNC),
            ("bin/Debug/PriceSync.cs", PRICE_SYNC),
        ],
    );
    let loaded = machine.run(&["--project", &project, "--container", "flag"]).unwrap();
    let settings = &loaded.settings;
    assert_eq!(settings.cosmos.address(), "shop.documents.azure.com:443");
    assert_eq!(
        (settings.redis.address().as_str(), settings.redis.tls),
        ("cache.redis.cache.windows.net:6380", true)
    );
    let names = [&settings.database, &settings.container, &settings.lease_container, &settings.lease_prefix];
    assert_eq!(names, ["shopdb", "flag", "price-leases", "v2-"]);
    assert_eq!((settings.sync.start, settings.sync.max_items), (StartPosition::Beginning, Some(250)));
    assert_eq!(settings.sync.poll_interval, Duration::from_secs(1));
    assert_eq!(settings.key, "file:{id}");
    assert_eq!(loaded.origin(Key::Database).to_string(), "project src/PriceSync.cs:8");
    assert_eq!(loaded.origin(Key::Redis).to_string(), "project local.settings.json");
    assert!(loaded.notes.is_empty(), "{:?}", loaded.notes);
    settings.may_write_to("shop.documents.azure.com").unwrap_err();
}

#[test]
fn what_is_discovered_is_a_piece_of_configuration_without_secrets() {
    let machine = Machine::new();
    let project = functions_project(
        &machine,
        &[("host.json", "{}"), ("local.settings.json", LOCAL_SETTINGS), ("PriceSync.cs", PRICE_SYNC)],
    );
    let printed = |json| {
        let mut out = Vec::new();
        syncscope::cli::discover::run(Path::new(&project), json, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    for json in [false, true] {
        let text = printed(json);
        assert!(!text.contains("s3cret") && text.contains("shop.documents.azure.com"), "{text}");
    }
    let machine = machine.with_file(&printed(false));
    let settings = machine.run(&["--profile", "pricesync"]).unwrap().settings;
    assert_eq!((settings.container.as_str(), settings.sync.max_items), ("prices-v2", Some(250)));
    let value: serde_json::Value = serde_json::from_str(&printed(true)).unwrap();
    assert_eq!(value["triggers"][0]["settings"]["lease-prefix"], "v2-");
}

#[test]
fn what_a_project_leaves_open_is_told() {
    let machine = Machine::new();
    let project = functions_project(
        &machine,
        &[
            ("host.json", r#"{"extensions":{"cosmosDB":{"leaseOptions":{"leasePrefix":"from-host"}}}}"#),
            ("local.settings.json", r#"{"Values":{"Id__accountEndpoint":"https://x.documents.azure.com"}}"#),
            (
                "Fill/function.json",
                r#"{"bindings":[{"type":"cosmosDBTrigger","connectionStringSetting":"Id","databaseName":"%Db%",
                    "collectionName":"prices","leaseDatabaseName":"other"},{"type":"http"}]}"#,
            ),
        ],
    );
    let loaded = machine.run(&["--project", &project]).unwrap();
    assert_eq!(
        (loaded.settings.container.as_str(), loaded.settings.lease_prefix.as_str()),
        ("prices", "from-host")
    );
    for part in [
        "Id__accountEndpoint signs in by identity",
        "no setting Db",
        "leaseDatabaseName other",
        "no setting names a Redis",
    ] {
        assert!(loaded.notes.iter().any(|note| note.contains(part)), "{part}: {:?}", loaded.notes);
    }
    assert_eq!(loaded.origin(Key::Cosmos), Origin::Default);
}

#[test]
fn a_project_with_several_triggers_asks_which() {
    let machine = Machine::new();
    let other = PRICE_SYNC.replace("PriceSync", "StockSync").replace("\"v2-\"", "\"stock-\"");
    let project = functions_project(
        &machine,
        &[
            ("host.json", "{}"),
            ("local.settings.json", LOCAL_SETTINGS),
            ("A.cs", PRICE_SYNC),
            ("B.cs", &other),
        ],
    );
    let told = machine.refusal(&["--project", &project]);
    assert!(told.contains("PriceSync, StockSync; choose one with --function"), "{told}");
    let loaded = machine.run(&["--project", &project, "--function", "stocksync"]).unwrap();
    assert_eq!(loaded.settings.lease_prefix, "stock-");
    assert!(machine.refusal(&["--project", "/nowhere"]).contains("/nowhere"));
    let empty = functions_project(&Machine::new(), &[]);
    assert!(machine.refusal(&["--project", &empty]).contains("cannot read"));
}
