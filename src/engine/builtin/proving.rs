//! Proving that the sync has caught up: with markers in the source, or with LSNs.

use std::sync::Arc;

use super::Builtin;
use crate::cache::CacheClient;
use crate::cosmos::{Container, CosmosError};
use crate::engine::event::Level;
use crate::engine::observe::leases::prefix;
use crate::engine::proof::Proof;
use crate::engine::source::Source;
use crate::sync::remove_old_markers;
use crate::wording::counted;

/// How much is to be proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proving {
    /// Nobody waits for it: only our own leases are looked at.
    Casually,
    /// All leases, by LSNs.
    Lsns,
    /// All leases, and markers.
    Markers,
}

impl Builtin {
    /// Notes what is to be proven, before the processors start.
    pub(super) async fn begin_proof(
        &mut self,
        source: &Source,
        leases: &Container,
        proving: Proving,
    ) -> Result<(), String> {
        let tell = |error: CosmosError| error.with_remedy();
        self.remove_markers().await;
        let mut reason = "no marker documents are wanted".to_owned();
        if proving == Proving::Markers {
            match Proof::by_markers(&source.monitored, &prefix(&self.shared, source)).await {
                Ok(proof) => {
                    self.proof = proof;
                    self.proof.observe(&self.shared, source, leases);
                    return Ok(());
                }
                Err(error) if error.is_passing() => return Err(tell(error)),
                // A key that may only read, a policy of the container: the LSNs prove it, too.
                Err(error) => reason = tell(error),
            }
            let text = format!("no markers can be written, so the LSNs are the proof: {reason}");
            self.shared.report.log(Level::Warning, "sync", text).await;
        }
        self.proof = Proof::by_lsns(&source.monitored, reason).await.map_err(tell)?;
        if proving != Proving::Casually {
            self.proof.observe(&self.shared, source, leases);
        }
        Ok(())
    }

    /// What a start outside of a rebuild has to prove.
    pub(super) fn proving(&self) -> Proving {
        let sync = &self.shared.settings.sync;
        match (sync.until_idle, sync.markers) {
            (false, _) => Proving::Casually,
            (true, false) => Proving::Lsns,
            (true, true) => Proving::Markers,
        }
    }

    /// Outside of a rebuild the markers go as soon as they have proven what they were for.
    pub(super) async fn follow_proof(&mut self) {
        if self.replay.is_none() && self.proof.has_markers() && self.idle() {
            self.remove_markers().await;
        }
    }

    /// Removes our markers; a later run removes what is left by this one.
    pub(super) async fn remove_markers(&mut self) {
        if let Err(reason) = self.proof.remove_markers(&self.shared).await {
            let text = format!("markers are left in the source, and removed by the next rebuild: {reason}");
            self.shared.report.log(Level::Warning, "sync", text).await;
        }
    }

    /// Removes the markers that earlier runs have left.
    pub(super) async fn remove_old_markers(&mut self) {
        let Some(source) = self.source() else { return };
        let by = prefix(&self.shared, &source).info_id();
        let removed = async {
            let cache = CacheClient::connect(&self.shared.settings.redis)
                .await
                .map_err(|error| error.with_remedy())?;
            remove_old_markers(&source.monitored, &cache, &Arc::clone(&self.shared.mapping), &by).await
        };
        let (level, text) = match removed.await {
            Ok(0) => return,
            Ok(count) => {
                (Level::Info, format!("removed {} that an earlier run has left", counted(count, "marker")))
            }
            Err(reason) => (Level::Warning, format!("markers of earlier runs are not removed: {reason}")),
        };
        self.shared.report.log(level, "rebuild", text).await;
    }
}
