//! What is told apart, how it is named, and that the judge is the one of verify.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::sync::same_meaning;

fn diff(left: &str, right: &str) -> Diff {
    Diff::of(Some(left.as_bytes()), Some(right.as_bytes()))
}

fn named(diff: &Diff) -> Vec<(DiffKind, &str)> {
    diff.named().iter().map(|(kind, path)| (*kind, path.as_str())).collect()
}

/// The lines as a person reads them: mark, left, right.
fn drawn(diff: &Diff) -> Vec<String> {
    let text =
        |side: Option<Side<'_>>| side.map_or_else(String::new, |side| format!("{}{}", side.name, side.value));
    diff.lines()
        .iter()
        .map(|line| format!("{:?} {}|{}", line.kind, text(diff.left(line)), text(diff.right(line))))
        .collect()
}

/// What comes of the left if the differences are applied to it: equal lines from the left, all others from
/// the right.
fn applied(diff: &Diff) -> String {
    let mut out = String::new();
    let mut open = true;
    for line in diff.lines() {
        let side = if line.kind == DiffKind::Same { diff.left(line) } else { diff.right(line) };
        let Some(side) = side else { continue };
        let closes = matches!(side.value, "}" | "]") && side.name.is_empty();
        if !open && !closes {
            out.push(',');
        }
        out.push_str(side.name);
        if !side.name.is_empty() {
            out.push(':');
        }
        out.push_str(side.value);
        open = matches!(side.value, "{" | "[");
    }
    out
}

