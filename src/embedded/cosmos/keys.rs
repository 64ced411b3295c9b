//! Partition keys: from headers and documents to the effective key that places a document.
//! The hashing is the driver crate's, so it cannot drift from what clients compute.

use azure_data_cosmos_driver::models::{
    EffectivePartitionKey, FeedRange, PartitionKey, PartitionKeyDefinition, PartitionKeyValue,
};
use serde_json::Value;

use super::document::Fields;

/// The effective partition key, ordered as the service orders it.
pub(super) type Epk = EffectivePartitionKey;

/// What a partition key header addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyScope {
    /// One logical partition.
    Point(Epk),
    /// All logical partitions under a prefix of a hierarchical key: `[min, max)`.
    Prefix(Epk, Epk),
}

/// Reads `x-ms-documentdb-partitionkey`; `Ok(None)` = an empty key, which addresses everything.
pub(super) fn of_header(
    header: &str,
    definition: &PartitionKeyDefinition,
) -> Result<Option<KeyScope>, &'static str> {
    let values: Vec<Value> =
        serde_json::from_str(header.trim()).map_err(|_| "the partition key header is not a JSON array")?;
    if values.is_empty() {
        return Ok(None);
    }
    scope(&values, definition).map(Some)
}

/// The effective key of a document.
pub(super) fn of_document(
    document: &Value,
    definition: &PartitionKeyDefinition,
) -> Result<Epk, &'static str> {
    match scope(&values_of(document, definition), definition)? {
        KeyScope::Point(epk) | KeyScope::Prefix(epk, _) => Ok(epk),
    }
}

/// The effective key of a document of which only what the key needs is parsed.
pub(super) fn of_fields(
    fields: &Fields<'_>,
    definition: &PartitionKeyDefinition,
) -> Result<Epk, &'static str> {
    let firsts = definition.paths().iter().filter_map(|path| steps(path).next());
    let needed = firsts.filter_map(|name| {
        let value = serde_json::from_str(fields.raw(name)?).ok()?;
        Some((name.to_owned(), value))
    });
    of_document(&Value::Object(needed.collect()), definition)
}

/// The partition key of a document as the header's JSON array.
pub(super) fn header_of(document: &Value, definition: &PartitionKeyDefinition) -> Value {
    Value::Array(values_of(document, definition))
}

/// One value a path; what is missing is the service's "undefined", `{}`.
fn values_of(document: &Value, definition: &PartitionKeyDefinition) -> Vec<Value> {
    definition
        .paths()
        .iter()
        .map(|path| {
            steps(path)
                .try_fold(document, |at, step| at.get(step))
                .cloned()
                .unwrap_or_else(|| Value::Object(serde_json::Map::new()))
        })
        .collect()
}

/// The property names of a path; a name in double quotes may hold slashes.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path;
    std::iter::from_fn(move || {
        rest = rest.strip_prefix('/').unwrap_or(rest);
        if rest.is_empty() {
            return None;
        }
        if let Some(quoted) = rest.strip_prefix('"')
            && let Some((name, after)) = quoted.split_once('"')
        {
            rest = after;
            return Some(name);
        }
        let (name, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        rest = after;
        Some(name)
    })
}

fn scope(values: &[Value], definition: &PartitionKeyDefinition) -> Result<KeyScope, &'static str> {
    let values = values.iter().map(component).collect::<Result<Vec<_>, _>>()?;
    if values.len() > definition.paths().len() {
        return Err("the partition key has more components than the container's definition");
    }
    let key = PartitionKey::try_from(values).map_err(|_| "the partition key has too many components")?;
    let range = FeedRange::for_partition(key, definition);
    let (min, max) = (range.min_inclusive().clone(), range.max_exclusive().clone());
    Ok(if min == max { KeyScope::Point(min) } else { KeyScope::Prefix(min, max) })
}

fn component(value: &Value) -> Result<PartitionKeyValue, &'static str> {
    match value {
        Value::Null => Ok(PartitionKey::NULL),
        Value::Bool(b) => Ok((*b).into()),
        Value::String(s) => Ok(s.clone().into()),
        Value::Number(n) => n
            .as_f64()
            .and_then(|n| PartitionKeyValue::try_from(n).ok())
            .ok_or("a number of the partition key is not finite"),
        Value::Object(o) if o.is_empty() => Ok(PartitionKey::UNDEFINED),
        Value::Object(_) | Value::Array(_) => Err("a partition key component must be a scalar"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn by(path: &'static str) -> PartitionKeyDefinition {
        PartitionKeyDefinition::new(vec![path.into()])
    }

    #[test]
    fn header_and_document_agree() {
        let definition = by("/shop/id");
        let document = json!({"shop": {"id": "p-1"}});
        let epk = of_document(&document, &definition).unwrap();
        assert_eq!(of_header("[\"p-1\"]", &definition), Ok(Some(KeyScope::Point(epk))));
        assert_eq!(header_of(&document, &definition), json!(["p-1"]));
    }

    #[test]
    fn a_missing_key_is_undefined_not_null() {
        let definition = by("/pk");
        let missing = of_document(&json!({"id": "1"}), &definition).unwrap();
        let null = of_document(&json!({"id": "1", "pk": null}), &definition).unwrap();
        assert_ne!(missing, null);
        assert_eq!(of_header("[{}]", &definition), Ok(Some(KeyScope::Point(missing))));
    }

    #[test]
    fn quoted_steps_may_hold_slashes() {
        assert_eq!(steps("/\"a/b\"/c").collect::<Vec<_>>(), ["a/b", "c"]);
    }
}
