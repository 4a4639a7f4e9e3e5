//! The points of a sweep over channels and SNRs, as the options `--channel` and `--snr` list them.

use std::{collections::HashSet, fmt, str::FromStr};

use crate::sweep_error::{self, SweepError};
use crate::{ChannelKind, ChannelName, Conditions, SnrDb, SnrError};

/// The number of leading characters that the error about a list with too many entries shows of it.
const SHOWN_CHARS: usize = 60;

/// A list of distinct SNRs in dB, in the order given: one value, a list `-12,-6,0`, or a range `start:stop:step`, which
/// includes `stop` if a whole number of steps reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnrList(Vec<SnrDb>);

impl SnrList {
    /// The largest number of SNRs in a list.
    pub const MAX_POINTS: usize = sweep_error::MAX_POINTS;
    /// The smallest step of a range `start:stop:step` of SNRs, in dB; the values of the range are rounded to multiples
    /// of it.
    pub const MIN_STEP_DB: f64 = sweep_error::MIN_STEP_DB;
    /// The largest step of a range `start:stop:step` of SNRs, in dB: the distance from the lowest valid SNR to the
    /// highest.
    pub const MAX_STEP_DB: f64 = sweep_error::MAX_STEP_DB;

    /// The SNRs in the order given: at least one, and none twice.
    pub fn values(&self) -> &[SnrDb] {
        &self.0
    }

    fn range(text: &str) -> Result<Vec<SnrDb>, SweepError> {
        let parts: Vec<&str> = text.split(':').collect();
        let &[start, stop, step] = parts.as_slice() else {
            return Err(SweepError::Parts(text.to_owned()));
        };
        let (start, stop) = (start.parse::<SnrDb>()?.db(), stop.parse::<SnrDb>()?.db());
        let step: f64 = step.trim().parse().map_err(|_| SnrError::NotANumber(step.to_owned()))?;
        if !(SnrList::MIN_STEP_DB..=SnrList::MAX_STEP_DB).contains(&step) {
            return Err(SweepError::Step(text.to_owned()));
        }
        if stop < start {
            return Err(SweepError::Backwards(text.to_owned()));
        }
        // 1e-9 is added to the quotient so that 0:1:0.1 reaches 1. At most 4e11, as steps and SNRs are bounded.
        let points = ((stop - start) / step + 1e-9).floor() as u64 + 1;
        if points > SnrList::MAX_POINTS as u64 {
            return Err(SweepError::TooMany { text: text.to_owned(), points });
        }
        // Values are rounded so that 3 · 0.1 is the same SNR as 0.3.
        let value = |k: u64| ((start + k as f64 * step) * 1e9).round() / 1e9;
        (0..points).map(|k| Ok(SnrDb::try_from(value(k))?)).collect()
    }
}

impl FromStr for SnrList {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<Self, SweepError> {
        let values = if text.contains(':') {
            SnrList::range(text)?
        } else {
            let points = text.split(',').count() as u64;
            if points > SnrList::MAX_POINTS as u64 {
                let text: String = text.chars().take(SHOWN_CHARS).chain("…".chars()).collect();
                return Err(SweepError::TooMany { text, points });
            }
            text.split(',').map(|v| Ok(v.parse::<SnrDb>()?)).collect::<Result<Vec<_>, SweepError>>()?
        };
        let mut seen = HashSet::new();
        match values.iter().find(|v| !seen.insert(**v)) {
            Some(twice) => Err(SweepError::Twice(format!("{twice} dB"))),
            None => Ok(SnrList(values)),
        }
    }
}

/// Writes the SNRs in dB separated by commas, in the form that parsing accepts.
impl fmt::Display for SnrList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<String> = self.0.iter().map(SnrDb::to_string).collect();
        f.write_str(&values.join(","))
    }
}

/// A complete channel without its SNR: `none`, `awgn`, `rayleigh`, or `rician:K` with the linear K factor, which must
/// be given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelSpec {
    kind: ChannelKind,
    k_factor: Option<f64>,
}

