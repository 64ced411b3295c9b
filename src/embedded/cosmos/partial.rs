//! Aggregates over several ranges, as the SDKs that go by query plans (.NET, Java, Go) compute them: the plan names
//! the aggregates and a query whose rows carry each range's part, and the SDK adds the parts up. The inner store
//! answers aggregates whole, and neither plans nor evaluates such rows. So we plan them, send our own query for the
//! parts, and put its rows into the shape: `[{"item": 5}]` for a value, `{"payload": {"many": {"item": 5}}}` for a
//! list, and with `"groupByItems": [{"item": "chair"}]` for groups.

use serde_json::{Map, Value, json};

/// What marks a query that a plan of ours has handed out.
const MARK: &str = "PARTIAL ";

/// Aggregates that are planned: as queries write them, and as plans do.
const AGGREGATES: [(&str, &str); 5] =
    [("COUNT", "Count"), ("SUM", "Sum"), ("AVG", "Average"), ("MIN", "Min"), ("MAX", "Max")];

/// A query in the store's dialect, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Partial<'q> {
    /// `SELECT VALUE`
    value: bool,
    items: Vec<Item<'q>>,
    groups: Vec<&'q str>,
    /// From `FROM` up to what only the SDK can do: `OFFSET … LIMIT …`.
    rest: &'q str,
}

#[derive(Debug, PartialEq, Eq)]
struct Item<'q> {
    name: String,
    expression: &'q str,
    aggregate: Option<(&'static str, &'q str)>,
}

impl<'q> Partial<'q> {
    /// Takes a query apart; `None`: it has nothing to add up, or in a way that we do not plan.
    fn parse(query: &'q str) -> Option<Self> {
        let words = words(query);
        let find = |keyword: &str| words.iter().find(|w| w.is(query, keyword));
        let from = find("FROM")?;
        let mut select = words.iter().take_while(|word| word.start < from.start).peekable();
        select.next().filter(|word| word.is(query, "SELECT"))?;
        if select.next_if(|word| word.is(query, "TOP")).is_some() {
            select.next()?;
        }
        if select.peek()?.is(query, "DISTINCT") {
            return None;
        }
        let value = select.next_if(|word| word.is(query, "VALUE")).is_some();
        let list = query.get(select.peek()?.start..from.start)?;
        let rest = query.get(from.start..find("OFFSET").map_or(query.len(), |word| word.start))?;
        let groups = match find("GROUP") {
            None => Vec::new(),
            Some(group) => {
                let after = words.iter().find(|w| w.start > group.start && w.is(query, "BY"))?;
                let end = words
                    .iter()
                    .find(|w| w.start > after.start && (w.is(query, "ORDER") || w.is(query, "OFFSET")));
                let text = query.get(after.end..end.map_or(query.len(), |word| word.start))?;
                split(text).into_iter().map(str::trim).collect()
            }
        };
        let mut unnamed = 0;
        let items: Vec<Item<'_>> =
            split(list).into_iter().map(|text| Item::parse(text, &mut unnamed)).collect::<Option<_>>()?;
        let adds_up = !groups.is_empty() || items.iter().any(|item| item.aggregate.is_some());
        (adds_up && (!value || items.len() == 1)).then_some(Self { value, items, groups, rest })
    }

    /// The query for one range's parts: each group expression and item under a name of its own.
    fn parts(&self) -> String {
        let mut list: Vec<String> =
            self.groups.iter().enumerate().map(|(at, group)| format!("{group} AS g{at}")).collect();
        for (at, item) in self.items.iter().enumerate() {
            match item.aggregate {
                None if self.groups.contains(&item.expression) => {}
                None => list.push(format!("{} AS i{at}", item.expression)),
                Some((aggregate, of)) => {
                    // An average is added up as its sum; how many there were tells nothing from a null.
                    let function = if aggregate == "Average" { "SUM" } else { aggregate };
                    list.push(format!("{function}({of}) AS i{at}"));
                    list.push(format!("COUNT({of}) AS n{at}"));
                }
            }
        }
        format!("SELECT {} {}", list.join(", "), self.rest)
    }

    /// A row of the parts in the shape that the plan promised.
    fn row(&self, row: &Value) -> Value {
        let item = |name: String| match row.get(&name) {
            Some(value) => json!({ "item": value }),
            None => json!({}),
        };
        let payload: Vec<(String, Value)> = self
            .items
            .iter()
            .enumerate()
            .filter_map(|(at, each)| Some((each.name.clone(), self.part(at, each, row)?)))
            .collect();
        let payload = if self.value {
            payload.into_iter().next().map_or(Value::Null, |(_, value)| value)
        } else {
            Value::Object(payload.into_iter().collect::<Map<_, _>>())
        };
        if !self.groups.is_empty() {
            let groups: Vec<Value> = (0..self.groups.len()).map(|at| item(format!("g{at}"))).collect();
            return json!({ "groupByItems": groups, "payload": payload });
        }
        if self.value { json!([payload]) } else { json!({ "payload": payload }) }
    }

