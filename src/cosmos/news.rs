//! Being told of writes instead of asking for them: a server in this same process can do that.

use std::time::Duration;

use tokio::sync::watch;

/// Whoever is told looks by himself only once in so many of the intervals in which he would without news.
const SELDOMER: u32 = 2;

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

    /// Ends with the next news, or when it is time to look without any: a teller can be mistaken, or gone.
    /// `interval` is what would pass between two looks without news.
    pub async fn next_within(&mut self, interval: Duration) {
        let next = async {
            if self.0.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let _ = tokio::time::timeout(interval.saturating_mul(SELDOMER), next).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn news_that_came_while_reading_is_not_lost_and_a_teller_that_is_gone_is_silent() {
        const INTERVAL: Duration = Duration::from_secs(1);
        async fn waited(news: &mut News) -> Duration {
            let start = tokio::time::Instant::now();
            news.next_within(INTERVAL).await;
            start.elapsed()
        }
        let (teller, told) = watch::channel(());
        let mut news = News::new(told);
        teller.send_replace(());
        news.forget();
        teller.send_replace(());
        assert_eq!(waited(&mut news).await, Duration::ZERO);
        assert!(waited(&mut news).await >= INTERVAL, "told once");
        drop(teller);
        assert!(waited(&mut news).await >= INTERVAL, "not busy for ever");
    }
}
