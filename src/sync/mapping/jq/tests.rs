//! Expressions, and what they must not do.

use proptest::prelude::*;

use super::*;

fn run(expression: &str, document: &str) -> Result<Vec<String>, String> {
    let outputs = Jq::compile(expression).unwrap().run(document.as_bytes())?;
    Ok(outputs.iter().map(|output| String::from_utf8_lossy(output).into_owned()).collect())
}

#[test]
fn outputs_are_compact_json_and_numbers_keep_their_spelling() {
    let document = r#"{"id":"p","price":{"current":39.90},"big":12345678901234567890}"#;
    assert_eq!(
        run("{id, p: .price.current, big}", document).unwrap(),
        [r#"{"id":"p","p":39.90,"big":12345678901234567890}"#]
    );
    assert_eq!(run(".price | .current, 1", document).unwrap(), ["39.90", "1"]);
    assert_eq!(run("empty", document).unwrap(), [""; 0]);
}

#[test]
fn faults_have_line_and_column() {
    let fault = |expression| Jq::compile(expression).unwrap_err();
    let wrong = fault("{id}\n| foo");
    assert_eq!((wrong.line, wrong.column), (2, 3));
    assert!(wrong.what.contains("foo"), "{wrong}");
    assert_eq!(fault("{id").line, 1);
    assert_eq!(fault("").to_string(), "line 1, column 1: term expected");
    assert_eq!((fault(".a + ]").line, fault(".a + ]").column), (1, 6));
}

#[test]
fn an_expression_sees_its_document_only() {
    for expression in ["env", "$ENV", "now", "halt", "input", "halt_error", "stderr"] {
        assert!(Jq::compile(expression).is_err(), "{expression}");
    }
}

#[test]
fn an_expression_that_does_not_end_fails_for_its_document() {
    let endless = [
        "def f: f; f",
        "[repeat(.)]",
        "[range(infinite)]",
        "last(range(0; 1; 0))",
        "first(range(infinite) | select(. < 0))",
    ];
    for expression in endless {
        let told = run(expression, "{}").unwrap_err();
        assert!(told.contains("steps") || told.contains("deeply"), "{expression}: {told}");
    }
    let deep = run("def f: 1 + f; f", "{}").unwrap_err();
    assert!(deep.contains("deeply"), "{deep}");
    assert!(Jq::compile("until(false; .)").unwrap().holds(b"{}").unwrap_err().contains("steps"));
}

#[test]
fn an_expression_that_takes_long_but_ends_is_let_be() {
    assert_eq!(run("[range(10000)] | map(. * 2) | add", "{}").unwrap(), ["99990000"]);
    assert_eq!(run("[range(5; 0; -2)], [range(0; 1; 0.4)]", "{}").unwrap(), ["[5,3,1]", "[0,0.4,0.8]"]);
    assert_eq!(run("[range(3)], [range(2; 2)]", "{}").unwrap(), ["[0,1,2]", "[]"]);
    assert_eq!(run("[limit(2; range(7; infinite))]", "{}").unwrap(), ["[7,8]"]);
}

#[test]
fn huge_outputs_are_refused() {
    let told = run("\"0123456789abcdef\" * 2500000", "{}").unwrap_err();
    assert!(told.contains("32 MB"), "{told}");
    let told = run("range(40) | \"0123456789abcdef\" * 65536", "{}").unwrap_err();
    assert!(told.contains("32 MB"), "{told}");
}

#[test]
fn what_goes_wrong_is_told_in_one_line() {
    assert!(run(".a.b", r#"{"a":1}"#).unwrap_err().contains("cannot index"));
    assert!(run("range(infinite)", "{}").unwrap_err().contains("1000 outputs"));
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(run(".", &deep).unwrap_err().contains("deeper"));
    assert!(run(".", "{\"a\":NaN}").is_err());
}

#[test]
fn predicates() {
    let holds = |expression, document: &str| Jq::compile(expression).unwrap().holds(document.as_bytes());
    assert_eq!(holds(".gone", r#"{"gone":true}"#), Ok(true));
    assert_eq!(holds(".gone", "{}"), Ok(false));
    assert_eq!(holds("empty", "{}"), Ok(false));
    assert!(holds("error", "{}").is_err());
}

/// Values without an end, made in few steps; each must end as words.
const NASTY: &[&str] = &[
    "[recurse([.])]",
    "last(recurse([.]))",
    "last(recurse({a: .}))",
    "def f: [f]; f",
    "def f: [.] | f; f",
    "def f(g): f(g | .); f(.)",
    "def f(g): f(g | g); f(.)",
    "def f: ., f; [f]",
    "def f: try error(f) catch .; f",
    "def f: f, f; f",
    "def f: f | f; f",
    "def f: (f) as $x | $x; f",
    "def f: reduce f as $x (0; 1); f",
    "last(path(recurse(.a)))",
    "last(paths(recurse(.a)))",
    "[path(recurse(.a))]",
    "[limit(1000000000; repeat(1))]",
    "[limit(1e9; repeat(\"x\"))] | join(\",\")",
    "\"x\" * 1000000000",
    "\"x\" * 1000000000000000",
    "\"x\" * 100000000000000000000000000",
    "reduce range(60) as $i (\"x\"; . + .)",
    "reduce range(60) as $i (\"x\"; . * 2)",
    "[range(1000000000000)]",
    "[range(0; 1e12; 0.5)]",
    "reduce range(1e9) as $i ([]; . + [$i])",
    "reduce range(1e9) as $i ({}; . + {\"\\($i)\": .})",
    "reduce range(100000) as $i (0; [.])",
    "reduce range(100000) as $i (0; {a: .}) | tojson",
    "reduce range(100000) as $i ({}; .a = .)",
    "reduce range(100000) as $i ([]; .[0] = .)",
    "reduce range(100000) as $i ([[]]; .[0] |= [.])",
    "last(foreach range(1e9) as $i ([]; [., .]))",
    "reduce range(60) as $i (1; [., .]) | tojson",
    "reduce range(60) as $i (1; [., .]) | tostring | length",
    "reduce range(60) as $i (1; {a: ., b: .})",
    "reduce range(60) as $i (1; [., .]) | . == (. | map(.))",
    "[reduce range(60) as $i (1; [., .]), reduce range(60) as $i (1; [., .])] | .[0] < .[1]",
    "[reduce range(60) as $i (1; [., .]), reduce range(60) as $i (1; [., .])] | sort | length",
    "[reduce range(60) as $i (1; [., .]), reduce range(60) as $i (1; [., .])] | unique | length",
    "[reduce range(60) as $i (1; [., .]), reduce range(60) as $i (1; [., .])] | .[0] - .[1]",
    "reduce range(60) as $i (1; [., .]) | last(..)",
    "reduce range(60) as $i (1; [., .]) | flatten",
    "reduce range(60) as $i (1; [., .]) | [paths]",
    "reduce range(60) as $i (1; [., .]) | walk(.)",
    "reduce range(60) as $i (1; [., .]) | contains([[7]])",
    "reduce range(60) as $i (1; [., .]) | error",
    "reduce range(60) as $i (1; [., .]) | .a",
    "reduce range(60) as $i (1; [., .]) | try .a catch length",
    "reduce range(60) as $i ({}; {a: ., b: .}) | . * .",
    "reduce range(60) as $i (1; [., .]) | {(.): 1}",
    "reduce range(60) as $i (1; [., .]) as $x | {} | .[$x]",
    "reduce range(60) as $i (1; [., .]) | @json",
    "reduce range(60) as $i (1; [., .]) | @html",
    "reduce range(60) as $i (1; [., .]) | [combinations]",
    "[range(100)] | [combinations(100)]",
    "[limit(100000; repeat([range(1000)]))]",
    "(\"[\" * 100000) | fromjson",
    "(\"[\" * 100000) + (\"]\" * 100000) | fromjson",
    "(\"{\\\"a\\\":\" * 100000) + \"1\" + (\"}\" * 100000) | fromjson",
    "(\"9\" * 10000000) | tonumber",
    "(\"9\" * 10000000) | fromjson",
    "last(recurse(. * .; true)) | tojson",
    "reduce range(100) as $i (99999999999999999999; . * .)",
    "(\"a\" * 1000000) | [match(\"(a?){1000}a{1000}\"; \"g\")] | length",
    "(\"a\" * 1000000) | test(\"((a{100}){100}){100}\")",
    "(\"a\" * 10000000) / \"\"",
    "(\"a\" * 10000000) | explode",
    "(\"a\" * 10000000) | [splits(\"a\")]",
    "(\"a\" * 10000000) | indices(\"a\" * 5000000)",
    "(\"a\" * 10000000) | gsub(\"a\"; \"bb\")",
    "(\"<\" * 40000000) | @html | @html | @html",
    "[nan, 1, nan, 2, nan] | [limit(100000; repeat(.[]))] | sort",
    "until(false; [.])",
    "while(true; [., 1])",
    "[while(true; . + [1])]",
    "input_line_number",
    "getpath([range(100000) | \"a\"])",
    "setpath([range(100000) | \"a\"]; 1)",
    "[range(100000)] | .[1000000000] = 1",
    "null | .[1000000000] = 1",
    "[.[]?] | .[-1] = 1",
    "def f: .[]? |= f; reduce range(60) as $i (1; [., .]) | f",
    "label $out | repeat(., break $out)",
    "[label $out | repeat(label $in | ., (. | break $in))]",
    "[splits(\"a\"; null)]",
    "limit(0; repeat(1)), last(limit(1e9; repeat(1)))",
    "skip(1e12; repeat(1))",
    "first(skip(1e9; range(1e12)))",
    "[recurse(if . == null then 1 else [.] end)]",
    "def f($x): f([$x]); f(1)",
    "def f: {} | .a |= f; f",
    "[.] | .[0] |= (., recurse([.]))",
    "ltrimstr(last(recurse([.])))",
    "[range(30000)] | group_by([range(100)])",
    "[range(300000)] | [.[] as $x | .[] as $y | $x]",
];

#[test]
fn values_without_an_end_are_told_in_words() {
    for expression in NASTY {
        let Ok(jq) = Jq::compile(expression) else { continue };
        let begun = std::time::Instant::now();
        let ran = jq.run(br#"{"id":"p-1","n":1}"#);
        // A debug build on a busy machine; what is endless takes for ever.
        assert!(begun.elapsed().as_secs() < 60, "{expression}");
        if let Err(told) = ran {
            assert!(!told.contains('\n') && told.chars().count() < 250, "{expression}: {told}");
        }
    }
    for (expression, wanted) in [
        ("[recurse([.])]", "nests"),
        ("def f: [f]; f", "calls itself"),
        ("\"x\" * 1000000000000000", "values of"),
        ("[range(1000000000000)]", "was stopped"),
        ("reduce range(60) as $i (1; [., .]) | tojson", "was stopped"),
        ("(\"[\" * 100000) + (\"]\" * 100000) | fromjson", "nested deeper"),
        ("(\"9\" * 10000) | fromjson", "digits"),
    ] {
        let told = run(expression, "{}").unwrap_err();
        assert!(told.contains(wanted), "{expression}: {told}");
    }
}

#[test]
fn values_behave_as_those_of_jq() {
    for (expression, wanted) in [
        ("[1,2,3] | .[1:], .[-1], .[:-1], .[5]", "[2,3] 3 [1,2] null"),
        ("\"añb\" | .[1:2], length, .[-1:]", r#""ñ" 3 "b""#),
        ("\"a,b,\" / \",\", (\"ab\" / \"\")", r#"["a","b",""] ["a","b"]"#),
        ("[1,2,1] | index(1), rindex(1), indices([2,1]), (. - [1])", "0 2 [1] [2]"),
        ("\"aéaé\" | indices(\"é\"), index(\"x\")", "[1,3] null"),
        ("{a:{b:1,c:2}} * {a:{b:3}}", r#"{"a":{"b":3,"c":2}}"#),
        ("{a:1} + {b:2} | to_entries | map(.key) | join(\"-\")", r#""a-b""#),
        ("[3,1,2] | sort, min, max, (map(select(. > 1)) | add), reverse", "[1,2,3] 1 3 5 [2,1,3]"),
        ("[{k:2},{k:1},{k:2}] | group_by(.k) | map(length)", "[1,2]"),
        ("[{k:2},{k:1}] | sort_by(.k), unique_by(.k) | map(.k)", "[1,2] [1,2]"),
        ("{a:[1,{b:2}]} | [paths] | length", "4"),
        ("{a:[1,{b:2}]} | [.. | numbers]", "[1,2]"),
        (
            "{a:1,b:2} | del(.a), (.b += 5), map_values(. + 1), has(\"a\", \"x\")",
            r#"{"b":2} {"a":1,"b":7} {"a":2,"b":3} true false"#,
        ),
        ("[1,2,3,4] | .[1:3] = [9], (.[0] |= empty)", "[1,9,4] [2,3,4]"),
        ("\"abcd\" | .[1:3] = \"X\"", r#""aXd""#),
        (
            "[\"a1b22\" | match(\"[0-9]+\"; \"g\").string], (\"abc\" | test(\"B\"; \"i\"), sub(\"b\"; \"-\"))",
            r#"["1","22"] true "a-c""#,
        ),
        ("\"[1,{\\\"a\\\":2.50}]\" | fromjson | tojson", r#""[1,{\"a\":2.50}]""#),
        ("[1,[2]] | tostring, @text, @json, \"\\(.)\"", r#""[1,[2]]" "[1,[2]]" "[1,[2]]" "[1,[2]]""#),
        ("(\"x\" * 3), (\"x\" * 0), (3 * \"ab\")", r#""xxx" null "ababab""#),
        ("\"17\" | tonumber + 1, (\"1.5\" | tonumber)", "18 1.5"),
        ("[1,{a:[\"foobar\"]}] | contains([{a:[\"oob\"]}]), inside([1,{a:[\"foobar\"]},2])", "true true"),
        ("[1,3,5] | bsearch(3), bsearch(4)", "1 -3"),
        ("(-5, null, [1], {}, \"é\") | length", "5 0 1 0 1"),
        ("try (true | length) catch .", r#""true has no length""#),
        ("try ({} | .[0]) catch .", r#""cannot index {} with 0""#),
        ("try ({} - 1) catch .", r#""cannot calculate {} - 1""#),
        ("{\"a\":1} | .[\"a\"], .b, (.c.d.e |= 3)", r#"1 null {"a":1,"c":{"d":{"e":3}}}"#),
        ("[.[]?], (null | .a[1:2]), ([[1,2],[3]] | transpose, flatten)", "[] null [[1,3],[2,null]] [1,2,3]"),
        ("9999999999999999999999 * 10, (7 / 2), (-7 % 3), (1 - 0.5)", "99999999999999999999990 3.5 -1 0.5"),
        (
            "{} == {}, ([1,2] < [1,3]), ({a:1} < {a:2}), ([] < {}), (\"a\" < \"b\")",
            "true true true true true",
        ),
        (
            "[limit(3; repeat(1))], first(range(5;9)), [range(0;10;3)], isempty(empty)",
            "[1,1,1] 5 [0,3,6,9] true",
        ),
        ("getpath([\"a\",\"b\"]), ([paths(type == \"number\")] | length), (tojson | length)", "null 0 2"),
        (
            "\"2015-03-05T23:51:47Z\" | fromdate, (1425599507 | todate)",
            r#"1425599507 "2015-03-05T23:51:47Z""#,
        ),
    ] {
        let ran = run(expression, "{}").map(|outputs| outputs.join(" "));
        assert_eq!(ran.as_deref(), Ok(wanted), "{expression}");
    }
}

#[test]
fn large_documents_can_be_reshaped() {
    let items: Vec<String> = (0..20_000)
        .map(|n| {
            format!(r#"{{"id":"p-{n}","market":"m{}","price":{{"current":{n}.50,"was":[1,2,3]}}}}"#, n % 7)
        })
        .collect();
    let document = format!(r#"{{"items":[{}]}}"#, items.join(","));
    let cheap = "[.items[] | {id, p: .price.current}] | length";
    assert_eq!(run(cheap, &document).unwrap(), ["20000"]);
    let nested =
        "reduce .items[] as $i ({}; .[$i.market][$i.id] = $i.price.current) | map_values(length) | add";
    assert_eq!(run(nested, &document).unwrap(), ["20000"]);
    let sorted = "[.items | sort_by(.price.current) | .[0:3][] | .id], (.items | group_by(.market) | length)";
    assert_eq!(run(sorted, &document).unwrap(), [r#"["p-0","p-1","p-2"]"#, "7"]);
}

/// How many programs the grammar makes: few by default, as many as the variable says.
fn programs() -> u32 {
    std::env::var("SYNCSCOPE_JQ_PROGRAMS").ok().and_then(|count| count.parse().ok()).unwrap_or(60)
}

/// Programs that grow values, call themselves and never end, as often as not.
fn program() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("."),
        Just(".a"),
        Just(".[0]"),
        Just(".[]?"),
        Just("1"),
        Just("null"),
        Just("\"x\""),
        Just("[]"),
        Just("{}"),
        Just(".."),
        Just("1000000000"),
        Just("empty"),
        Just("f"),
        Just("g(.)"),
        Just("$v"),
        Just("-1"),
        Just("keys?"),
        Just("tojson"),
        Just("(fromjson?)"),
        Just("tostring"),
        Just("explode?"),
        Just("flatten?"),
        Just("paths"),
        Just("to_entries?"),
        Just("add?"),
        Just("sort?"),
        Just("unique?"),
        Just("length?"),
        Just("transpose?"),
        Just("combinations?"),
        Just("error"),
        Just("@html"),
        Just("@base64"),
    ]
    .prop_map(str::to_owned);
    leaf.prop_recursive(5, 40, 3, |inner| {
        let (one, two, three) =
            (inner.clone(), (inner.clone(), inner.clone()), (inner.clone(), inner.clone(), inner));
        prop_oneof![
            one.clone().prop_map(|a| format!("[{a}]")),
            one.clone().prop_map(|a| format!("{{a: ({a})}}")),
            one.clone().prop_map(|a| format!("recurse({a})")),
            one.clone().prop_map(|a| format!("repeat({a})")),
            one.clone().prop_map(|a| format!("range({a})")),
            one.clone().prop_map(|a| format!("last({a})")),
            one.clone().prop_map(|a| format!("first({a})")),
            one.clone().prop_map(|a| format!("path({a})")),
            one.clone().prop_map(|a| format!("walk({a})")),
            one.clone().prop_map(|a| format!("g({a})")),
            one.clone().prop_map(|a| format!("(try ({a}) catch .)")),
            one.clone().prop_map(|a| format!("(label $l | {a}, break $l)")),
            one.clone().prop_map(|a| format!("group_by({a})")),
            one.clone().prop_map(|a| format!("map({a})")),
            one.prop_map(|a| format!("\"\\({a})\"")),
            (two.clone(), "[|,+*/-]|==|<|\\|=|=|\\+=|//|and")
                .prop_map(|((a, b), operator)| format!("(({a}) {operator} ({b}))")),
            two.clone().prop_map(|(a, b)| format!("({a}) as $v | ({b})")),
            two.clone().prop_map(|(a, b)| format!("limit({a}; {b})")),
            two.clone().prop_map(|(a, b)| format!("while({a}; {b})")),
            two.clone().prop_map(|(a, b)| format!("(def f: {a}; {b})")),
            two.clone().prop_map(|(a, b)| format!("(def g(f): {a}; {b})")),
            two.clone().prop_map(|(a, b)| format!("setpath({a}; {b})")),
            two.clone().prop_map(|(a, b)| format!("gsub({a}; {b})")),
            two.prop_map(|(a, b)| format!("indices({a}), contains({b})")),
            three.clone().prop_map(|(a, b, c)| format!("reduce ({a}) as $v ({b}; {c})")),
            three.clone().prop_map(|(a, b, c)| format!("foreach ({a}) as $v ({b}; {c})")),
            three.clone().prop_map(|(a, b, c)| format!("range({a}; {b}; {c})")),
            three.prop_map(|(a, b, c)| format!("if {a} then {b} else {c} end")),
        ]
    })
    .prop_map(|body| format!("def f: [.]; def g(f): f | f; . as $v | {body}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: programs(), max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_program_never_panics_overflows_or_hangs(program in program()) {
        if let Ok(jq) = Jq::compile(&program) {
            let begun = std::time::Instant::now();
            let ran = jq.run(br#"{"a":[1,{"b":"x"}],"c":null}"#);
            prop_assert!(begun.elapsed().as_secs() < 60, "hangs");
            if let Err(told) = ran {
                prop_assert!(!told.contains("interpreter failed"), "{}", told);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_an_expression_or_an_error(source in "\\PC{0,40}") {
        let _ = Jq::compile(&source);
    }

    #[test]
    fn texts_near_the_grammar_run_or_fail_in_words(
        source in "([.|,{}()\\[\\]:;?+*/-]|\\.a|\\.b|id|map|select|keys|tostring|length|\"x\"|1|as \\$x|\\$x|if|then|else|end|é){0,14}",
        document in "(\\{\"a\":[0-9]{1,3},\"b\":\"[a-zé]{0,5}\"\\}|\\PC{0,20}|\\[\\]|1e999)",
    ) {
        if let Ok(jq) = Jq::compile(&source) {
            let _ = jq.run(document.as_bytes());
            let _ = jq.holds(document.as_bytes());
        }
    }
}
