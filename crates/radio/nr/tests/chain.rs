//! Sends bytes over the channel: they arrive or fail, and the success probabilities of link adaptation are those of the
//! simulated NR chain.

use latentlink_nr::Mcs;
use latentlink_nr::bler::Table;
use latentlink_nr::{Coherence, Link, LinkError, Planner, PlannerError};
use phy::{Conditions, NoiseKey, SnrDb};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const BOTH: [Coherence; 2] = [Coherence::Whole, Coherence::EVERY_25];

fn bytes(count: usize, seed: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| rng.random()).collect()
}

fn snr(db: f64) -> SnrDb {
    SnrDb::try_from(db).unwrap()
}

fn cross(
    link: &Link,
    sent: &[u8],
    conditions: &Conditions,
    coherence: Coherence,
    key: NoiseKey,
) -> Result<(), LinkError> {
    let bursts = Link::pass(&link.send(sent)?, conditions, coherence, key)?;
    link.receive(&bursts).map(|got| assert_eq!(got, sent))
}

#[test]
fn bytes_arrive_above_the_cliff_and_are_lost_below() {
    let sent = bytes(900, 1);
    for mcs in [Mcs::LADDER[0], Mcs::LADDER[4], Mcs::LADDER[10]] {
        let link = Link::new(sent.len(), mcs).unwrap();
        assert_eq!(link.channel_uses(), (7200.0 / mcs.spectral_efficiency()).ceil() as usize);
        let cliff = 10.0 * (mcs.spectral_efficiency().exp2() - 1.0).log10();
        for coherence in BOTH {
            let key = NoiseKey { seed: 3, draw: 0, row: 8 };
            let at = |db: f64| cross(&link, &sent, &Conditions::Awgn(snr(db)), coherence, key);
            assert_eq!(at(cliff + 4.0), Ok(()), "{mcs}");
            assert!(at(cliff - 1.0).unwrap_err().is_lost(), "{mcs}");
            assert_eq!(cross(&link, &sent, &Conditions::None, coherence, key), Ok(()));
        }
    }
}

#[test]
fn a_new_h_comes_every_25_symbols_and_no_burst_shares_its_noise() {
    let link = Link::new(100, Mcs::LADDER[4]).unwrap();
    let symbols = link.send(&bytes(100, 2)).unwrap();
    let pass = |coherence, row| {
        Link::pass(&symbols, &Conditions::Rayleigh(snr(0.0)), coherence, NoiseKey { seed: 4, draw: 0, row }).unwrap()
    };
    let whole = pass(Coherence::Whole, 1);
    assert_eq!((whole.len(), whole[0].symbols.len()), (1, link.channel_uses()));
    let all = [pass(Coherence::EVERY_25, 1), pass(Coherence::EVERY_25, 2), whole].concat();
    assert_eq!(all.len(), 2 * link.channel_uses().div_ceil(25) + 1);
    assert!(all[..all.len() - 1].iter().all(|burst| burst.symbols.len() <= 25));
    let mut seen: Vec<u32> = all.iter().map(|burst| burst.h.re.to_bits()).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all.len());
}

#[test]
fn what_did_not_all_arrive_is_no_clip() {
    let link = Link::new(100, Mcs::LADDER[4]).unwrap();
    let sent = bytes(100, 2);
    let key = NoiseKey { seed: 4, draw: 0, row: 0 };
    let mut bursts =
        Link::pass(&link.send(&sent).unwrap(), &Conditions::Awgn(snr(20.0)), Coherence::EVERY_25, key).unwrap();
    bursts.pop();
    assert!(!link.receive(&bursts).unwrap_err().is_lost());
    assert!(matches!(link.send(&sent[1..]), Err(LinkError::Transport(_))));
    assert!(Link::new(0, Mcs::LADDER[0]).is_err());
}

/// Arrivals that are simulated and arrivals that are drawn are as frequent as expected, over 120 clips at four points.
/// The margin is 3.5 standard deviations of each count, and 0.04 for the mapping. If both have the expected
/// probability, one seed in 500 fails.
#[test]
fn arrivals_are_drawn_as_often_as_they_happen() {
    let planner = Planner::measured();
    let sent = bytes(500, 5);
    for (index, db, coherence) in
        [(2, 1.0, Coherence::Whole), (5, 6.0, Coherence::Whole), (2, -0.4, BOTH[1]), (5, 7.2, BOTH[1])]
    {
        let link = Link::new(sent.len(), Mcs::LADDER[index]).unwrap();
        let conditions = Conditions::Rayleigh(snr(db));
        let (mut live, mut drawn, mut expected) = (0.0, 0.0, 0.0);
        for row in 0..120 {
            let key = NoiseKey { seed: 6, draw: 0, row };
            live += f64::from(u8::from(cross(&link, &sent, &conditions, coherence, key).is_ok()));
            drawn += f64::from(u8::from(planner.arrives(&link, &conditions, coherence, key).unwrap()));
            expected += planner.delivery(&link, &conditions, coherence, key).unwrap();
        }
        println!("{}, {db} dB, {coherence:?}: live {live}, drawn {drawn}, expected {expected:.1} of 120", link.mcs());
        for count in [live, drawn] {
            assert!((count - expected).abs() < 3.5 * 30f64.sqrt() + 5.0, "{} {db} {coherence:?}", link.mcs());
        }
    }
}

/// The expected success probability with one h is exp(−γ_cliff/γ), the probability that |h|²·γ is above the SNR γ_cliff
/// at which the BLER over AWGN is ½. 1000 draws are within 3.5 standard deviations and 0.01 of it.
#[test]
fn expected_delivery_with_one_h_is_that_of_the_cliff() {
    let planner = Planner::measured();
    let link = Link::new(500, Mcs::LADDER[4]).unwrap();
    let at = |conditions: Conditions| planner.expected_delivery(&link, &conditions, Coherence::Whole).unwrap();
    let half = (-200..200).map(|k| f64::from(k) * 0.05).find(|&db| at(Conditions::Awgn(snr(db))) > 0.5).unwrap();
    for above in [0.0, 5.0, 15.0] {
        let expected = (-(10f64.powf(-above / 10.0))).exp();
        let got = at(Conditions::Rayleigh(snr(half + above)));
        assert!((got - expected).abs() < 3.5 * (expected * (1.0 - expected) / 1000.0).sqrt() + 0.01, "{above}: {got}");
    }
    assert_eq!(at(Conditions::None), 1.0);
}

#[test]
fn the_plan_is_the_fastest_that_arrives() {
    let planner = Planner::measured();
    let mut last = usize::MAX;
    for db in [-12.0, -6.0, 0.0, 6.0, 12.0, 18.0, 24.0] {
        let plan = planner.plan(500, &Conditions::Awgn(snr(db)), Coherence::Whole).unwrap();
        println!("{db} dB: {}, {} uses, {:.4}", plan.link.mcs(), plan.link.channel_uses(), plan.delivery);
        assert_eq!(plan.delivery > 0.98, db > -9.0);
        // Where no MCS succeeds, the selected MCS need not have more channel uses.
        assert!(db < -9.0 || plan.link.channel_uses() <= last);
        last = if db < -9.0 { last } else { plan.link.channel_uses() };
    }
    let none = Planner::new(Table::default()).plan(500, &Conditions::None, Coherence::Whole);
    assert_eq!(none.unwrap_err(), PlannerError::Empty);
    let diverse = |db, coherence| planner.plan(500, &Conditions::Rayleigh(snr(db)), coherence).unwrap();
    assert!(diverse(6.0, Coherence::EVERY_25).delivery > diverse(6.0, Coherence::Whole).delivery);
}