impl ChannelSpec {
    /// The kind of channel.
    pub fn kind(&self) -> ChannelKind {
        self.kind
    }

    /// The conditions of this channel at an SNR, which the noiseless channel ignores.
    pub fn at(&self, snr_db: SnrDb) -> Conditions {
        let snr_db = (self.kind != ChannelKind::None).then_some(snr_db);
        Conditions::new(self.kind, snr_db, self.k_factor).expect("checked when the spec was made")
    }
}

impl From<&Conditions> for ChannelSpec {
    fn from(conditions: &Conditions) -> Self {
        ChannelSpec { kind: conditions.kind(), k_factor: conditions.k_factor() }
    }
}

impl FromStr for ChannelSpec {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<Self, SweepError> {
        let name: ChannelName = text.parse()?;
        let any_snr = (name.kind() != ChannelKind::None).then(|| SnrDb::try_from(0.0)).transpose()?;
        Ok(ChannelSpec::from(&name.conditions(any_snr, None)?))
    }
}

impl fmt::Display for ChannelSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.k_factor {
            Some(k) => f.pad(&format!("{}:{k}", self.kind)),
            None => f.pad(self.kind.name()),
        }
    }
}

/// A list of distinct channels in the order given, for example `none,awgn,rayleigh,rician:4`.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelList(Vec<ChannelSpec>);

impl ChannelList {
    /// The largest number of channels in a list.
    pub const MAX_CHANNELS: usize = sweep_error::MAX_CHANNELS;

    /// The channels in the order given: at least one, and none twice.
    pub fn channels(&self) -> &[ChannelSpec] {
        &self.0
    }
}

impl FromStr for ChannelList {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<Self, SweepError> {
        let count = text.split(',').count();
        if count > ChannelList::MAX_CHANNELS {
            return Err(SweepError::TooManyChannels(count));
        }
        let channels = text.split(',').map(str::parse).collect::<Result<Vec<ChannelSpec>, _>>()?;
        match channels.iter().enumerate().find(|(k, c)| channels[..*k].contains(c)) {
            Some((_, twice)) => Err(SweepError::Twice(format!("channel {twice}"))),
            None => Ok(ChannelList(channels)),
        }
    }
}

/// Writes the channels separated by commas, in the form that parsing accepts.
impl fmt::Display for ChannelList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let channels: Vec<String> = self.0.iter().map(ChannelSpec::to_string).collect();
        f.write_str(&channels.join(","))
    }
}

