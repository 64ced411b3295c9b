//! Mappings as settings make them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::config::MappingSettings;

const DOCUMENT: &str = r#"{"id":"p-1","market":"UK","price":{"current":39.90},"tags":["a","b"],"_rid":"r","_etag":"\"e\"","_ts":100,"_lsn":7}"#;

fn settings(key: &str, mapping: MappingSettings) -> Settings {
    Settings { key: key.to_owned(), mapping, ..Settings::default() }
}

fn entries(key: &str, mapping: MappingSettings, document: &str) -> Result<Vec<MappedEntry>, String> {
    Mapping::from_settings(&settings(key, mapping))
        .unwrap()
        .entries(&Bytes::from(document.to_owned()))
        .map_err(|error| error.to_string())
}

/// Key and value of each entry; no value = deleted.
fn pairs(key: &str, mapping: MappingSettings, document: &str) -> Vec<(String, Option<String>)> {
    let text = |value: MappedValue| String::from_utf8_lossy(&value.as_read()).into_owned();
    let entries = entries(key, mapping, document).unwrap();
    entries.into_iter().map(|entry| (entry.key, entry.value.map(text))).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "what `pairs` gives for a value")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn the_plain_value_is_the_document_itself() {
    let document = Bytes::from(DOCUMENT);
    let entries = Mapping::new("price:{id}").unwrap().entries(&document).unwrap();
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    let value = entry.value.as_ref().unwrap();
    assert_eq!((entry.key.as_str(), value.json.as_ptr()), ("price:p-1", document.as_ptr()));
    assert_eq!(entry.version, None);
}

#[test]
fn stripped_leaves_the_rest_as_it_is_spelled() {
    let mapping = MappingSettings { value: ValueShape::Stripped, ..Default::default() };
    let wanted = r#"{"id":"p-1","market":"UK","price":{"current":39.90},"tags":["a","b"]}"#;
    assert_eq!(pairs("{id}", mapping, DOCUMENT), [("p-1".to_owned(), some(wanted))]);
}

