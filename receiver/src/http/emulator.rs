//! The dashboard's client of the channel emulator: follows and changes its live conditions.

use super::problem::Problem;
use phy::{ChannelKind, Conditions, SnrDb};
use proto::v1;
use proto::v1::channel_emulator_client::ChannelEmulatorClient;
use runtime::PeerUrl;
use runtime::backoff::{Backoff, Disconnection};
use runtime::connect::UNARY_DEADLINE;
use serde::Deserialize;
use tokio::sync::watch;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use wire::Fault;
use wire::convert::{change_to, required_conditions};

/// Least time in milliseconds between two updates of the followed conditions.
const INTERVAL_MS: u32 = 50;
/// How many times a change is retried because somebody else changed the conditions between reading and setting them.
const TRIES: usize = 16;

/// The last known state of the channel emulator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    /// The channel emulator does not answer.
    Away,
    /// The channel emulator answers; holds its live conditions.
    Here(Conditions),
}

/// A change of the live conditions: each given value replaces the current one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    kind: Option<String>,
    snr_db: Option<f64>,
    k_factor: Option<f64>,
}

impl Change {
    /// The conditions that result from applying the change to `current`. Fails if the change is empty or the result is
    /// not valid.
    fn apply(&self, current: &Conditions) -> Result<Conditions, Problem> {
        if self.kind.is_none() && self.snr_db.is_none() && self.k_factor.is_none() {
            return Err(Problem::bad("Nothing to change: expected kind, snr_db or k_factor."));
        }
        let bad = |problem: String| Problem::bad(format!("These are no conditions: {problem}."));
        let kind = self.kind.as_deref().map(str::parse::<ChannelKind>).transpose();
        let snr_db = self.snr_db.map(SnrDb::try_from).transpose().map_err(|error| bad(error.to_string()))?;
        let changed = kind.and_then(|kind| current.changed(kind, snr_db, self.k_factor));
        changed.map_err(|error| bad(error.to_string()))
    }
}

/// A client of one channel emulator.
pub struct Emulator {
    url: PeerUrl,
    /// The emulator's name in messages for people, with its URL.
    name: String,
    client: ChannelEmulatorClient<Channel>,
    seen: watch::Sender<Seen>,
}

impl Emulator {
    /// A client of the channel emulator at `url`; it counts as away until [`Emulator::follow`] has reached it.
    pub fn new(url: PeerUrl) -> Self {
        Emulator {
            name: format!("channel emulator at {url}"),
            client: ChannelEmulatorClient::new(url.channel()),
            url,
            seen: watch::Sender::new(Seen::Away),
        }
    }

    /// The emulator's URL.
    pub fn url(&self) -> &PeerUrl {
        &self.url
    }

    /// The last known state of the emulator, now and at every change.
    pub fn seen(&self) -> watch::Receiver<Seen> {
        self.seen.subscribe()
    }

    /// Checks, without a call, that the emulator is not known to be away.
    ///
    /// # Errors
    /// Fails with status 503 if the emulator did not answer last.
    pub fn check(&self) -> Result<(), Problem> {
        match *self.seen.borrow() {
            Seen::Here(_) => Ok(()),
            Seen::Away => Err(Problem::unavailable(format!("The {} does not answer.", self.name))),
        }
    }

    /// Follows the emulator's live conditions without end; reconnects with a growing delay while it is away.
    pub async fn follow(&self) {
        let disconnection = Disconnection::new(self.name.clone());
        let mut backoff = Backoff::default();
        loop {
            let status = self.follow_once(&disconnection, &mut backoff).await;
            disconnection.begin(&status);
            self.see(Seen::Away);
            tokio::time::sleep(backoff.next_delay()).await;
        }
    }

    /// Follows the live conditions until the stream ends; returns the status that ended it.
    async fn follow_once(&self, disconnection: &Disconnection, backoff: &mut Backoff) -> Status {
        let request = v1::WatchConditionsRequest { interval_ms: Some(INTERVAL_MS) };
        let mut conditions = match self.client.clone().watch_conditions(request).await {
            Ok(response) => response.into_inner(),
            Err(status) => return status,
        };
        loop {
            let checked = match conditions.message().await {
                Ok(Some(update)) => required_conditions(update.conditions.as_ref()),
                Ok(None) => return Status::unavailable("it has ended the stream"),
                Err(status) => return status,
            };
            match checked {
                Ok(conditions) => self.see(Seen::Here(conditions)),
                Err(fault) => return broken(&fault),
            }
            disconnection.end();
            backoff.reset();
        }
    }