#[test]
fn fields_that_differ_are_named_and_the_order_of_members_is_nothing() {
    let found = diff(
        r#"{"id":"a","price":{"now":12.00,"was":3},"tags":["x","y","z","q"],"note":null,"_ts":1}"#,
        r#"{"tags":["x","y","z","p"],"price":{"was":3.0,"now":14},"old":[1,{}],"id":"a","_ts":2,"_lsn":9}"#,
    );
    assert_eq!(
        named(&found),
        [
            (DiffKind::Changed, "price.now"),
            (DiffKind::OnlyRight, "old"),
            (DiffKind::Changed, "tags[3]"),
            (DiffKind::OnlyLeft, "note"),
        ]
    );
    assert_eq!(found.differences(), 4);
    assert!(drawn(&found).contains(&r#"Changed "now"12.00|"now"14"#.to_owned()), "{:#?}", drawn(&found));
    assert!(drawn(&found).contains(&r#"Same "was"3|"was"3.0"#.to_owned()), "numbers by value");
    assert!(drawn(&found).contains(&r#"System |"_lsn"9"#.to_owned()));
    assert!(found.starts().iter().all(|at| found.lines()[*at as usize].kind.counts()));
}

#[test]
fn equal_runs_are_counted_and_short_ones_shown() {
    let many = |at: usize, value: u32| {
        let members: Vec<String> =
            (0..40).map(|n| format!("\"f{n}\":{}", if n == at { value } else { 0 })).collect();
        format!("{{{}}}", members.join(","))
    };
    let found = diff(&many(38, 1), &many(38, 2));
    let rows = found.folded();
    assert!(
        matches!(rows[1], DiffRow::Fold { from: 1, to: 39, count: 38, depth: 1, what: Folded::Fields }),
        "{rows:?}"
    );
    assert_eq!(rows[2..], [39, 40, 41].map(DiffRow::Line), "a single equal field is not hidden");
}

#[test]
fn elements_are_brought_together_by_their_id() {
    let left = r#"{"o":[{"id":"a","p":1},{"id":"b","p":2},{"id":"c","p":3}]}"#;
    let found =
        diff(left, r#"{"o":[{"id":"new","p":0},{"id":"a","p":1},{"p":9,"id":"b"},{"id":"c","p":3}]}"#);
    assert_eq!(
        named(&found),
        [(DiffKind::OnlyRight, "o[id=new]"), (DiffKind::Changed, "o[id=b].p")],
        "what stands before it does not shift the rest"
    );
    let moved = diff(left, r#"{"o":[{"id":"c","p":3},{"id":"a","p":1},{"id":"b","p":2}]}"#);
    assert_eq!(named(&moved), [(DiffKind::Moved, "o[id=c]")], "the order of elements counts for verify, too");
    let twice = diff(r#"[{"id":1},{"id":1}]"#, r#"[{"id":1},{"id":2}]"#);
    assert_eq!(named(&twice), [(DiffKind::Changed, "[1].id")], "ids that are not unique are none");
}

#[test]
fn a_side_that_is_not_there_and_kinds_that_differ() {
    let only = Diff::of(Some(br#"{"a":1,"b":[2]}"#), None);
    assert_eq!((only.differences(), only.lines().len()), (1, 6));
    assert!(only.lines().iter().all(|line| line.kind == DiffKind::OnlyLeft));
    assert_eq!(Diff::of(None, None).differences(), 0);
    let unlike = diff(r#"{"a":{"b":1}}"#, r#"{"a":"text"}"#);
    assert_eq!(named(&unlike), [(DiffKind::Changed, "a")]);
    assert_eq!(drawn(&unlike)[1..4], [r#"Changed "a"{|"a""text""#, r#"Changed "b"1|"#, "Changed }|"]);
}

#[test]
fn what_is_not_json_is_compared_by_lines_and_bytes() {
    let found = diff("one\ntwo\nthree", "one\n2\nthree\nfour");
    assert!(!found.is_structured());
    assert_eq!(drawn(&found)[1..], ["Changed two|2", "Same three|three", "OnlyRight |four"]);
    let bytes = Diff::of(Some(b"\xff"), Some(b"\xfe"));
    assert_eq!(bytes.differences(), 1, "two bytes that both show as one replacement");
    let half = diff(r#"{"a":1}"#, r#"{"a":"#);
    assert!(!half.is_structured() && half.differences() > 0);
}

#[test]
fn changed_values_say_which_part_of_them_changed() {
    let found = diff(r#"{"t":"price 12 é now"}"#, r#"{"t":"price 14 è now"}"#);
    let line = found.lines()[1];
    let (left, right) = (found.left(&line).unwrap(), found.right(&line).unwrap());
    assert_eq!(&left.value[left.changed.0..left.changed.1], "2 é");
    assert_eq!(&right.value[right.changed.0..right.changed.1], "4 è");
    assert_eq!(alike("aa", "aaa"), (2, 0));
}

#[test]
fn values_that_are_only_laid_beside_each_other_have_no_difference() {
    let found = Diff::beside(Some(br#"{"a":[1]}"#), Some(b"not json"));
    assert_eq!(found.differences(), 0);
    assert_eq!(drawn(&found), ["Same {|not json", "Same \"a\"[|", "Same 1|", "Same ]|", "Same }|"]);
}

#[test]
fn two_megabytes_are_compared_whole_and_shown_within_bounds() {
    let list = |last: u32| format!("[{}{last}]", "1,".repeat(1_000_000));
    let found = diff(&list(1), &list(2));
    assert_eq!(named(&found), [(DiffKind::Changed, "[1000000]")]);
    assert!(found.is_cut() && found.lines().len() == MAX_LINES);
    assert_eq!(diff(&list(1), &list(1)).differences(), 0);
}

/// Values with few names and numbers, so that two of them have something in common.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        prop_oneof![Just(1.5), Just(-0.0), Just(1e300)].prop_map(Value::from),
        "[ab\"\\\\é]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("(id|_ts|[a-d]|\"|\u{1F600})", inner.clone(), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            prop::collection::vec((0_u8..5, inner), 0..5).prop_map(|elements| {
                elements.into_iter().map(|(id, x)| json!({ "id": id, "x": x })).collect()
            }),
        ]
    })
}

/// JSON text with the members of every object the other way round.
fn backwards(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .rev()
                .map(|(name, value)| format!("{} : {}", Value::from(name.as_str()), backwards(value)))
                .collect();
            format!("{{ {} }}", members.join(" ,\n"))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(backwards).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Elements in the order of their text: an array known by ids is shown in the order of the left.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_key(ToString::to_string);
            Value::Array(items)
        }
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect())
        }
        // Equal numbers have one spelling, or they would be sorted apart.
        Value::Number(number) if number.as_f64() == Some(0.0) => Value::from(0),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn equal_values_have_no_difference(value in value()) {
        let found = diff(&value.to_string(), &backwards(&value));
        prop_assert_eq!(found.differences(), 0, "{:?}", found.named());
        prop_assert!(found.starts().is_empty());
    }

    #[test]
    fn the_same_judge_as_verify(left in value(), right in value()) {
        let (left, right) = (left.to_string(), backwards(&right));
        let found = diff(&left, &right);
        prop_assert_eq!(found.differences() == 0, same_meaning(left.as_bytes(), right.as_bytes()));
        prop_assert_eq!(found.differences(), diff(&right, &left).differences(), "the same from both sides");
    }

    #[test]
    fn the_differences_applied_to_one_give_the_other(left in value(), right in value()) {
        let found = diff(&left.to_string(), &backwards(&right));
        let made: Value = serde_json::from_str(&applied(&found)).unwrap();
        let (made, right) = (sorted(&made).to_string(), sorted(&right).to_string());
        prop_assert!(same_meaning(made.as_bytes(), right.as_bytes()), "{} is not {}", made, right);
    }

    #[test]
    fn folded_rows_lead_through_all_lines(left in value(), right in value()) {
        let found = diff(&left.to_string(), &right.to_string());
        let mut at = 0;
        for row in found.folded() {
            prop_assert_eq!(row.line(), at);
            at = match *row {
                DiffRow::Line(line) => line + 1,
                DiffRow::Fold { from, to, .. } => {
                    let hidden = &found.lines()[from as usize..to as usize];
                    prop_assert!(hidden.iter().all(|line| !line.kind.counts()));
                    to
                }
            };
        }
        prop_assert_eq!(at as usize, found.lines().len());
    }

    #[test]
    fn no_bytes_are_too_odd(left in prop::collection::vec(any::<u8>(), 0..60), right in ".{0,40}") {
        let found = Diff::of(Some(&left), Some(right.as_bytes()));
        prop_assert!(found.differences() > 0 || left == right.as_bytes() || same_meaning(&left, right.as_bytes()));
    }
}