    fn part(&self, at: usize, item: &Item<'_>, row: &Value) -> Option<Value> {
        let Some((aggregate, _)) = item.aggregate else {
            let group = self.groups.iter().position(|group| *group == item.expression);
            return row.get(group.map_or(format!("i{at}"), |at| format!("g{at}"))).cloned();
        };
        let part = row.get(format!("i{at}")).cloned().unwrap_or_default();
        let count = row.get(format!("n{at}")).cloned().unwrap_or_default();
        let some = count.as_u64().is_some_and(|count| count > 0);
        Some(match aggregate {
            "Average" if some => json!({ "item": { "sum": part, "count": count } }),
            "Min" if some => json!({ "item": part, "item2": { "min": part, "count": count } }),
            "Max" if some => json!({ "item": part, "item2": { "max": part, "count": count } }),
            "Average" => json!({ "item": { "sum": 0, "count": 0 } }),
            "Min" | "Max" => json!({ "item2": { "count": 0 } }),
            _ if part.is_null() => json!({}),
            _ => json!({ "item": part }),
        })
    }
}

impl<'q> Item<'q> {
    fn parse(text: &'q str, unnamed: &mut u32) -> Option<Self> {
        let text = text.trim();
        let words = words(text);
        let named = words.iter().rev().nth(1).filter(|word| word.is(text, "AS"));
        let (expression, name) = match named {
            Some(at) => (text.get(..at.start)?.trim(), Some(text.get(at.end..)?.trim().to_owned())),
            None => (text, None),
        };
        let aggregate = aggregate(expression);
        let name = name
            .or_else(|| aggregate.is_none().then(|| last_name(expression)).flatten())
            .unwrap_or_else(|| {
                *unnamed += 1;
                format!("${unnamed}")
            });
        // An aggregate within another expression cannot be added up from parts.
        let hidden = aggregate.is_none()
            && words.iter().any(|w| {
                AGGREGATES.iter().any(|(a, _)| w.is(expression, a))
                    && expression.get(w.end..).is_some_and(|t| t.trim_start().starts_with('('))
            });
        (!hidden).then_some(Self { name, expression, aggregate })
    }
}

/// `FUNCTION(of)`, if that is all there is.
fn aggregate(expression: &str) -> Option<(&'static str, &str)> {
    let (function, of) = expression.split_once('(')?;
    let of = of.strip_suffix(')')?;
    let (_, aggregate) =
        AGGREGATES.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(function.trim()))?;
    // `COUNT(1) + SUM(c.n)` begins and ends so too.
    (split(of).len() == 1 && closes(of)).then_some((aggregate, of))
}

/// Whether no parenthesis closes what was not opened.
fn closes(text: &str) -> bool {
    let mut depth = 0_i32;
    text.chars().all(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth >= 0
    })
}

/// The name that a path gives: the last of `c.a.b`, of `c['a']['b']`.
fn last_name(path: &str) -> Option<String> {
    if let Some(inner) = path.strip_suffix("']") {
        return inner.rsplit("['").next().map(str::to_owned);
    }
    let name = path.rsplit('.').next()?;
    name.chars().all(|c| c.is_alphanumeric() || c == '_').then(|| name.to_owned())
}

/// A word outside of strings and brackets.
struct Word {
    start: usize,
    end: usize,
}

impl Word {
    fn is(&self, text: &str, keyword: &str) -> bool {
        text.get(self.start..self.end).is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    }
}

/// Calls `each` with every character outside of strings and how deep in brackets it is.
fn outside_strings(text: &str, mut each: impl FnMut(usize, char, u32)) {
    let (mut quote, mut depth) = (None, 0_u32);
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) => quote = (c != open).then_some(open),
            None if matches!(c, '\'' | '"') => {
                each(at, c, depth);
                quote = Some(c);
            }
            None => {
                if matches!(c, ')' | ']' | '}') {
                    depth = depth.saturating_sub(1);
                }
                each(at, c, depth);
                if matches!(c, '(' | '[' | '{') {
                    depth += 1;
                }
            }
        }
    }
}

fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    outside_strings(text, |at, c, depth| {
        if depth == 0 && (c.is_alphanumeric() || matches!(c, '_' | '@' | '$' | '.' | '*')) {
            match words.last_mut().filter(|word| word.end == at) {
                Some(word) => word.end = at + c.len_utf8(),
                None => words.push(Word { start: at, end: at + c.len_utf8() }),
            }
        }
    });
    words
}

/// Parts between commas outside of strings and brackets.
fn split(text: &str) -> Vec<&str> {
    let mut commas = Vec::new();
    outside_strings(text, |at, c, depth| commas.extend((c == ',' && depth == 0).then_some(at)));
    let starts = std::iter::once(0).chain(commas.iter().map(|at| at + 1));
    let ends = commas.iter().copied().chain([text.len()]);
    starts.zip(ends).filter_map(|(start, end)| text.get(start..end)).collect()
}

