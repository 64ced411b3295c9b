//! CSV → documents: the header names the fields, dots nest them, numbers and truth values are typed.

use std::io::Read;

use indexmap::IndexMap;

use super::import::{ImportError, Taker, document, end};

use crate::wording::counted;

/// Where a column's value goes.
enum Node {
    Column(usize),
    Object(IndexMap<String, Node>),
}

/// Reads to the end, or until nobody wants more.
pub(super) fn read(input: impl Read, take: &mut Taker<'_>) {
    let mut reader = csv::ReaderBuilder::new().from_reader(input);
    let tree = match reader.headers() {
        Ok(header) => tree(header),
        Err(error) => Err(error.to_string()),
    };
    let tree = match tree {
        Ok(tree) => tree,
        Err(message) => return end(take, ImportError::last(1, message)),
    };
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return,
            Ok(true) => {
                let line = record.position().map_or(0, csv::Position::line);
                let mut json = String::new();
                write(&tree, &record, &mut json);
                if !take(document(&json, line)) {
                    return;
                }
            }
            Err(error) => {
                let line = error.position().map_or_else(|| reader.position().line(), csv::Position::line);
                let ends = matches!(error.kind(), csv::ErrorKind::Io(_));
                let message = told(&error);
                if !take(Err(ImportError { line, message, ends })) || ends {
                    return;
                }
            }
        }
    }
}

/// The error without its own place.
fn told(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {}, the header has {expected_len}", counted(*len, "field"))
        }
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

/// `id,price.current,price.currency` → an object in an object.
fn tree(header: &csv::StringRecord) -> Result<IndexMap<String, Node>, String> {
    let mut root = IndexMap::new();
    for (column, name) in header.iter().enumerate() {
        let name = name.trim().trim_start_matches('\u{FEFF}');
        if name.is_empty() || name.split('.').any(str::is_empty) {
            return Err(format!("column {} of the header has no name", column + 1));
        }
        let mut names: Vec<&str> = name.split('.').collect();
        let last = names.pop().unwrap_or_default();
        let mut object = &mut root;
        for part in names {
            let node = object.entry(part.to_owned()).or_insert_with(|| Node::Object(IndexMap::new()));
            let Node::Object(inner) = node else {
                return Err(format!("column {name:?} of the header nests in a field that has a value"));
            };
            object = inner;
        }
        if object.insert(last.to_owned(), Node::Column(column)).is_some() {
            return Err(format!("column {name:?} of the header is there twice"));
        }
    }
    if root.get("id").is_none_or(|node| !matches!(node, Node::Column(_))) {
        return Err("the header has no column id".to_owned());
    }
    Ok(root)
}

/// An object of a row's values; empty cells leave their field out.
fn write(object: &IndexMap<String, Node>, record: &csv::StringRecord, out: &mut String) {
    out.push('{');
    let mut first = true;
    for (name, node) in object {
        let before = out.len();
        if !first {
            out.push(',');
        }
        out.push_str(&quoted(name));
        out.push(':');
        let written = match node {
            Node::Object(inner) => {
                let start = out.len();
                write(inner, record, out);
                &out[start..] != "{}"
            }
            Node::Column(column) => match record.get(*column).unwrap_or_default() {
                "" => false,
                text if name == "id" || !is_typed(text) => {
                    out.push_str(&quoted(text));
                    true
                }
                text => {
                    out.push_str(text);
                    true
                }
            },
        };
        if written {
            first = false;
        } else {
            out.truncate(before);
        }
    }
    out.push('}');
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Numbers as JSON spells them (`007` and `+1` are texts), `true`, `false`, `null`.
fn is_typed(text: &str) -> bool {
    let number = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
        && serde_json::from_str::<f64>(text).is_ok_and(f64::is_finite);
    number || matches!(text, "true" | "false" | "null")
}

#[cfg(test)]
mod tests {
    use super::super::import::{FileForm, import};

    fn read(text: &str) -> Vec<Result<String, String>> {
        let mut all = Vec::new();
        import(FileForm::Csv, text.as_bytes(), &mut |made| {
            all.push(made.map(|made| made.json).map_err(|error| error.to_string()));
            true
        });
        all
    }

    #[test]
    fn columns_nest_by_dots_and_values_are_typed() {
        let all = read(
            "id,name,price.current,price.currency,stock,active,sku\n\
             7,\"Mug, \"\"blue\"\"\",39.90,GBP,,true,007\n\
             p-2,,-1.5e3,,0,false,+1\n",
        );
        assert_eq!(
            all[0].as_deref(),
            Ok(
                r#"{"id":"7","name":"Mug, \"blue\"","price":{"current":39.90,"currency":"GBP"},"active":true,"sku":"007"}"#
            )
        );
        assert_eq!(
            all[1].as_deref(),
            Ok(r#"{"id":"p-2","price":{"current":-1.5e3},"stock":0,"active":false,"sku":"+1"}"#)
        );
    }

    #[test]
    fn wrong_rows_are_told_with_their_line_and_the_others_are_read() {
        let all = read("id,n\na,1\nb\n\"c\nd\",2\n,3\ne,4\n");
        assert_eq!(all[0].as_deref(), Ok(r#"{"id":"a","n":1}"#));
        assert_eq!(all[1].as_ref().unwrap_err(), "line 3: it has 1 field, the header has 2");
        assert_eq!(all[3].as_ref().unwrap_err(), "line 6: it has no id");
        assert_eq!(all[4].as_deref(), Ok(r#"{"id":"e","n":4}"#));
    }

    #[test]
    fn wrong_headers_are_told() {
        for (header, words) in [
            ("name,price", "no column id"),
            ("id,a,a", "twice"),
            ("id,a,a.b", "nests in a field"),
            ("id,,b", "column 2"),
            ("id,a.b,a", "twice"),
        ] {
            let told = read(&format!("{header}\n1,2,3\n")).remove(0).unwrap_err();
            assert!(told.starts_with("line 1: ") && told.contains(words), "{told}");
        }
    }
}
