//! The channel's conditions: the current ones, and those that the keys ask for.

use std::time::{Duration, Instant};

use phy::{ChannelKind, Conditions, SnrDb};

/// Keys that follow each other within this time become one change.
const DEBOUNCE: Duration = Duration::from_millis(250);
/// The SNR of a channel that has one, before any was seen.
const DEFAULT_SNR_DB: f64 = 12.0;
/// The K factor of a Rician channel, before any was seen.
const DEFAULT_K: f64 = 4.0;

/// The current conditions of the emulator, and those that are wished for.
#[derive(Debug)]
pub struct Control {
    in_force: Option<Conditions>,
    wish: Option<Conditions>,
    /// When the wish is to be sent; `None` once it is on its way.
    due: Option<Instant>,
    snr_db: f64,
    k_factor: f64,
}

impl Control {
    /// Nothing known, nothing wished.
    pub fn new() -> Control {
        Control { in_force: None, wish: None, due: None, snr_db: DEFAULT_SNR_DB, k_factor: DEFAULT_K }
    }

    /// The current conditions, under which bursts go that pin none, as the emulator last reported them.
    pub fn in_force(&self) -> Option<&Conditions> {
        self.in_force.as_ref()
    }

    /// The conditions that the keys ask for, until they are current or refused.
    pub fn wish(&self) -> Option<&Conditions> {
        self.wish.as_ref()
    }

    /// Takes the current conditions from a report of the emulator, whoever changed them.
    pub fn heard(&mut self, conditions: Conditions) {
        self.snr_db = conditions.snr_db().map_or(self.snr_db, SnrDb::db);
        self.k_factor = conditions.k_factor().unwrap_or(self.k_factor);
        self.in_force = Some(conditions);
        if self.due.is_none() && self.wish == Some(conditions) {
            self.wish = None;
        }
    }

    /// Ends the wish that was sent, as it is current or refused. One that was formed since then stays.
    pub fn answered(&mut self) {
        if self.due.is_none() {
            self.wish = None;
        }
    }

    /// Forgets the conditions and the wish: the emulator is disconnected.
    pub fn lost(&mut self) {
        (self.in_force, self.wish, self.due) = (None, None, None);
    }

    /// Wishes for another SNR.
    ///
    /// # Errors
    /// In words, why there is none to change.
    pub fn turn(&mut self, by_db: f64, now: Instant) -> Result<(), &'static str> {
        let base = self.base()?;
        let snr = base.snr_db().ok_or("channel none has no SNR; c takes another channel")?;
        let turned = (snr.db() + by_db).clamp(-SnrDb::LIMIT, SnrDb::LIMIT);
        self.want(base.kind(), turned, now)
    }

    /// Wishes for the next kind of channel, with the SNR and K factor last seen.
    ///
    /// # Errors
    /// In words, why there is none to change.
    pub fn next_channel(&mut self, now: Instant) -> Result<(), &'static str> {
        let base = self.base()?;
        let next = match base.kind() {
            ChannelKind::None => ChannelKind::Awgn,
            ChannelKind::Awgn => ChannelKind::Rayleigh,
            ChannelKind::Rayleigh => ChannelKind::Rician,
            ChannelKind::Rician => ChannelKind::None,
        };
        self.want(next, base.snr_db().map_or(self.snr_db, SnrDb::db), now)
    }

    /// When [`Control::take_due`] will have something.
    pub fn due_at(&self) -> Option<Instant> {
        self.due
    }

    /// The wish, once no key has changed it for a while.
    pub fn take_due(&mut self, now: Instant) -> Option<Conditions> {
        self.due.filter(|due| *due <= now)?;
        self.due = None;
        self.wish
    }

    fn base(&self) -> Result<Conditions, &'static str> {
        self.wish.or(self.in_force).ok_or("the current conditions are not known yet")
    }

    fn want(&mut self, kind: ChannelKind, snr_db: f64, now: Instant) -> Result<(), &'static str> {
        let has_snr = kind != ChannelKind::None;
        let snr = has_snr.then(|| SnrDb::try_from(snr_db)).transpose().map_err(|_| "no such SNR")?;
        let k_factor = (kind == ChannelKind::Rician).then_some(self.k_factor);
        let wish = Conditions::new(kind, snr, k_factor).map_err(|_| "no such channel")?;
        (self.wish, self.due) = (Some(wish), Some(now + DEBOUNCE));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn awgn(db: f64) -> Conditions {
        Conditions::Awgn(SnrDb::try_from(db).unwrap())
    }

    #[test]
    fn presses_become_one_change_after_a_pause() {
        let (mut control, start) = (Control::new(), Instant::now());
        assert!(control.turn(1.0, start).is_err(), "nothing is known yet");
        control.heard(awgn(3.0));
        for press in 0..4 {
            control.turn(-1.0, start + Duration::from_millis(100 * press)).unwrap();
        }
        let last = start + Duration::from_millis(300);
        assert_eq!(control.take_due(last + DEBOUNCE / 2), None);
        assert_eq!(control.due_at(), Some(last + DEBOUNCE));
        assert_eq!(control.take_due(last + DEBOUNCE), Some(awgn(-1.0)));
        assert_eq!(control.take_due(last + DEBOUNCE * 2), None, "sent once");
        assert_eq!((control.in_force(), control.wish()), (Some(&awgn(3.0)), Some(&awgn(-1.0))));
        control.heard(awgn(-1.0));
        assert_eq!((control.in_force(), control.wish()), (Some(&awgn(-1.0)), None));
    }

    #[test]
    fn a_change_by_others_is_shown_and_a_newer_wish_survives_an_answer() {
        let (mut control, now) = (Control::new(), Instant::now());
        control.heard(awgn(3.0));
        control.heard(awgn(9.0));
        assert_eq!(control.in_force(), Some(&awgn(9.0)));
        control.turn(1.0, now).unwrap();
        control.take_due(now + DEBOUNCE).unwrap();
        control.turn(1.0, now).unwrap();
        control.heard(awgn(10.0));
        control.answered();
        assert_eq!(control.wish(), Some(&awgn(11.0)));
        control.lost();
        assert_eq!((control.in_force(), control.wish(), control.due_at()), (None, None, None));
    }

    #[test]
    fn channels_come_round_and_keep_the_snr() {
        let (mut control, now) = (Control::new(), Instant::now());
        control.heard(awgn(-6.0));
        let mut round = Vec::new();
        for _ in 0..4 {
            control.next_channel(now).unwrap();
            round.push(control.wish().unwrap().to_string());
            let wish = *control.wish().unwrap();
            control.take_due(now + DEBOUNCE);
            control.heard(wish);
        }
        assert_eq!(round, ["rayleigh -6 dB", "rician:4 -6 dB", "none", "awgn -6 dB"]);
        control.heard(Conditions::None);
        assert!(control.turn(1.0, now).unwrap_err().contains("no SNR"));
        control.heard(awgn(SnrDb::LIMIT));
        control.turn(1.0, now).unwrap();
        assert_eq!(control.wish(), Some(&awgn(SnrDb::LIMIT)));
    }
}
