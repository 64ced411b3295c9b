//! An account over an embedded emulator, with the containers of the product.

use serde_json::Value;
use syncscope::config::{CosmosConnection, Secret};
use syncscope::cosmos::{Account, Container, ContainerSpec, PartitionKey, WriteReceipt};
use syncscope::embedded::cosmos::Emulator;

/// How to reach the emulator.
pub(crate) fn connection(emulator: &Emulator) -> CosmosConnection {
    CosmosConnection {
        endpoint: emulator.endpoint().clone(),
        key: Secret::new(emulator.key()),
        probe_scheme: false,
    }
}

/// `shop/prices` by `/id`, created.
pub(crate) async fn prices(emulator: &Emulator) -> Container {
    container(emulator, "prices", "/id").await
}

/// A container of `shop`, created, through a connection of its own.
pub(crate) async fn container(emulator: &Emulator, name: &str, path: &str) -> Container {
    let account = Account::connect(&connection(emulator)).await.expect("connects");
    account.ensure_database("shop").await.expect("database");
    account.ensure_container("shop", &ContainerSpec::new(name, path)).await.expect("container");
    account.container("shop", name).await.expect("opens")
}

/// Upserts a document of this id.
pub(crate) async fn put(container: &Container, id: &str, document: &Value) -> WriteReceipt {
    let mut document = document.clone();
    document["id"] = id.into();
    container.upsert(&PartitionKey::from(id), document.to_string().as_bytes()).await.expect("upserts")
}
