//! Sends transport blocks over the channel: the payload is recovered, or the failure is detected.

use fec::ldpc::BaseGraph;
use fec::{Demapping, Qam};
use latentlink_nr::{Mcs, Transport, TransportError};
use phy::{Complex, Conditions, Equaliser, NoiseKey, SnrDb, draw, equalise};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random_bits(rng: &mut ChaCha8Rng, count: usize) -> Vec<bool> {
    (0..count).map(|_| rng.random()).collect()
}

fn received(transport: &Transport, payload: &[bool], snr_db: f64, row: u64) -> Vec<f64> {
    let symbols = transport.encode(payload).unwrap();
    let key = NoiseKey { seed: 9, draw: 0, row };
    let conditions = Conditions::Awgn(SnrDb::try_from(snr_db).unwrap());
    let received = draw(key, &conditions, symbols.len()).apply(&symbols);
    let equalised = equalise(received.symbols.reals(), Complex::ONE, received.n0, Equaliser::Mmse).unwrap();
    transport.modulation().demap_equalised(&equalised, Equaliser::Mmse, Demapping::Exact).unwrap()
}

/// Payloads arrive 2.5 dB above the SNR at which the capacity is the rate, with one and with several code blocks,
/// punctured and repeated. At an SNR that is 8 dB lower the check fails.
#[test]
fn payloads_come_back_and_below_capacity_the_check_fails() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for (row, (payload_bits, mcs, works_db)) in
        [(700, 0, -3.0), (5000, 0, -3.0), (3000, 6, 3.0), (9001, 6, 3.0), (4000, 14, 11.0), (20_011, 24, 20.0)]
            .into_iter()
            .enumerate()
    {
        let transport = Transport::with_mcs(payload_bits, Mcs::new(mcs).unwrap()).unwrap();
        let payload = random_bits(&mut rng, payload_bits);
        let works = transport.decode(&received(&transport, &payload, works_db, row as u64));
        assert_eq!(works.as_deref(), Ok(&payload[..]), "{payload_bits} MCS {mcs}");
        let fails = transport.decode(&received(&transport, &payload, works_db - 8.0, row as u64));
        assert!(
            matches!(fails, Err(TransportError::CrcFailed { block: 0, .. })),
            "{payload_bits} MCS {mcs}: {fails:?}"
        );
    }
}

/// If one code block of several is received as noise alone, the error names it.
#[test]
fn the_code_block_that_failed_is_named() {
    let transport = Transport::with_mcs(20_000, Mcs::new(4).unwrap()).unwrap();
    let payload = random_bits(&mut ChaCha8Rng::seed_from_u64(2), 20_000);
    let mut llrs = received(&transport, &payload, 10.0, 0);
    let blocks: Vec<_> = transport.block_symbols().collect();
    assert_eq!((blocks.len(), blocks[2].end), (3, transport.channel_uses()));
    let own = 2 * blocks[1].start..2 * blocks[1].end;
    let noise = received(&transport, &payload, -40.0, 1);
    llrs[own.clone()].copy_from_slice(&noise[own]);
    assert_eq!(transport.decode(&llrs), Err(TransportError::CrcFailed { block: 1, blocks: 3 }));
}

/// `channel_uses_of` agrees with building the transport block, for valid and invalid sizes, and accepts any size.
#[test]
fn channel_uses_are_known_without_building() {
    for payload_bits in (0..40).chain([292, 293, 308, 3824, 3825, 8424, 8425, 50_001]) {
        for index in 0..29 {
            let mcs = Mcs::new(index).unwrap();
            let built = Transport::with_mcs(payload_bits, mcs).map(|transport| transport.channel_uses());
            assert_eq!(Transport::channel_uses_of(payload_bits, mcs), built, "{payload_bits} {mcs}");
        }
    }
    assert_eq!(Transport::channel_uses_of(1 << 40, Mcs::new(0).unwrap()), Ok(4_691_249_611_845));
}

#[test]
fn sizes_are_what_the_efficiency_says() {
    for payload_bits in [300, 3824, 8425, 50_000] {
        for index in 0..29 {
            let mcs = Mcs::new(index).unwrap();
            let Ok(transport) = Transport::with_mcs(payload_bits, mcs) else {
                assert!(payload_bits == 300 && mcs.code_rate() > 0.87, "{payload_bits} {mcs}");
                continue;
            };
            let uses = (payload_bits as f64 / mcs.spectral_efficiency()).ceil();
            assert_eq!(transport.channel_uses(), uses as usize, "{payload_bits} {mcs}");
            assert_eq!(transport.coded_bits(), transport.channel_uses() * mcs.modulation().bits_per_symbol());
            let per_block: Vec<usize> = transport.block_symbols().map(|range| range.len()).collect();
            assert!(per_block.is_sorted() && per_block[per_block.len() - 1] - per_block[0] <= 1);
        }
    }
}

#[test]
fn what_cannot_be_sent_or_read_is_named() {
    let error = Transport::new(20, Qam::Qpsk, 0.9).unwrap_err();
    assert_eq!(error.to_string(), "with check bits the rate may be 0.95, got 1.500 for 20 payload bits");
    let transport = Transport::new(40, Qam::Qpsk, 0.25).unwrap();
    assert_eq!(transport.segmentation().graph, BaseGraph::Bg2);
    assert_eq!(transport.encode(&[true]).unwrap_err(), TransportError::PayloadBits { expected: 40, got: 1 });
    assert_eq!(transport.decode(&[1.0; 7]), Err(TransportError::Llrs { expected: 160, got: 7 }));
    assert!(matches!(transport.decode(&[f64::NAN; 160]), Err(TransportError::Ldpc(_))));
    let silence = transport.decode(&[0.0; 160]);
    assert!(matches!(silence, Err(TransportError::CrcFailed { block: 0, blocks: 1 })), "{silence:?}");
}
