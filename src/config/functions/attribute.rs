//! `[CosmosDBTrigger(…)]` in C#, of the in-process and the isolated model.

use super::csharp::{self, Constants};
use super::properties::Properties;

/// A trigger attribute as it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    /// Line of the attribute, from 1.
    pub(super) line: usize,
    /// Name of the function, where one stands before it.
    pub(super) function: Option<String>,
    pub(super) properties: Properties,
}

/// All trigger attributes of a file (comments blanked already).
pub(super) fn attributes(text: &str, constants: &Constants) -> Vec<Attribute> {
    const NAME: &str = "CosmosDBTrigger";
    let mut found = Vec::new();
    for (at, _) in text.match_indices(NAME) {
        let before = text[..at].trim_end();
        let rest = text[at + NAME.len()..].trim_start();
        let rest = rest.strip_prefix("Attribute").unwrap_or(rest).trim_start();
        // `[CosmosDBTrigger(`, also behind a namespace or another attribute.
        if !(before.ends_with(['[', ',', '.', ':']) && rest.starts_with('(')) {
            continue;
        }
        let Some(arguments) = csharp::bracketed(rest) else { continue };
        found.push(Attribute {
            line: before.matches('\n').count() + 1,
            function: function(before, constants),
            properties: properties(arguments, constants),
        });
    }
    found
}

fn properties(arguments: &str, constants: &Constants) -> Properties {
    const POSITIONAL: [&str; 2] = ["databaseName", "containerName"];
    let mut properties = Properties::default();
    for (index, argument) in csharp::split(arguments, ',').into_iter().enumerate() {
        let argument = argument.trim();
        if argument.is_empty() {
            continue;
        }
        let named = argument.find(|c: char| !(c.is_alphanumeric() || c == '_')).and_then(|end| {
            let (name, rest) = argument.split_at(end);
            let rest = rest.trim_start();
            let value = rest.strip_prefix('=').filter(|rest| !rest.starts_with('='));
            let value = value.or_else(|| rest.strip_prefix(':').filter(|rest| !rest.starts_with(':')));
            value.filter(|_| !name.is_empty()).map(|value| (name, value))
        });
        let (name, expression) = match named {
            Some(named) => named,
            None => match POSITIONAL.get(index) {
                Some(name) => (*name, argument),
                None => continue,
            },
        };
        properties.insert(name, csharp::evaluate(expression, constants));
    }
    properties
}

/// The name in the last `[Function("…")]` or `[FunctionName("…")]` before the trigger.
fn function(before: &str, constants: &Constants) -> Option<String> {
    let at = ["[Function(", "[FunctionName("].iter().filter_map(|start| before.rfind(start)).max()?;
    let open = before[at..].find('(')? + at;
    match csharp::evaluate(csharp::bracketed(&before[open..])?, constants) {
        super::properties::Told::Value(name) => Some(name),
        super::properties::Told::Unknown(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::properties::Told;
    use super::*;

    #[test]
    fn isolated_and_in_process_forms() {
        let text = r#"
            public const string Db = "shop";
            [Function(nameof(PriceSync))]
            public Task Run([CosmosDBTrigger(
                databaseName: Db, containerName: "%Container%",
                Connection = "CosmosDB", MaxItemsPerInvocation = 100, LeaseContainerPrefix = Prefixes.Of(1)
            )] IReadOnlyList<Price> prices) { }
            [FunctionName("Old")]
            public static void Run([Microsoft.Azure.WebJobs.CosmosDBTrigger("a,b", "c")] IReadOnlyList<Document> d) {}
            class CosmosDBTriggerTests { CosmosDBTrigger(x); }
        "#;
        let mut constants = Constants::default();
        constants.read(text);
        let found = attributes(text, &constants);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].line, found[0].function.as_deref()), (4, Some("PriceSync")));
        let value = |names: &[&str]| found[0].properties.get(names).cloned();
        assert_eq!(value(&["databaseName"]), Some(Told::Value("shop".to_owned())));
        assert_eq!(value(&["collectionName", "containerName"]), Some(Told::Value("%Container%".to_owned())));
        assert_eq!(value(&["maxItemsPerInvocation"]), Some(Told::Value("100".to_owned())));
        assert_eq!(value(&["leaseContainerPrefix"]), Some(Told::Unknown("Prefixes.Of(1)".to_owned())));
        assert_eq!(found[1].function.as_deref(), Some("Old"));
        assert_eq!(found[1].properties.get(&["databaseName"]), Some(&Told::Value("a,b".to_owned())));
    }
}