/// Plans a query's aggregates, which the store's plan leaves to nobody. `sent` is the query as the client wrote it,
/// `query` the same in the store's dialect. `false`: there is nothing to plan.
pub(super) fn plan(plan: &mut Value, sent: &str, query: &str) -> bool {
    let Some(partial) = Partial::parse(query) else { return false };
    let Some(info) = plan.get_mut("queryInfo").and_then(Value::as_object_mut) else { return false };
    let of_value = partial.items.iter().filter(|_| partial.value).filter_map(|item| Some(item.aggregate?.0));
    info.insert("aggregates".into(), of_value.collect());
    info.insert("groupByExpressions".into(), partial.groups.iter().copied().collect());
    let listed = || partial.items.iter().filter(|_| !partial.value);
    info.insert("groupByAliases".into(), listed().map(|item| item.name.as_str()).collect());
    let types: Map<String, Value> = listed()
        .map(|item| {
            (item.name.clone(), item.aggregate.map_or(Value::Null, |(aggregate, _)| aggregate.into()))
        })
        .collect();
    info.insert("groupByAliasToAggregateType".into(), types.into());
    info.insert("hasSelectValue".into(), partial.value.into());
    info.insert("rewrittenQuery".into(), format!("{MARK}{sent}").into());
    true
}

/// The query that a plan of ours was made for, if it is one that such a plan has handed out.
pub(super) fn planned(query: &str) -> Option<&str> {
    query.strip_prefix(MARK)
}

/// What the store is to be asked for one range's parts of a planned query.
pub(super) fn parts(query: &str) -> Option<String> {
    Partial::parse(query).map(|partial| partial.parts())
}

/// The store's rows of the parts in the shape that the plan promised.
pub(super) fn shaped(query: &str, rows: &[Value]) -> Option<Vec<Value>> {
    let partial = Partial::parse(query)?;
    Some(rows.iter().map(|row| partial.row(row)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(query: &str) -> Value {
        let mut made = json!({ "queryInfo": {} });
        assert!(plan(&mut made, query, query), "{query}");
        made["queryInfo"].take()
    }

    #[test]
    fn values_lists_and_groups_are_taken_apart() {
        for (query, asked) in [
            ("SELECT VALUE COUNT(1) FROM c", "SELECT Count(1) AS i0, COUNT(1) AS n0 FROM c"),
            (
                "SELECT TOP 3 VALUE AVG(c.n) FROM c WHERE c.x IN ('FROM', ',') OFFSET 1 LIMIT 2",
                "SELECT SUM(c.n) AS i0, COUNT(c.n) AS n0 FROM c WHERE c.x IN ('FROM', ',') ",
            ),
            (
                "select c.size.w, max(c.n) as top, 'a' AS letter from c group by c.size.w, c['kind']",
                "SELECT c.size.w AS g0, c['kind'] AS g1, Max(c.n) AS i1, COUNT(c.n) AS n1, 'a' AS i2 \
                 from c group by c.size.w, c['kind']",
            ),
        ] {
            assert_eq!(parts(query).as_deref(), Some(asked), "{query}");
        }
    }

    #[test]
    fn plans_name_what_is_to_be_added_up() {
        let value = plan_of("SELECT VALUE SUM(c.n) FROM c");
        assert_eq!((&value["aggregates"], &value["hasSelectValue"]), (&json!(["Sum"]), &json!(true)));
        assert_eq!(value["rewrittenQuery"], "PARTIAL SELECT VALUE SUM(c.n) FROM c");
        let groups = plan_of("SELECT c.a.kind, COUNT(1), AVG(c.n) AS mean FROM c GROUP BY c.a.kind");
        assert_eq!(groups["aggregates"], json!([]));
        assert_eq!(groups["groupByExpressions"], json!(["c.a.kind"]));
        assert_eq!(groups["groupByAliases"], json!(["kind", "$1", "mean"]));
        assert_eq!(
            groups["groupByAliasToAggregateType"],
            json!({"kind": null, "$1": "Count", "mean": "Average"})
        );
    }

    #[test]
    fn rows_have_the_shape_that_sdks_add_up() {
        let rows = |query: &str, row: Value| shaped(query, &[row]).unwrap().remove(0);
        assert_eq!(rows("SELECT VALUE COUNT(1) FROM c", json!({"i0": 5, "n0": 5})), json!([{"item": 5}]));
        assert_eq!(
            rows("SELECT VALUE MIN(c.n) FROM c", json!({"i0": null, "n0": 0})),
            json!([{"item2": {"count": 0}}])
        );
        assert_eq!(
            rows("SELECT c.k, AVG(c.n) AS mean FROM c GROUP BY c.k", json!({"g0": null, "i1": 6, "n1": 2})),
            json!({
                "groupByItems": [{"item": null}],
                "payload": {"k": null, "mean": {"item": {"sum": 6, "count": 2}}}
            })
        );
    }

    #[test]
    fn what_needs_no_parts_is_left_to_the_store() {
        for query in [
            "SELECT * FROM c",
            "SELECT c.count, c.sum AS max FROM c",
            "SELECT DISTINCT VALUE c.kind FROM c",
            "SELECT VALUE COUNT(1) + SUM(c.n) FROM c",
            "SELECT 'COUNT(1)' FROM c",
            "nonsense (((",
            "",
        ] {
            assert_eq!(Partial::parse(query), None, "{query}");
        }
    }
}