    fn see(&self, new: Seen) {
        self.seen.send_if_modified(|seen| std::mem::replace(seen, new) != new);
    }

    /// Reads the emulator's live conditions.
    ///
    /// # Errors
    /// Fails if the call fails or its answer is not valid.
    pub async fn get(&self) -> Result<Conditions, Problem> {
        self.read().await.map(|(conditions, _)| conditions)
    }

    /// Reads the emulator's live conditions and their version.
    async fn read(&self) -> Result<(Conditions, u64), Problem> {
        let call = async { self.client.clone().get_conditions(v1::GetConditionsRequest {}).await };
        let answer = answer(call).await.map_err(|status| self.problem(&status))?;
        Ok((self.checked(answer.conditions.as_ref())?, answer.version))
    }

    /// Replaces the emulator's live conditions; returns those that are current afterwards.
    ///
    /// # Errors
    /// Fails if the call fails or its answer is not valid.
    pub async fn set(&self, conditions: &Conditions) -> Result<Conditions, Problem> {
        self.put(conditions, None)
            .await
            .map_err(|status| self.problem(&status))
            .and_then(|set| self.checked(set.as_ref()))
    }

    /// Sets the live conditions if their version is still `version`, or in any case if that is `None`.
    async fn put(&self, conditions: &Conditions, version: Option<u64>) -> Result<Option<v1::Conditions>, Status> {
        let call = async { self.client.clone().set_conditions(change_to(conditions, version)).await };
        answer(call).await.map(|answer| answer.conditions)
    }

    /// Applies a change to the current live conditions, and retries if somebody else changes them meanwhile; returns
    /// the conditions that are current afterwards.
    ///
    /// # Errors
    /// Fails if the change is not valid, or a call fails.
    pub async fn change(&self, change: &Change) -> Result<Conditions, Problem> {
        let mut last = Status::aborted("the conditions keep changing");
        for _ in 0..TRIES {
            let (current, version) = self.read().await?;
            let changed = change.apply(&current)?;
            match self.put(&changed, Some(version)).await {
                Ok(set) => return self.checked(set.as_ref()),
                // Somebody else has changed them since they were read.
                Err(status) if status.code() == Code::Aborted => last = status,
                Err(status) => return Err(self.problem(&status)),
            }
        }
        Err(self.problem(&last))
    }

    fn checked(&self, wire: Option<&v1::Conditions>) -> Result<Conditions, Problem> {
        required_conditions(wire).map_err(|fault| self.problem(&broken(&fault)))
    }

    fn problem(&self, status: &Status) -> Problem {
        Problem::of_peer(&self.name, status)
    }
}

async fn answer<T>(call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
    let late = |_| Err(Status::deadline_exceeded(format!("{} s have passed", UNARY_DEADLINE.as_secs())));
    tokio::time::timeout(UNARY_DEADLINE, call).await.unwrap_or_else(late).map(Response::into_inner)
}

fn broken(fault: &Fault) -> Status {
    Status::internal(format!("it answers with conditions that are none: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_checked() {
        let current = Conditions::Awgn(SnrDb::try_from(3.0).unwrap());
        let apply = |json: &str| serde_json::from_str::<Change>(json).unwrap().apply(&current);
        let rayleigh = Conditions::Rayleigh(SnrDb::try_from(3.0).unwrap());
        assert_eq!(apply(r#"{"kind":"rayleigh"}"#), Ok(rayleigh));
        assert_eq!(apply(r#"{"kind":null,"snr_db":-6}"#), Ok(Conditions::Awgn(SnrDb::try_from(-6.0).unwrap())));
        assert_eq!(apply(r#"{"kind":"none"}"#), Ok(Conditions::None));
        let sentence = |json: &str| apply(json).unwrap_err().error;
        assert!(sentence("{}").contains("Nothing to change"));
        assert!(sentence(r#"{"snr_db":1e9}"#).contains("±200 dB"));
        assert!(sentence(r#"{"kind":"loud"}"#).contains("`loud`"));
        assert!(sentence(r#"{"kind":"rician"}"#).contains("K factor"));
        assert!(sentence(r#"{"kind":"rician","k_factor":-1}"#).contains("-1"));
        assert!(sentence(r#"{"k_factor":1}"#).contains("awgn has no K factor"));
        assert!(serde_json::from_str::<Change>(r#"{"snr":3}"#).is_err());
    }
}
