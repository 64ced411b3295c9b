//! An embedded Cosmos emulator with a container in it, and SDK clients for it.

use std::num::NonZeroU32;
use std::time::Duration;

use azure_data_cosmos::clients::{ContainerClient, CosmosClient};
use azure_data_cosmos::feed::{ChangeFeedPageIterator, FeedScope};
use azure_data_cosmos::models::{ChangeFeedItem, ContainerProperties};
use azure_data_cosmos::options::{
    BinaryEncodingOptions, ChangeFeedOptions, ChangeFeedStartFrom, ConnectionPoolOptions, MaxItemCountHint,
};
use azure_data_cosmos::{AccountReference, CosmosRuntime, RoutingStrategy};
use serde_json::Value;
use syncscope::embedded::cosmos::{Emulator, EmulatorOptions, PortChoice};

/// The source container's place in every test.
pub(crate) const DATABASE: &str = "shop";
/// See [`DATABASE`].
pub(crate) const CONTAINER: &str = "prices";

/// An emulator on a free port, over http, with nothing in it.
pub(crate) async fn empty_emulator() -> Emulator {
    Emulator::start(EmulatorOptions { port: PortChoice::Free, ..EmulatorOptions::default() }).await.unwrap()
}

/// An emulator on a free port with `shop/prices` and `shop/leases`, both partitioned by `/id`.
pub(crate) async fn emulator() -> (Emulator, ContainerClient) {
    let emulator = empty_emulator().await;
    let client = client(&emulator).await;
    client.create_database(DATABASE, None).await.unwrap();
    let database = client.database_client(DATABASE);
    for name in [CONTAINER, "leases"] {
        database.create_container(ContainerProperties::new(name, "/id".into()), None).await.unwrap();
    }
    let prices = database.container_client(CONTAINER, None).await.unwrap();
    (emulator, prices)
}

/// A client of the SDK, over HTTP/1.1.
pub(crate) async fn client(emulator: &Emulator) -> CosmosClient {
    client_of(emulator.endpoint().as_str(), emulator.key(), false).await.unwrap()
}

/// A client with this key; `http2` = prior knowledge, the SDK never negotiates.
pub(crate) async fn client_of(
    endpoint: &str,
    key: &str,
    http2: bool,
) -> Result<CosmosClient, azure_data_cosmos::CosmosError> {
    let pool = ConnectionPoolOptions::builder()
        .with_is_http2_allowed(http2)
        .with_max_metadata_request_timeout(Duration::from_secs(5))
        .build()?;
    let runtime = CosmosRuntime::builder().with_connection_pool(pool).build().await?;
    let account = AccountReference::with_authentication_key(endpoint.parse().unwrap(), key.to_owned());
    CosmosClient::builder()
        .with_runtime(runtime)
        .with_binary_encoding_options(BinaryEncodingOptions::new().with_enabled(false))
        .build(account, RoutingStrategy::ProximityTo("East US".into()))
        .await
}

/// The feed of a whole container from its beginning (or the token in the options), read by the SDK.
pub(crate) async fn sdk_feed(
    container: &ContainerClient,
    options: ChangeFeedOptions,
) -> ChangeFeedPageIterator<ChangeFeedItem<Value>> {
    container
        .query_change_feed(FeedScope::full_container(), ChangeFeedStartFrom::Beginning, Some(options))
        .await
        .unwrap()
}

/// Pages of at most so many documents.
pub(crate) fn paged(most: u32) -> ChangeFeedOptions {
    ChangeFeedOptions::default().with_max_item_count(MaxItemCountHint::Limit(NonZeroU32::new(most).unwrap()))
}