/// The conditions of a sweep: every channel at every SNR, channel after channel. The noiseless channel has one point.
pub fn sweep(channels: &ChannelList, snrs: &SnrList) -> Vec<Conditions> {
    let points = |channel: &ChannelSpec| match channel.kind {
        ChannelKind::None => 1,
        _ => snrs.values().len(),
    };
    let at = |channel: &ChannelSpec| {
        let channel = *channel;
        snrs.values().iter().take(points(&channel)).map(move |snr| channel.at(*snr))
    };
    channels.channels().iter().flat_map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConditionsError;

    fn db(text: &str) -> Vec<f64> {
        text.parse::<SnrList>().unwrap().values().iter().map(|s| s.db()).collect()
    }

    #[test]
    fn values_lists_and_ranges() {
        assert_eq!(db("-6"), [-6.0]);
        assert_eq!(db("-12, -6,0.5"), [-12.0, -6.0, 0.5]);
        assert_eq!(db("-12:21:3"), (0..12).map(|k| -12.0 + 3.0 * f64::from(k)).collect::<Vec<_>>());
        assert_eq!(db("0:1:0.1"), [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]);
        assert_eq!(db("0:5:3"), [0.0, 3.0]);
        assert_eq!(db("4:4:1"), [4.0]);
        let list: SnrList = "-12:0:6".parse().unwrap();
        assert_eq!(list.to_string().parse(), Ok(list));
    }

    #[test]
    fn what_makes_no_list_of_snrs_is_named() {
        let error = |text: &str| text.parse::<SnrList>().unwrap_err();
        assert_eq!(error("0:9:0"), SweepError::Step("0:9:0".into()));
        assert_eq!(error("0:9:-3"), SweepError::Step("0:9:-3".into()));
        assert_eq!(error("9:0:3"), SweepError::Backwards("9:0:3".into()));
        assert_eq!(error("1:2"), SweepError::Parts("1:2".into()));
        assert_eq!(error("0:100:0.01"), SweepError::TooMany { text: "0:100:0.01".into(), points: 10_001 });
        assert_eq!(error("3,0,3"), SweepError::Twice("3 dB".into()));
        assert_eq!(error(""), SweepError::Snr(SnrError::NotANumber("".into())));
        assert_eq!(error("0,inf"), SweepError::Snr(SnrError::NotFinite(f64::INFINITY)));
        assert!(matches!(error("0:nan:1"), SweepError::Snr(SnrError::NotFinite(_))));
        assert!(error("0:1:x").to_string().contains("`x`"));
    }

    #[test]
    fn absurd_counts_and_steps_are_refused_by_name_with_the_limit() {
        let error = |text: &str| text.parse::<SnrList>().unwrap_err();
        let many = error("-12:21:1e-6");
        assert_eq!(many, SweepError::TooMany { text: "-12:21:1e-6".into(), points: 33_000_001 });
        assert_eq!(many.to_string(), "`-12:21:1e-6` has 33000001 points, at most 1000 are accepted");
        assert!(matches!(error("0:1:1e-9"), SweepError::TooMany { points: 1_000_000_000.., .. }));
        assert!(matches!(error("-200:200:1e-9"), SweepError::TooMany { points: 400_000_000_001, .. }));
        for text in ["0:1:1e-10", "-200:200:1e-300", "0:1:5e-324", "0:9:401", "0:9:1e308", "0:9:inf", "0:9:nan"] {
            assert_eq!(error(text), SweepError::Step(text.into()), "{text}");
        }
        assert_eq!(error("0:9:1e308").to_string(), "the step of `0:9:1e308` must lie between 1e-9 and 400 dB");
        assert_eq!(db("-200:200:400"), [-200.0, 200.0]);

        let list: Vec<String> = (0..1001).map(|k| format!("{}", f64::from(k) / 10.0)).collect();
        assert_eq!(db(&list[..1000].join(",")).len(), 1000);
        let message = error(&list.join(",")).to_string();
        assert!(message.contains("has 1001 points, at most 1000") && message.len() < 200, "{message}");
        let channels: Vec<String> = (0..101).map(|k| format!("rician:{k}")).collect();
        assert_eq!(channels[..100].join(",").parse::<ChannelList>().unwrap().channels().len(), 100);
        assert_eq!(channels.join(",").parse::<ChannelList>(), Err(SweepError::TooManyChannels(101)));
    }

    #[test]
    fn channels_and_their_sweep() {
        let channels: ChannelList = "none,awgn,rician:4".parse().unwrap();
        let points = sweep(&channels, &"-12,0".parse().unwrap());
        let text: Vec<String> = points.iter().map(Conditions::to_string).collect();
        assert_eq!(text, ["none", "awgn -12 dB", "awgn 0 dB", "rician:4 -12 dB", "rician:4 0 dB"]);
        assert_eq!(channels.to_string(), "none,awgn,rician:4");
        let error = |text: &str| text.parse::<ChannelList>().unwrap_err();
        assert_eq!(error("awgn,awgn"), SweepError::Twice("channel awgn".into()));
        assert_eq!(error("rician"), SweepError::Channel(ConditionsError::MissingKFactor));
        assert_eq!(error("awgn,"), SweepError::Channel(ConditionsError::UnknownKind("".into())));
        assert_eq!(error("rician:x"), SweepError::KFactor("rician:x".into()));
    }
}
