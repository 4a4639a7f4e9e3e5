//! What a burst claims costs nothing before it is held against what came. In a process of its own, whose memory is
//! watched.

mod support;

use latentlink_schemes::conventional::{Coding, ConventionalReceiver};
use latentlink_schemes::scheme::{Receive, ReceivedBurst, TransportFormat};
use metrics::Prediction;
use phy::Equalised;
use source_coding::{Codec, Source};
use support::{Model, WIDTHS, clips};

/// The most memory that this process ever had resident, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn a_claim_that_the_symbols_do_not_bear_out_allocates_nothing() {
    let model = Model::new(5);
    let source = Source::fit(clips(64, &WIDTHS).iter().map(|clip| &clip.features), Codec::Deflate).unwrap();
    let lost = Prediction { p_neg: 0.5, p_zero: 0.1, p_pos: 0.4, classes: [0.0; 7], score: -0.25 };
    let receiver = ConventionalReceiver {
        card: model.card().conventional(),
        coding: Coding { source, middle: 300, lost },
        reader: model.transmitter(),
        network: model.receiver().network,
        videos: None,
    };
    // Seven symbols and a transport format, about what 60 bytes hold.
    let equalised = Equalised { reals: vec![0.5; 14], noise_var: 0.1, rho: 0.9 };
    let before = peak_kib();
    for mcs in 0..=u8::MAX {
        for bytes in [1 << 22, 1 << 20, 100_000, 5_000, u32::MAX] {
            let format = Some(TransportFormat { mcs, bytes });
            let result = receiver.receive(&[ReceivedBurst { equalised: equalised.clone(), format }]).remove(0);
            assert!(result.is_err(), "MCS {mcs}, {bytes} bytes");
        }
    }
    let grown = peak_kib() - before;
    assert!(grown < 4096, "the claims took {grown} KiB");
}
