//! Being told of writes instead of asking for them: a server in this same process can do that.

use tokio::sync::watch;

/// Tells that a container was written to, or that its ranges changed. Not what, and not how often: whoever
/// is told reads the feed as always.
#[derive(Debug, Clone)]
pub struct News(watch::Receiver<()>);

impl News {
    /// News from whoever holds the other end.
    pub fn new(told: watch::Receiver<()>) -> Self {
        Self(told)
    }

    /// What was told so far is known. To be called before the feed is read: what is written while it is read
    /// is news then.
    pub fn forget(&mut self) {
        self.0.mark_unchanged();
    }

    /// Ends with the next news; never, if the teller is gone.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn news_that_came_while_reading_is_not_lost_and_a_teller_that_is_gone_is_silent() {
        let (teller, told) = watch::channel(());
        let mut news = News::new(told);
        teller.send_replace(());
        news.forget();
        teller.send_replace(());
        news.next().await;
        let soon = std::time::Duration::from_secs(1);
        assert!(tokio::time::timeout(soon, news.next()).await.is_err(), "told once");
        drop(teller);
        assert!(tokio::time::timeout(soon, news.next()).await.is_err(), "not busy for ever");
    }
}
