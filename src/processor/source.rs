//! What a processor needs of the monitored container. A trait only because the simulations run on tokio's
//! paused clock, where no socket can be waited for.

use std::future::Future;

use crate::cosmos::{Container, CosmosError, FeedPage, FeedPosition, FeedScope, News, PhysicalRange};

/// A container with a change feed.
pub trait FeedSource: Send + Sync + 'static {
    /// One page; see [`Container::feed_page`] for the errors.
    fn feed_page(
        &self,
        scope: &FeedScope,
        from: &FeedPosition,
        max_items: Option<u32>,
    ) -> impl Future<Output = Result<FeedPage, CosmosError>> + Send;

    /// The physical ranges alive now, in order.
    fn feed_ranges(
        &self,
        refresh: bool,
    ) -> impl Future<Output = Result<Vec<PhysicalRange>, CosmosError>> + Send;

    /// News of writes, where the source tells of them: idle ranges are read then, and hardly else.
    fn news(&self) -> Option<News> {
        None
    }
}

impl FeedSource for Container {
    fn feed_page(
        &self,
        scope: &FeedScope,
        from: &FeedPosition,
        max_items: Option<u32>,
    ) -> impl Future<Output = Result<FeedPage, CosmosError>> + Send {
        Container::feed_page(self, scope, from, max_items)
    }

    fn feed_ranges(
        &self,
        refresh: bool,
    ) -> impl Future<Output = Result<Vec<PhysicalRange>, CosmosError>> + Send {
        Container::feed_ranges(self, refresh)
    }

    fn news(&self) -> Option<News> {
        Container::news(self)
    }
}
