//! Throughput of containers and databases as documents of their own. The inner store keeps them, but names their
//! owner by its rid where the service has its link, which the SDKs of Node and Python look for.

use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;

use super::answer::Answer;
use super::catalog::Catalog;
use super::errors::bad_request;
use super::request::Ask;
use super::sql::dialect;
use super::store::Store;

/// Answers what is asked of `/offers`.
pub(super) async fn answer(store: &Store, ask: &Ask, catalog: &Catalog) -> Answer {
    let mut inner = ask.clone();
    if ask.is_query() {
        match dialect::to_store(&ask.body) {
            Ok(body) => inner.body = by_rids(&body),
            Err(message) => return bad_request(message),
        }
    }
    let mut answer = store.forward(&inner).await;
    if ask.method == Method::PUT && answer.status.is_success() {
        catalog.note_offer(&answer.body);
    }
    if answer.status == StatusCode::OK
        && let Ok(mut said) = serde_json::from_slice::<Value>(&answer.body)
    {
        match said.get_mut("Offers").and_then(Value::as_array_mut) {
            Some(offers) => offers.iter_mut().for_each(|offer| name_owner(offer, catalog)),
            None => name_owner(&mut said, catalog),
        }
        answer.body = said.to_string().into();
    }
    answer
}

fn name_owner(offer: &mut Value, catalog: &Catalog) {
    let link = offer.get("offerResourceId").and_then(Value::as_str).and_then(|rid| catalog.link_of(rid));
    if let Some(link) = link {
        offer["resource"] = link.into();
    }
}

/// A query in the store's dialect with rids where it has links.
fn by_rids(body: &Bytes) -> Bytes {
    let Ok(mut sent) = serde_json::from_slice::<Value>(body) else { return body.clone() };
    if let Some(query) = sent.get("query").and_then(Value::as_str) {
        let parts: Vec<&str> = query.split('\'').map(|part| rid_of(part).unwrap_or(part)).collect();
        sent["query"] = parts.join("'").into();
    }
    for parameter in sent.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(rid) = parameter.get("value").and_then(Value::as_str).and_then(rid_of).map(str::to_owned)
        {
            parameter["value"] = rid.into();
        }
    }
    sent.to_string().into()
}

/// The rid at the end of a link.
fn rid_of(link: &str) -> Option<&str> {
    link.strip_prefix("dbs/")?.trim_end_matches('/').rsplit('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_rids_in_text_and_parameters() {
        let sent = r#"{"parameters":[{"name":"@l","value":"dbs/A==/colls/B=/"}],"query":"SELECT * FROM r WHERE r.resource = 'dbs/A==/' OR r.resource = @l"}"#;
        let asked = r#"{"parameters":[{"name":"@l","value":"B="}],"query":"SELECT * FROM r WHERE r.resource = 'A==' OR r.resource = @l"}"#;
        assert_eq!(by_rids(&Bytes::from(sent)), asked);
    }
}
