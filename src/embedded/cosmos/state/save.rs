//! Writing the emulator's part of a state file.

use std::io::{self, Write};
use std::sync::Arc;

use serde_json::json;

use super::super::container::Container;
use super::super::document::Document;
use super::super::feed::log::{Operation, Version};
use super::super::feed::snapshot::{Content, Told};
use super::{ContainerLine, Database};

/// Everything in the emulator at one instant. Holds a pointer per document, no copies.
#[derive(Debug)]
pub struct Snapshot {
    databases: Vec<Database>,
    containers: Vec<(ContainerLine, Content)>,
}

impl Snapshot {
    pub(in super::super) fn new(databases: Vec<(String, String)>) -> Self {
        let database = |(id, rid)| Database { id, rid };
        Self { databases: databases.into_iter().map(database).collect(), containers: Vec::new() }
    }

    /// Takes in a container as it is now; `definition` is what the store says of it.
    pub(in super::super) fn add(&mut self, container: &Container, mut definition: serde_json::Value) {
        if let Some(fields) = definition.as_object_mut() {
            fields.retain(|name, _| !name.starts_with('_'));
        }
        let content = container.ranges().content();
        let line = ContainerLine {
            database: container.database.clone(),
            id: container.id.clone(),
            rid: container.rid.clone(),
            definition,
            throughput: container.offered(),
            layout: content.layout.clone(),
        };
        self.containers.push((line, content));
    }

    /// Documents in it.
    pub fn documents(&self) -> u64 {
        self.containers
            .iter()
            .map(|(_, content)| {
                let mut present = std::collections::HashSet::new();
                let latest = content.latest.iter().map(|document| &document.key);
                present.extend(latest);
                for version in &content.history {
                    match (&version.current, &version.previous) {
                        (Some(current), _) => present.insert(&current.key),
                        (None, Some(gone)) => present.remove(&gone.key),
                        (None, None) => false,
                    };
                }
                present.len() as u64
            })
            .sum()
    }

    /// Writes it, line by line.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for database in &self.databases {
            writeln!(out, "{}", json!({ "database": database }))?;
        }
        for (line, content) in &self.containers {
            writeln!(out, "{}", json!({ "container": line }))?;
            for document in &content.latest {
                write!(out, "{{\"lsn\":{},\"part\":{},\"document\":", document.lsn, document.part)?;
                out.write_all(&document.text)?;
                out.write_all(b"}\n")?;
            }
            let mut told = Told::default();
            for version in &content.history {
                write_version(version, &mut told, out)?;
            }
        }
        Ok(())
    }
}

fn write_version(version: &Version, told: &mut Told, out: &mut impl Write) -> io::Result<()> {
    let Some(image) = version.current.as_ref().or(version.previous.as_ref()) else { return Ok(()) };
    let part = version.current.as_ref().map_or(0, |document| document.part);
    let operation = match version.operation {
        Operation::Create => "create",
        Operation::Replace => "replace",
        Operation::Delete => "delete",
        Operation::Expire => "expire",
    };
    write!(
        out,
        "{{\"lsn\":{},\"part\":{part},\"version\":\"{operation}\",\"ts\":{}",
        version.lsn, version.ts
    )?;
    if let Some(current) = &version.current {
        out.write_all(b",\"current\":")?;
        out.write_all(&current.text)?;
    }
    let untold =
        |previous: &&Arc<Document>| told.last(&previous.key).is_none_or(|last| !Arc::ptr_eq(last, previous));
    if let Some(previous) = version.previous.as_ref().filter(untold) {
        write!(out, ",\"previousLsn\":{},\"previous\":", previous.lsn)?;
        out.write_all(&previous.text)?;
    } else if version.current.is_none() {
        let (epk, id) = (image.key.0.to_hex(), json!(image.key.1));
        write!(out, ",\"epk\":\"{epk}\",\"id\":{id}")?;
    }
    out.write_all(b"}\n")?;
    told.tell(image.key.clone(), version.current.as_ref());
    Ok(())
}
