//! Queries over all partitions: documents as JSON bytes, drained page by page.

use azure_data_cosmos_driver::models::{CosmosOperation, FeedRange, MaxItemCountHint, ResponseBody};
use azure_data_cosmos_driver::options::{OperationOptions, PlanOptions};
use bytes::Bytes;
use serde_json::{Value, json};
use std::num::NonZeroU32;

use super::feed::slices;
use super::{Container, CosmosError};

/// Rows asked for in a page of a query. Servers cap it by size (4 MB) anyway.
const PAGE: NonZeroU32 = NonZeroU32::new(5_000).unwrap(); // a constant: it would fail when compiled

impl Container {
    /// Runs a query over all partitions and gives every row as JSON text.
    ///
    /// Use parameters or single quotes for texts: the embedded emulator takes `"x"` for an identifier.
    /// Aggregates over partitions are refused by the SDK (see [`Container::count`]).
    pub async fn query(&self, sql: &str, parameters: &[(&str, Value)]) -> Result<Vec<Bytes>, CosmosError> {
        let mut rows = Vec::new();
        self.query_pages(sql, parameters, |page| {
            rows.extend(page);
            Ok(())
        })
        .await?;
        Ok(rows)
    }

    /// Number of documents, over all partitions. The SDK cannot add up a COUNT over partitions, so this reads
    /// the smallest possible row for each document; tens of milliseconds for 10,000.
    pub async fn count(&self) -> Result<u64, CosmosError> {
        let mut count = 0;
        self.query_pages("SELECT VALUE 1 FROM c", &[], |page| {
            count += page.len() as u64;
            Ok(())
        })
        .await?;
        Ok(count)
    }

    /// As [`Container::query`], giving each page to `take` so that memory stays flat.
    pub async fn query_pages(
        &self,
        sql: &str,
        parameters: &[(&str, Value)],
        mut take: impl FnMut(Vec<Bytes>) -> Result<(), CosmosError>,
    ) -> Result<(), CosmosError> {
        let body = json!({
            "query": sql,
            "parameters": parameters.iter().map(|(n, v)| json!({ "name": n, "value": v })).collect::<Vec<_>>(),
        });
        let fail = |e: &azure_data_cosmos_driver::CosmosError| self.account.error(e, &self.what());
        let driver = &self.account.inner.driver;
        let operation = CosmosOperation::query_items(self.reference.clone(), Some(FeedRange::full()))
            .with_body(body.to_string().into_bytes())
            .with_max_item_count(MaxItemCountHint::Limit(PAGE));
        let options = OperationOptions::default();
        let mut plan = driver
            .plan_operation(operation, &options, None, &PlanOptions::default())
            .await
            .map_err(|e| fail(&e))?;
        while let Some(page) = driver
            .execute_plan(&mut plan, Some(self.reference.clone()), options.clone())
            .await
            .map_err(|e| fail(&e))?
        {
            take(rows(page.into_body())?)?;
        }
        Ok(())
    }
}

fn rows(body: ResponseBody) -> Result<Vec<Bytes>, CosmosError> {
    match body {
        ResponseBody::NoPayload => Ok(Vec::new()),
        ResponseBody::Items(rows) => Ok(rows),
        ResponseBody::Bytes(page) => Ok(slices(&page)?.1),
    }
}
