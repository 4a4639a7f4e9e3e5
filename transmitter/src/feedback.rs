//! CSIT (channel state information at the transmitter): the channel that each burst will pass.
//!
//! The fading of a burst follows from its noise key and its conditions, so the transmitter computes in advance the draw
//! that the channel emulator will make. It then writes key and conditions into the burst, which makes both draws the
//! same.

use phy::Conditions;
use proto::v1::channel_emulator_client::ChannelEmulatorClient;
use proto::v1::{Burst, GetConditionsRequest, NoiseKey};
use runtime::PeerUrl;
use runtime::backoff::{Backoff, Disconnection};
use runtime::connect::{UNARY_DEADLINE, is_transient};
use schemes::scheme::Csit;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};
use tonic::Status;
use tonic::transport::Channel;
use wire::convert;

/// How long the live conditions read from the emulator are used before they are read again. A burst without pinned
/// conditions may get conditions this old.
const HOLDS: Duration = Duration::from_millis(100);

/// The seed of the noise key of bursts that have none: the emulator's own seed is not known here.
const SEED: u64 = 0;

/// The source of CSIT. It reads the emulator's live conditions at most once every 100 ms.
pub struct Feedback {
    client: ChannelEmulatorClient<Channel>,
    disconnection: Disconnection,
    told: Mutex<Option<(Instant, Conditions)>>,
}

impl Feedback {
    /// CSIT from the channel emulator at `url`, over `channel`.
    pub fn new(channel: Channel, url: &PeerUrl) -> Self {
        Feedback {
            client: ChannelEmulatorClient::new(channel),
            disconnection: Disconnection::new(format!("conditions of the channel emulator at {url}")),
            told: Mutex::new(None),
        }
    }

    /// Fixes the channel of `burst` and returns its CSIT. A burst without pinned conditions is pinned to the live ones,
    /// and one without a noise key gets one: seed 0, draw 0, its sequence number as the row. Waits while the emulator
    /// is away.
    ///
    /// # Errors
    /// Fails if the burst's conditions are not valid, or if the emulator refuses for good to return its own.
    pub async fn settle(&self, burst: &mut Burst) -> Result<Csit, Status> {
        let conditions = match &burst.conditions {
            Some(pinned) => convert::conditions_from_wire(pinned)
                .map_err(|fault| Status::invalid_argument(fault.within("conditions").to_string()))?,
            None => {
                let live = self.live().await?;
                burst.conditions = Some(convert::conditions_to_wire(&live));
                live
            }
        };
        let row = burst.delivery.as_ref().map_or(0, |delivery| delivery.sequence);
        let key = burst.noise.get_or_insert(NoiseKey { seed: SEED, draw: 0, row });
        Ok(Csit::ahead(convert::noise_key_from_wire(key), &conditions))
    }

    /// The emulator's live conditions, read at most [`HOLDS`] ago.
    async fn live(&self) -> Result<Conditions, Status> {
        let mut told = self.told.lock().await;
        if let Some((at, conditions)) = *told
            && at.elapsed() < HOLDS
        {
            return Ok(conditions);
        }
        let conditions = self.ask().await?;
        *told = Some((Instant::now(), conditions));
        Ok(conditions)
    }

    async fn ask(&self) -> Result<Conditions, Status> {
        let mut backoff = Backoff::default();
        loop {
            let mut client = self.client.clone();
            let answer = timeout(UNARY_DEADLINE, client.get_conditions(GetConditionsRequest {})).await;
            match answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("it does not answer"))) {
                Ok(answer) => {
                    self.disconnection.end();
                    return convert::required_conditions(answer.get_ref().conditions.as_ref())
                        .map_err(|fault| Status::internal(format!("the emulator's live conditions: {fault}")));
                }
                Err(status) if is_transient(&status) => self.disconnection.begin(&status),
                Err(status) => return Err(status),
            }
            sleep(backoff.next_delay()).await;
        }
    }
}
