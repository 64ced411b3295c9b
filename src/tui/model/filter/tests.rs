//! The language, row by row.

use super::*;
use crate::{
    engine::{EntryState, Level, LogLine},
    tui::{model::Pane, tests::fixture},
};

fn filter(pane: Pane, text: &str) -> Filter {
    parsed(pane, text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
}

fn parsed(pane: Pane, text: &str) -> Result<Filter, FilterFault> {
    Filter::parse(text, pane, fixture::start(), &TimeZone::UTC)
}

fn feed(text: &str) -> bool {
    // p-000812, 39.90 EUR, Kettle, not on sale, lsn 20004 …
    filter(Pane::Feed, text).passes(&fixture::change(4, "p-000812", 39.9, None, 1, 0))
}

#[test]
fn words_are_letters_in_order_in_ids_and_texts_in_other_fields() {
    for text in
        ["", "  ", "p812", "P-000812", "p812 kettle", "KETT", "eur 812", "!tent", "^p-", "812$", "'0008"]
    {
        assert!(feed(text), "{text}");
    }
    for text in ["p821", "ktl", "p812 tent", "!kettle", "!812", "^812", "812 !eur"] {
        assert!(!feed(text), "{text}");
    }
}

#[test]
fn quotes_take_a_text_as_it_is() {
    assert!(feed("\"p-000812\"") && feed("\"0812") && feed("\"=\" \"\"") == feed("\"=\""));
    assert!(!feed("\"p812\"") && !feed("\".price\""));
}

#[test]
fn numbers_are_compared_as_numbers_wherever_they_are() {
    for text in [
        "price.current=39.90",
        "current=39.9",
        "current>9",
        "current < 100",
        "current>=39.9 current<=39.9",
        "current!=40",
        "lsn=20,004",
        "lsn>=20004",
        "currency=eur",
        "currency!=gbp",
        "currency=\"eur\"",
        "price.sale=true",
        "id=812",
        "id=\"p-000812\"",
        "key=price:p",
        "time>14:0",
        "time<2027-01-01",
        "name>kelvin",
        "nothing!=3",
    ] {
        assert!(feed(text), "{text}");
    }
    for text in [
        "current=9",
        "current>100",
        "lsn<20004",
        "currency=\"eu\"",
        "id=\"812\"",
        "time<14:00",
        "currency>5",
        "nothing=3",
        "rrent>1",
    ] {
        assert!(!feed(text), "{text}");
    }
}

#[test]
fn a_dot_begins_a_jq_predicate_of_the_document() {
    for text in [".price.current > 39", " .name == \"Kettle\"", ".price | has(\"sale\")", ". | .price.sale"] {
        assert!(feed(text), "{text}");
    }
    for text in [".price.current > 40", ".nothing", ".price.sale | not"] {
        assert!(!feed(text), "{text}");
    }
    let fault = parsed(Pane::Cache, ".a").unwrap_err();
    assert!(fault.what.contains("only the feed"), "{fault:?}");
}

#[test]
fn what_cannot_be_told_is_neither_yes_nor_no() {
    let mut row = fixture::change(4, "p", 39.9, None, 1, 0);
    let fails = filter(Pane::Feed, ".id.deeper").judge(&row);
    assert_eq!(fails.verdict, Verdict::Unknown);
    assert!(fails.why.is_some_and(|why| why.contains("cannot index")));
    row.json = None;
    for (text, verdict) in [
        (".price", Verdict::Unknown),
        ("shelf=3", Verdict::Unknown),
        ("shelf!=3", Verdict::Unknown),
        ("shelf=3 id=zz", Verdict::Fails),
        ("shelf=3 zz", Verdict::Fails),
        // What the row shows is known.
        ("current>39", Verdict::Passes),
        ("currency=gbp", Verdict::Fails),
    ] {
        assert_eq!(filter(Pane::Feed, text).judge(&row).verdict, verdict, "{text}");
    }
}

#[test]
fn each_pane_has_fields_of_its_own() {
    // Owned by host-b, 9 s old, 14 behind.
    let lease = &fixture::leases().rows[2];
    let entry = fixture::entry("p-1", EntryState::Stale, 90_000);
    let line = LogLine {
        at: fixture::start(),
        level: Level::Warning,
        room: "lease",
        text: "lease 3 expired".to_owned(),
    };
    for (pane, text, passes) in [
        (Pane::Leases, "owner=host", true),
        (Pane::Leases, "age>8s lag>=14", true),
        (Pane::Leases, "age>1m", false),
        (Pane::Leases, "hb lag<100", true),
        (Pane::Cache, "state=stale type=string", true),
        (Pane::Cache, "size>200b", true),
        (Pane::Cache, "size>1kb", false),
        (Pane::Cache, "ttl>1h ttl<2h", true),
        (Pane::Cache, "ttl=never", false),
        (Pane::Cache, "age>=1.5m", true),
        (Pane::Cache, "id=p-1 key=price:", true),
        (Pane::Log, "level>=warning", true),
        (Pane::Log, "level=info", false),
        (Pane::Log, "level!=e room=lease text=expired", true),
    ] {
        let filter = filter(pane, text);
        let passed = match pane {
            Pane::Leases => filter.passes(lease),
            Pane::Cache => filter.passes(&entry),
            _ => filter.passes(&line),
        };
        assert_eq!(passed, passes, "{pane:?} {text}");
    }
    assert!(filter(Pane::Leases, "age>1m").ages() && !filter(Pane::Feed, "age>1m").ages());
    assert!(filter(Pane::Feed, "size>1").reads_documents() && !filter(Pane::Feed, "lsn>1").reads_documents());
}

#[test]
fn what_is_wrong_is_told_with_its_column() {
    for (pane, text, column, what) in [
        (Pane::Feed, "lsn>abc", 5, "no number"),
        (Pane::Feed, "gbp price>", 10, "a value after >"),
        (Pane::Feed, " = 3", 2, "a field before ="),
        (Pane::Leases, "me price=3", 4, "no price here: owner, token"),
        (Pane::Cache, "ttl<ten", 5, "no time"),
        (Pane::Cache, "size>2qb", 6, "no size"),
        (Pane::Log, "level=loud", 7, "no level"),
        (Pane::Feed, "  .price >", 10, "jq: "),
        (Pane::Feed, ".price | foo", 10, "there is no"),
    ] {
        let fault = parsed(pane, text).unwrap_err();
        assert_eq!(fault.column, column, "{text}: {fault:?}");
        assert!(fault.what.contains(what), "{text}: {fault:?}");
    }
}

#[test]
fn marks_are_where_the_match_is() {
    let found = |text: &str, shown: &str, place| filter(Pane::Feed, text).found_in(shown, place);
    assert_eq!(found("p12", "p-0012", Place::Name("id")), [0, 4, 5]);
    assert_eq!(found("ett", "Kettle", Place::Value("name")), [1, 2, 3]);
    assert_eq!(found("p12 !x", "p-0012x", Place::Value("name")), [0_usize; 0]);
    assert_eq!(found("name=ett", "Kettle", Place::Value("name")), [1, 2, 3]);
    assert_eq!(found("name=ett", "Kettle", Place::Value("title")), [0_usize; 0]);
    assert_eq!(found("current>9", "12.50", Place::Value("price.current")), [0, 1, 2, 3, 4]);
    assert_eq!(found("id=00", "p-0012", Place::Name("id")), [2, 3]);
    assert_eq!(found("id=00", "price:p-0012", Place::Name("key")), [0_usize; 0]);
    assert_eq!(found(".price", "p-0012", Place::Name("id")), [0_usize; 0]);
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_filter_or_a_fault_within_it(
        text in "(\\PC{0,24}|([a-z.]{1,6}|[=!<>]{1,2}|\"| |[0-9]{1,3}|é|\\.a){0,8})",
        pane in proptest::sample::select(&Pane::ALL),
    ) {
        match parsed(pane, &text) {
            Ok(filter) => {
                let row = fixture::change(4, "p-000812", 39.9, None, 1, 0);
                filter.judge(&row);
                for place in [Place::Name("id"), Place::Value("name")] {
                    let found = filter.found_in(&text, place);
                    proptest::prop_assert!(found.is_sorted());
                }
            }
            Err(fault) => {
                proptest::prop_assert!((1..=text.chars().count()).contains(&fault.column), "{fault:?}");
                proptest::prop_assert!(!fault.what.is_empty());
            }
        }
    }
}