#[test]
fn jq_gives_none_one_or_several_entries() {
    let jq = |expression: &str| MappingSettings { jq: Some(expression.to_owned()), ..Default::default() };
    assert_eq!(
        pairs("{id}", jq("{p: .price.current}"), DOCUMENT),
        [("p-1".to_owned(), some(r#"{"p":39.90}"#))]
    );
    assert_eq!(pairs("{id}", jq("select(.market == \"FR\")"), DOCUMENT), []);
    let many = pairs("{id}:{.tag}", jq(".tags[] | {tag: .}"), DOCUMENT);
    assert_eq!(
        many,
        [("p-1:a".to_owned(), some(r#"{"tag":"a"}"#)), ("p-1:b".to_owned(), some(r#"{"tag":"b"}"#))]
    );
    // Under one key the last one stays, as in the server.
    assert_eq!(pairs("{id}", jq("1, 2"), DOCUMENT), [("p-1".to_owned(), some("2"))]);
    assert!(entries("{id}", jq(".market.x"), DOCUMENT).unwrap_err().contains("cannot index"));
    assert!(entries("{.x}", jq("7"), DOCUMENT).unwrap_err().contains("\".x\""));
}

#[test]
fn more_keys_and_an_instance_name() {
    let mapping = MappingSettings {
        more_keys: vec!["{market}:{id}".to_owned()],
        cache_instance: "shop{}:".to_owned(),
        ..Default::default()
    };
    let keys: Vec<String> = pairs("{id}", mapping, DOCUMENT).into_iter().map(|pair| pair.0).collect();
    assert_eq!(keys, ["shop{}:p-1", "shop{}:UK:p-1"]);
}

#[test]
fn deleted_documents_delete_their_entries() {
    let field = MappingSettings { delete_field: Some("meta.gone".to_owned()), ..Default::default() };
    for (gone, deleted) in [
        ("true", true),
        ("1", true),
        ("\"2026-01-01\"", true),
        ("{}", true),
        ("false", false),
        ("null", false),
        ("0", false),
        ("0.0", false),
        ("\"\"", false),
    ] {
        let document = format!(r#"{{"id":"p","meta":{{"gone":{gone}}}}}"#);
        let found = pairs("{id}", field.clone(), &document);
        assert_eq!(found[0].1.is_none(), deleted, "{gone}");
    }
    let jq = MappingSettings {
        delete_jq: Some(".market == \"UK\"".to_owned()),
        jq: Some("error(\"never run\")".to_owned()),
        ..Default::default()
    };
    assert_eq!(pairs("{id}", jq, DOCUMENT), [("p-1".to_owned(), None)]);
    let expired = MappingSettings { ttl_field: Some("ttl".to_owned()), ..Default::default() };
    assert_eq!(pairs("{id}", expired, r#"{"id":"p","ttl":5,"_ts":100}"#), [("p".to_owned(), None)]);
}

#[test]
fn guarded_entries_carry_the_version() {
    let mapping = MappingSettings { encoding: ValueEncoding::Fields, ..Default::default() };
    let found = entries("{id}", mapping.clone(), DOCUMENT).unwrap();
    assert_eq!(found[0].version, Some(Version { ts: 100, lsn: Some(7) }));
    assert_eq!(entries("{id}", mapping, r#"{"id":"p"}"#).unwrap()[0].version, None);
}

#[test]
fn faults_name_their_setting_and_their_place() {
    let fault = |key: &str, mapping| Mapping::from_settings(&settings(key, mapping)).unwrap_err();
    let plain = MappingSettings::default;
    assert!(fault("a{", plain()).to_string().starts_with("key: "));
    assert_eq!(fault("a{", plain()).setting, Key::KeyTemplate);
    let jq = MappingSettings { jq: Some("{id}\n | foo".to_owned()), ..plain() };
    assert_eq!(fault("{id}", jq).to_string(), "mapping.jq: line 2, column 4: there is no filter foo");
    let path = MappingSettings { ttl_field: Some("a..b".to_owned()), ..plain() };
    assert!(fault("{id}", path).to_string().starts_with("mapping.ttl-field: \"a..b\" is no path"));
    let more = MappingSettings { more_keys: vec!["x".to_owned()], ..plain() };
    assert_eq!(fault("{id}", more).setting, Key::MoreKeys);
}

#[test]
fn keys_alone_are_those_of_the_entries() {
    let document = Bytes::from(DOCUMENT);
    for (key, jq) in [("{id}", None), ("{id}:{.}", Some(".tags[]")), ("{.market}", None)] {
        let mapping = MappingSettings { jq: jq.map(str::to_owned), ..Default::default() };
        let mapping = Mapping::from_settings(&settings(key, mapping)).unwrap();
        let all: Vec<String> =
            mapping.entries(&document).unwrap().into_iter().map(|entry| entry.key).collect();
        assert_eq!(mapping.keys(&document).unwrap(), all, "{key}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("(id|ttl|[a-z_\\PC]{0,6})", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_document_makes_entries_or_an_error(
        document in any_json(),
        encoding in prop_oneof![
            Just(ValueEncoding::String),
            Just(ValueEncoding::Fields),
            Just(ValueEncoding::DistributedCache),
            Just(ValueEncoding::Json)
        ],
        jq in prop_oneof![Just(None), Just(Some(".. | scalars")), Just(Some("{id, ttl}")), Just(Some(".id"))],
        value in prop_oneof![Just(ValueShape::Document), Just(ValueShape::Stripped)],
    ) {
        let mapping = MappingSettings {
            value,
            encoding,
            jq: jq.map(str::to_owned),
            ttl_field: Some("ttl".to_owned()),
            delete_field: Some("gone".to_owned()),
            ..Default::default()
        };
        let mapping = Mapping::from_settings(&settings("k:{id}", mapping)).unwrap();
        let mut found = Vec::new();
        let made = mapping.add_entries(&Bytes::from(document.to_string()), Timestamp::now(), &mut found);
        prop_assert!(made.is_ok() || found.is_empty());
        for entry in found {
            let _ = entry.into_write(Timestamp::now());
        }
    }

    #[test]
    fn bytes_that_are_no_document_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let mapping = MappingSettings { value: ValueShape::Stripped, ..Default::default() };
        let mapping = Mapping::from_settings(&settings("{id}", mapping)).unwrap();
        let _ = mapping.entries(&Bytes::from(bytes));
    }

    #[test]
    fn stripping_keeps_everything_else(document in any_json()) {
        let Value::Object(mut members) = document else { return Ok(()) };
        members.insert("id".to_owned(), json!("x"));
        let mut wanted = members.clone();
        members.insert("_etag".to_owned(), json!("\"e\""));
        wanted.retain(|name, _| !SYSTEM_PROPERTIES.contains(&name.as_str()));
        let found = stripped(Value::Object(members).to_string().as_bytes()).unwrap();
        prop_assert_eq!(serde_json::from_slice::<Value>(&found).unwrap(), Value::Object(wanted));
    }
}
