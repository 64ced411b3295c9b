//! Results as JSON text. A whole document is written as its client wrote it, even as a part of a result.

use serde_json::Value;

use super::Fault;
use super::ast::{Expr, Select};
use super::evaluate::{Binding, Row, eval};
use super::run::Work;

/// Appends the result of a row; false if it is undefined, which is no result.
pub(super) fn write_result(
    select: &Select,
    row: &Row<'_>,
    work: &Work,
    out: &mut Vec<u8>,
) -> Result<bool, Fault> {
    match select {
        Select::Star(slot) => write(&Expr::Name { out: 0, slot: *slot }, row, work, out),
        Select::Value(value) => write(value, row, work, out),
        Select::List(items) => write_fields(items, row, work, out).map(|()| true),
    }
}

fn write(expr: &Expr, row: &Row<'_>, work: &Work, out: &mut Vec<u8>) -> Result<bool, Fault> {
    match expr {
        Expr::Name { out: up, slot } if matches!(row.binding(*up, *slot), Some(Binding::Document(_))) => {
            if let Some(Binding::Document(document)) = row.binding(*up, *slot) {
                work.spend(1)?;
                out.extend_from_slice(&document.document.text);
            }
            Ok(true)
        }
        Expr::Object(fields) => write_fields(fields, row, work, out).map(|()| true),
        Expr::Array(items) => {
            out.push(b'[');
            for item in items {
                let before = out.len();
                if before > 0 && out.last() != Some(&b'[') {
                    out.push(b',');
                }
                if !write(item, row, work, out)? {
                    out.truncate(before);
                }
            }
            out.push(b']');
            Ok(true)
        }
        _ => match eval(expr, row, work)? {
            None => Ok(false),
            Some(value) => {
                write_value(&value, out);
                work.spend_bytes(out.len())?;
                Ok(true)
            }
        },
    }
}

fn write_fields(
    fields: &[(String, Expr)],
    row: &Row<'_>,
    work: &Work,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    out.push(b'{');
    let mut first = true;
    for (name, field) in fields {
        let before = out.len();
        if !first {
            out.push(b',');
        }
        write_value(&Value::from(name.as_str()), out);
        out.push(b':');
        if write(field, row, work, out)? {
            first = false;
        } else {
            out.truncate(before);
        }
    }
    out.push(b'}');
    Ok(())
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    // A whole number without a fraction, as the service writes it.
    let whole = match value {
        Value::Number(n) if n.is_f64() => n.as_f64().and_then(super::value::number),
        _ => None,
    };
    out.extend_from_slice(whole.as_ref().unwrap_or(value).to_string().as_bytes());
}
