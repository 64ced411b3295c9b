//! Flags of the built-in sync, under .NET's names.

use clap::Args;

use crate::config::{self, Key, Overrides};

/// Options of the built-in sync, under .NET's names and with its defaults.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Built-in sync")]
pub struct ProcessorArgs {
    /// Where leases without continuation start: beginning, now or a time such as 2026-03-01T12:00:00Z
    /// [default: now]
    #[arg(long, value_name = "POSITION", value_parser = start)]
    pub start: Option<String>,
    /// How many instances share the leases [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub instances: Option<u16>,
    /// Most documents in a page [default: the service decides]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=2_147_483_647))]
    pub max_items: Option<u32>,
    /// Longest wait between two reads of an idle range [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = interval)]
    pub poll_interval: Option<String>,
    /// Name of this instance as owner of leases [default: a new one each run]
    #[arg(long, value_name = "NAME")]
    pub instance_name: Option<String>,
    /// How often free leases are looked for [default: 13s]
    #[arg(long, value_name = "TIME", value_parser = interval)]
    pub acquire_interval: Option<String>,
    /// A lease without heartbeat for so long is free [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = interval)]
    pub expiration_interval: Option<String>,
    /// How often a heartbeat is written [default: 17s]
    #[arg(long, value_name = "TIME", value_parser = interval)]
    pub renew_interval: Option<String>,
    /// Form of new leases: 1 by EPK range, 0 by partition key range, for a store that an old .NET trigger
    /// shares [default: 1]
    #[arg(long, value_name = "0|1", value_parser = clap::value_parser!(u8).range(0..=1))]
    pub lease_version: Option<u8>,
}

impl ProcessorArgs {
    pub(super) fn lay_over(&self, overrides: &mut Overrides) {
        let texts = [
            (Key::Start, self.start.clone()),
            (Key::Instances, self.instances.map(|number| number.to_string())),
            (Key::MaxItems, self.max_items.map(|number| number.to_string())),
            (Key::PollInterval, self.poll_interval.clone()),
            (Key::InstanceName, self.instance_name.clone()),
            (Key::AcquireInterval, self.acquire_interval.clone()),
            (Key::ExpirationInterval, self.expiration_interval.clone()),
            (Key::RenewInterval, self.renew_interval.clone()),
            (Key::LeaseVersion, self.lease_version.map(|number| number.to_string())),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                overrides.set(key, text);
            }
        }
    }
}

/// A position as the configuration reads it.
pub(super) fn start(text: &str) -> Result<String, String> {
    config::start_position(text).map(|_| text.to_owned())
}

/// A length of time as the configuration reads it.
pub(super) fn interval(text: &str) -> Result<String, String> {
    config::interval(text).map(|_| text.to_owned())
}
