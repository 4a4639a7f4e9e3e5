//! Tests of the CRCs: their catalogued check values, long division, and detection of bit errors.

use latentlink_fec::Crc;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ALL: [(Crc, u32, u32); 3] =
    [(Crc::Crc16, 0x1021, 0x31C3), (Crc::Crc24A, 0x86_4CFB, 0xCD_E703), (Crc::Crc24B, 0x80_0063, 0x23_EF52)];

fn random_bits(rng: &mut ChaCha8Rng, count: usize) -> Vec<bool> {
    (0..count).map(|_| rng.random()).collect()
}

fn number(bits: &[bool]) -> u32 {
    bits.iter().fold(0, |number, &bit| number << 1 | u32::from(bit))
}

/// The remainder of a(D)·D^L, L = `width`, divided by the polynomial, one bit at a time.
fn long_division(bits: &[bool], polynomial: u32, width: usize) -> u32 {
    let mut dividend = [bits, &vec![false; width]].concat();
    for first in 0..bits.len() {
        if dividend[first] {
            dividend[first] = false;
            for k in 0..width {
                dividend[first + 1 + k] ^= polynomial >> (width - 1 - k) & 1 == 1;
            }
        }
    }
    number(&dividend[bits.len()..])
}

#[test]
fn check_values_are_those_of_the_catalogue() {
    let text: Vec<bool> = b"123456789".iter().flat_map(|byte| (0..8).rev().map(move |k| byte >> k & 1 == 1)).collect();
    for (crc, _, check) in ALL {
        assert_eq!(number(&crc.remainder(&text)), check, "{crc:?}");
    }
}

#[test]
fn any_number_of_bits_agrees_with_long_division() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for count in (0..70).chain([1000, 3825]) {
        let bits = random_bits(&mut rng, count);
        for (crc, polynomial, _) in ALL {
            assert_eq!(number(&crc.remainder(&bits)), long_division(&bits, polynomial, crc.width()), "{crc:?} {count}");
        }
    }
}

#[test]
fn damage_is_found_and_the_rest_comes_back() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for (crc, ..) in ALL {
        let bits = random_bits(&mut rng, 101);
        let block = crc.append(&bits);
        assert_eq!(block.len(), 101 + crc.width());
        assert_eq!(crc.strip(&block).unwrap(), Some(&bits[..]));
        // Every single bit error, and every pair of bit errors within a span no longer than the check.
        for first in 0..block.len() {
            for length in 1..=crc.width().min(block.len() - first) {
                let mut damaged = block.clone();
                damaged[first] ^= true;
                damaged[first + length - 1] ^= length > 1;
                assert_eq!(crc.strip(&damaged).unwrap(), None, "{crc:?} {first} {length}");
            }
        }
    }
}

#[test]
fn a_block_without_room_for_the_check_is_refused() {
    let error = Crc::Crc24A.strip(&[true; 23]).unwrap_err();
    assert_eq!(error.to_string(), "a block with 24 check bits has at least as many, got 23");
}
