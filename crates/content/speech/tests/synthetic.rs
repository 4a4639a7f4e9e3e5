//! Pitch, voicing and level of sounds whose making is known.

mod voice;

use latentlink_speech::{Error, Features, Frontend, WIDTH};
use voice::{noise, vowel};

fn analyse(pcm: &[f32]) -> Features {
    Frontend::new().analyse(pcm).unwrap()
}

#[test]
fn a_steady_pitch_is_met_within_a_hertz() {
    for f0_hz in [80, 97, 113, 150, 181, 220, 266, 310, 355, 400] {
        let features = analyse(&vowel(1.0, |_| f64::from(f0_hz)));
        let (f0, vuv) = (features.column("F0").unwrap(), features.column("VUV").unwrap());
        let worst = f0[5..95].iter().map(|f| (f - f0_hz as f32).abs()).fold(0.0, f32::max);
        assert!(worst <= 1.0, "{f0_hz} Hz: off by {worst}");
        assert!(vuv[5..95].iter().all(|v| *v == 1.0), "{f0_hz} Hz: unvoiced in part");
    }
}

#[test]
fn a_glide_is_followed() {
    for (from, to) in [(100.0, 160.0), (240.0, 170.0), (330.0, 260.0)] {
        let pitch = |s: f64| from + (to - from) * s / 2.0;
        let features = analyse(&vowel(2.0, pitch));
        let (f0, vuv) = (features.column("F0").unwrap(), features.column("VUV").unwrap());
        for row in 5..195 {
            let truth = pitch((row as f64 + 0.5) / 100.0) as f32;
            assert!((f0[row] / truth - 1.0).abs() < 0.025, "row {row}: {} for {truth}", f0[row]);
        }
        assert!(vuv[5..195].iter().all(|v| *v == 1.0));
    }
}

#[test]
fn noise_and_silence_have_no_voice() {
    let voiced = |pcm: &[f32]| analyse(pcm).column("VUV").unwrap().iter().filter(|v| **v == 1.0).count();
    assert_eq!(voiced(&[0.0; 32_000]), 0);
    assert_eq!(voiced(&[1.0 / 32_768.0; 32_000]), 0, "a constant");
    let by_noise: usize = (0..4).map(|seed| voiced(&noise(80_000, seed))).sum();
    println!("voiced by noise: {by_noise} of 2000 rows");
    assert!(by_noise <= 40, "{by_noise}");
}

#[test]
fn voice_between_silences_is_found_where_it_is() {
    let mut pcm = noise(16_000, 7).iter().map(|x| x * 1e-3).collect::<Vec<f32>>();
    pcm.extend(vowel(1.0, |_| 140.0));
    pcm.extend(noise(16_000, 8).iter().map(|x| x * 1e-3));
    let vuv = analyse(&pcm).column("VUV").unwrap();
    let (before, within, after) = (&vuv[..94], &vuv[106..194], &vuv[206..]);
    assert!(within.iter().all(|v| *v == 1.0));
    let false_voice = before.iter().chain(after).filter(|v| **v == 1.0).count();
    assert!(false_voice <= 4, "{false_voice}");
}

#[test]
fn level_changes_nothing_but_the_level() {
    let mut pcm = vowel(0.6, |s| 120.0 + 30.0 * s);
    pcm.extend(noise(8_000, 3));
    let loud = analyse(&pcm);
    for gain in [0.01f32, 0.7, 40.0] {
        let other = analyse(&pcm.iter().map(|x| x * gain).collect::<Vec<_>>());
        for name in ["F0", "VUV"] {
            assert_eq!(loud.column(name), other.column(name), "{name} at gain {gain}");
        }
        let shifts = loud.column("energy_db").unwrap().into_iter().zip(other.column("energy_db").unwrap());
        let expected = 20.0 * gain.log10();
        assert!(shifts.clone().all(|(a, b)| a < -60.0 || (b - a - expected).abs() < 1e-3));
        // The level of the cepstrum is in nepers; its shape is the same. Between the voice's formants is the floor, so by noise.
        let rows = loud.frames.chunks_exact(WIDTH).zip(other.frames.chunks_exact(WIDTH));
        for (a, b) in rows.skip(65) {
            assert!((b[3] - a[3] - gain.ln()).abs() < 0.02, "MCEP_0 from {} to {} at gain {gain}", a[3], b[3]);
            assert!(a[4..].iter().zip(&b[4..]).all(|(a, b)| (a - b).abs() < 0.02), "gain {gain}");
        }
    }
}

#[test]
fn a_shift_by_a_hop_shifts_the_rows() {
    let mut pcm = vowel(0.8, |s| 120.0 + 30.0 * s);
    pcm.extend(noise(8_000, 3));
    let (whole, late) = (analyse(&pcm), analyse(&pcm[160..]));
    assert_eq!(late.rows() + 1, whole.rows());
    for name in ["F0", "VUV", "energy_db", "MCEP_0", "MCEP_1", "MCEP_24"] {
        let (whole, late) = (whole.column(name).unwrap(), late.column(name).unwrap());
        let inside = 6..late.len() - 6;
        assert_eq!(whole[inside.start + 1..inside.end + 1], late[inside], "{name}");
    }
}

#[test]
fn any_length_is_analysed_the_same_way_twice_and_finite() {
    let mut pcm = vowel(0.5, |_| 110.0);
    pcm[3000] = f32::MAX;
    pcm[4000] = f32::MIN_POSITIVE;
    for samples in [0, 1, 159, 160, 399, 401, 1_599, 1_600, 1_761, pcm.len()] {
        let features = analyse(&pcm[..samples]);
        assert_eq!(features.rows(), samples / 160);
        assert!(features.frames.iter().all(|x| x.is_finite()), "{samples}");
        assert_eq!(features, analyse(&pcm[..samples]));
    }
}

#[test]
fn a_sample_that_is_no_number_is_refused() {
    let error = Frontend::new().analyse(&[0.0, f32::NAN]).unwrap_err();
    assert!(matches!(error, Error::NotFinite { index: 1, .. }));
    assert_eq!(error.to_string(), "expected finite samples, got NaN at sample 1");
}
