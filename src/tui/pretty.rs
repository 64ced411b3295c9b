//! JSON text, indented without reading its values: `12.00` stays `12.00` and names keep their order,
//! which a parse and print would lose.

/// Most lines that are made of one document; the rest is told, not shown.
pub(crate) const MAX_LINES: usize = 4_000;

/// The lines of a JSON text; a text that is no JSON comes back as its own lines.
pub(crate) fn lines(json: &str) -> Vec<String> {
    let valid = serde_json::from_str::<&serde_json::value::RawValue>(json).is_ok();
    let mut lines =
        if valid { indent(json) } else { json.lines().take(MAX_LINES + 1).map(str::to_owned).collect() };
    if lines.len() > MAX_LINES {
        lines.truncate(MAX_LINES);
        lines.push(format!("… cut here: {} in all", super::widgets::text::bytes(json.len() as u64)));
    }
    lines
}

fn indent(json: &str) -> Vec<String> {
    let mut out = Lines { done: Vec::new(), line: String::new(), depth: 0 };
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        if out.done.len() > MAX_LINES {
            break;
        }
        match c {
            '"' => {
                out.line.push('"');
                let mut escaped = false;
                for c in chars.by_ref() {
                    out.line.push(c);
                    match c {
                        '"' if !escaped => break,
                        '\\' => escaped = !escaped,
                        _ => escaped = false,
                    }
                }
            }
            '{' | '[' => {
                out.line.push(c);
                while chars.peek().is_some_and(|c| c.is_whitespace()) {
                    chars.next();
                }
                if let Some(close) = chars.next_if(|c| matches!(c, '}' | ']')) {
                    out.line.push(close);
                } else {
                    out.depth += 1;
                    out.end();
                }
            }
            '}' | ']' => {
                out.depth = out.depth.saturating_sub(1);
                out.end();
                out.line.push(c);
            }
            ',' => {
                out.line.push(',');
                out.end();
            }
            ':' => out.line.push_str(": "),
            c if c.is_whitespace() => {}
            c => out.line.push(c),
        }
    }
    out.done.push(out.line);
    out.done
}

struct Lines {
    done: Vec<String>,
    line: String,
    depth: usize,
}

impl Lines {
    fn end(&mut self) {
        // Deep nesting must not push everything out of the window.
        let next = "  ".repeat(self.depth.min(40));
        self.done.push(std::mem::replace(&mut self.line, next));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_numbers_and_strings() {
        let json = r#"{"z": 12.00,"a":{"b":[1,{}],"c":"x:,{\"y\\"}, "e":[ ]}"#;
        assert_eq!(
            lines(json),
            [
                "{",
                "  \"z\": 12.00,",
                "  \"a\": {",
                "    \"b\": [",
                "      1,",
                "      {}",
                "    ],",
                r#"    "c": "x:,{\"y\\""#,
                "  },",
                "  \"e\": []",
                "}"
            ]
        );
    }

    #[test]
    fn what_is_no_json_stays_as_it_is() {
        assert_eq!(lines("{oops\nhere"), ["{oops", "here"]);
        assert_eq!(lines("42"), ["42"]);
        assert!(lines("").is_empty());
    }

    #[test]
    fn a_huge_document_is_cut_and_says_so() {
        let json = format!("[{}1]", "1,".repeat(20_000));
        let lines = lines(&json);
        assert_eq!(lines.len(), MAX_LINES + 1);
        assert!(lines[MAX_LINES].starts_with("… cut here: 40.0 kB"));
    }
}
