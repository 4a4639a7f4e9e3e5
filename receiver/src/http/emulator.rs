//! The channel emulator as the dashboard sees it: its live conditions, followed and changed.

use super::problem::Problem;
use phy::{ChannelKind, Conditions, SnrDb};
use proto::v1;
use proto::v1::channel_emulator_client::ChannelEmulatorClient;
use runtime::PeerUrl;
use runtime::backoff::{Backoff, Outage};
use runtime::connect::UNARY_DEADLINE;
use serde::Deserialize;
use tokio::sync::watch;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};
use wire::Fault;
use wire::convert::{change_to, required_conditions};

/// Least time between two changes that are seen.
const INTERVAL_MS: u32 = 50;
/// How often conditions are read again because somebody changed them before they could be set.
const TRIES: usize = 16;

/// What was seen last of the emulator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    /// It does not answer.
    Away,
    /// It answers; these are its live conditions.
    Here(Conditions),
}

/// A change of the live conditions: what is given takes the place of what is current.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    kind: Option<String>,
    snr_db: Option<f64>,
    k_factor: Option<f64>,
}

impl Change {
    /// What `current` becomes.
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

/// One emulator.
pub struct Emulator {
    url: PeerUrl,
    /// As it is named in sentences.
    name: String,
    client: ChannelEmulatorClient<Channel>,
    seen: watch::Sender<Seen>,
}

impl Emulator {
    /// The emulator at `url`; away until [`Emulator::follow`] has reached it.
    pub fn new(url: PeerUrl) -> Self {
        Emulator {
            name: format!("channel emulator at {url}"),
            client: ChannelEmulatorClient::new(url.channel()),
            url,
            seen: watch::Sender::new(Seen::Away),
        }
    }

    /// Where it listens.
    pub fn url(&self) -> &PeerUrl {
        &self.url
    }

    /// What is seen of it, now and at every change.
    pub fn seen(&self) -> watch::Receiver<Seen> {
        self.seen.subscribe()
    }

    /// What is wrong if it is known to be away.
    ///
    /// # Errors
    /// That it does not answer.
    pub fn check(&self) -> Result<(), Problem> {
        match *self.seen.borrow() {
            Seen::Here(_) => Ok(()),
            Seen::Away => Err(Problem::unavailable(format!("The {} does not answer.", self.name))),
        }
    }

    /// Follows its live conditions for good, with patience while it is away.
    pub async fn follow(&self) {
        let outage = Outage::new(self.name.clone());
        let mut backoff = Backoff::default();
        loop {
            let status = self.follow_once(&outage, &mut backoff).await;
            outage.begin(&status);
            self.see(Seen::Away);
            tokio::time::sleep(backoff.next_delay()).await;
        }
    }

    /// Until the stream ends; gives why.
    async fn follow_once(&self, outage: &Outage, backoff: &mut Backoff) -> Status {
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
            outage.end();
            backoff.reset();
        }
    }

    fn see(&self, new: Seen) {
        self.seen.send_if_modified(|seen| std::mem::replace(seen, new) != new);
    }

    /// The live conditions.
    ///
    /// # Errors
    /// What failed.
    pub async fn get(&self) -> Result<Conditions, Problem> {
        self.read().await.map(|(conditions, _)| conditions)
    }

    /// The live conditions and their version.
    async fn read(&self) -> Result<(Conditions, u64), Problem> {
        let call = async { self.client.clone().get_conditions(v1::GetConditionsRequest {}).await };
        let answer = answer(call).await.map_err(|status| self.problem(&status))?;
        Ok((self.checked(answer.conditions.as_ref())?, answer.version))
    }

    /// Replaces the live conditions; gives what is current then.
    ///
    /// # Errors
    /// What failed.
    pub async fn set(&self, conditions: &Conditions) -> Result<Conditions, Problem> {
        self.put(conditions, None)
            .await
            .map_err(|status| self.problem(&status))
            .and_then(|set| self.checked(set.as_ref()))
    }

    /// Sets conditions in place of those of `version`, or of any.
    async fn put(&self, conditions: &Conditions, version: Option<u64>) -> Result<Option<v1::Conditions>, Status> {
        let call = async { self.client.clone().set_conditions(change_to(conditions, version)).await };
        answer(call).await.map(|answer| answer.conditions)
    }

    /// Makes a change to what is current at the time, whoever changes it meanwhile; gives what is current then.
    ///
    /// # Errors
    /// What is wrong with the change, or failed.
    pub async fn change(&self, change: &Change) -> Result<Conditions, Problem> {
        let mut last = Status::aborted("the conditions keep changing");
        for _ in 0..TRIES {
            let (current, version) = self.read().await?;
            let changed = change.apply(&current)?;
            match self.put(&changed, Some(version)).await {
                Ok(set) => return self.checked(set.as_ref()),
                // Somebody else has changed them since.
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
