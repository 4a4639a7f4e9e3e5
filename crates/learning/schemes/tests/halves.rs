//! The halves give each clip the same bits in any company, and say what is wrong with an input.

mod support;

use corpus::Sequence;
use latentlink_schemes::halves::MAX_TRANSCRIPT;
use latentlink_schemes::scheme::{
    ChannelKnowledge, ClipInput, Csit, InputErrorKind, Receive, ReceivedBurst, Transmission, Transmit,
};
use network::config::{Config, HeadKind, Preset, Widths};
use nn::random::Stream;
use phy::{ChannelKind, Conditions, Equalised, NoiseKey, SnrDb, Symbols};
use support::{Model, WIDTHS, clips, frames, sent, sent_knowing, try_sent};

fn bits(symbols: &Symbols) -> Vec<u32> {
    symbols.reals().iter().map(|v| v.to_bits()).collect()
}

/// The models whose halves are tried: every preset, and the plain head.
fn models() -> Vec<Model> {
    let paper = Config::preset(Preset::Paper, WIDTHS);
    let small = Config { head: HeadKind::L1, ..Config::preset(Preset::Small, WIDTHS) };
    vec![Model::with(paper, 1), Model::with(small, 2)]
}

#[test]
fn a_burst_has_the_same_bits_alone_in_a_batch_and_in_another_order() {
    for model in models() {
        let (half, clips) = (model.transmitter(), clips(64, &model.config.widths));
        let together: Vec<Vec<u32>> = sent(&half, &clips).iter().map(bits).collect();
        for (clip, burst) in clips.iter().zip(&together) {
            let alone = sent(&half, std::slice::from_ref(clip));
            assert_eq!(bits(&alone[0]), *burst);
        }
        let order = Stream::new(5, &[]).permutation(clips.len());
        let shuffled: Vec<ClipInput> = order.iter().map(|i| clips[*i].clone()).collect();
        // An odd number, too, so that no tile of a kernel falls on the same clips.
        for size in [64, 7] {
            let bursts = shuffled.chunks(size).flat_map(|chunk| sent(&half, chunk));
            for (burst, i) in bursts.zip(&order) {
                assert_eq!(bits(&burst), together[*i], "clip {i} in batches of {size}");
            }
        }
        let mut distinct = together;
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 64, "the clips do differ");
    }
}

/// The bursts after channels of every kind.
fn received(model: &Model) -> Vec<Equalised> {
    let half = model.transmitter();
    let bursts = sent(&half, &clips(64, &model.config.widths));
    let kinds = [ChannelKind::None, ChannelKind::Awgn, ChannelKind::Rayleigh];
    let equalise = |(row, burst): (usize, &Symbols)| {
        let kind = kinds[row % 3];
        let snr = (kind != ChannelKind::None).then(|| SnrDb::try_from(row as f64 / 2.0 - 12.0).unwrap());
        let conditions = Conditions::new(kind, snr, None).unwrap();
        let key = NoiseKey { seed: 1, draw: 0, row: row as u64 };
        let got = phy::draw(key, &conditions, burst.len()).apply(burst);
        phy::equalise(got.symbols.reals(), got.h, got.n0, model.config.equaliser).unwrap()
    };
    bursts.iter().enumerate().map(equalise).collect()
}

#[test]
fn a_prediction_has_the_same_bits_alone_in_a_batch_and_in_another_order() {
    for model in models() {
        let (half, bursts) = (model.receiver(), received(&model));
        // Debug tells all bits but those of NaN.
        let shown = |bursts: &[Equalised]| -> Vec<String> {
            support::received(&half, bursts).iter().map(|p| format!("{p:?}")).collect()
        };
        let together = shown(&bursts);
        assert!(together.iter().all(|p| !p.contains("NaN")));
        for (burst, prediction) in bursts.iter().zip(&together) {
            assert_eq!(shown(std::slice::from_ref(burst))[0], *prediction);
        }
        let order = Stream::new(6, &[]).permutation(bursts.len());
        let shuffled: Vec<Equalised> = order.iter().map(|i| bursts[*i].clone()).collect();
        for size in [64, 7] {
            let answers = shuffled.chunks(size).flat_map(&shown);
            for (answer, i) in answers.zip(&order) {
                assert_eq!(answer, together[*i], "burst {i} in batches of {size}");
            }
        }
    }
}

#[test]
fn bursts_have_unit_power_and_no_batch_is_an_answer() {
    let model = Model::new(1);
    let (transmitter, receiver) = (model.transmitter(), model.receiver());
    assert!(transmitter.transmit(&[], &[]).is_empty());
    assert!(receiver.receive(&[]).is_empty());
    for burst in sent(&transmitter, &clips(16, &WIDTHS)) {
        assert_eq!(burst.len(), transmitter.card().channel_uses.fixed().unwrap());
        assert!((burst.mean_power() - 1.0).abs() < 1e-5, "{}", burst.mean_power());
    }
}

#[test]
fn a_transcript_counts_as_what_it_says_and_a_blank_one_as_none() {
    let half = Model::new(1).transmitter();
    let audio = Some(frames(&mut Stream::new(1, &[]), 9, 5));
    let said = |text: Option<&str>| {
        let clip = ClipInput { transcript: text.map(String::from), features: [None, audio.clone(), None], video: None };
        bits(&sent(&half, &[clip])[0])
    };
    assert_ne!(said(Some("the film was bad")), said(Some("the film was great")));
    assert_ne!(said(Some("the film was bad")), said(None));
    assert_eq!(said(Some(" \n")), said(None));
    // Features win over a transcript.
    let text = Some(frames(&mut Stream::new(2, &[]), 4, 32));
    let with = |transcript| ClipInput { transcript, features: [text.clone(), None, None], video: None };
    let bursts = sent(&half, &[with(None), with(Some("the film was great".into()))]);
    assert_eq!(bits(&bursts[0]), bits(&bursts[1]));
}

/// What is said of a clip, alone and beside good ones, whose bits do not change.
fn refused(model: &Model, clip: ClipInput) -> (InputErrorKind, String) {
    let half = model.transmitter();
    let good = clips(2, &model.config.widths);
    let error = try_sent(&half, std::slice::from_ref(&clip)).unwrap_err();
    let results = half.transmit(&[good[0].clone(), clip, good[1].clone()], &[]);
    assert_eq!(results[1], Err(error.clone()));
    let alone = sent(&half, &good);
    for (result, burst) in [&results[0], &results[2]].into_iter().zip(&alone) {
        assert_eq!(bits(&result.as_ref().unwrap().symbols), bits(burst));
    }
    assert!(!error.to_string().contains('\n'));
    (error.kind, error.to_string())
}

fn only(index: usize, sequence: Sequence) -> ClipInput {
    let mut clip = ClipInput::default();
    clip.features[index] = Some(sequence);
    clip
}

#[test]
fn what_is_wrong_with_features_is_named() {
    let model = Model::new(1);
    let (kind, message) = refused(&model, only(1, Sequence::new(4, vec![0.0; 8])));
    assert_eq!((kind, message.as_str()), (InputErrorKind::WrongWidth, "audio.features.width: expected 5, got 4"));
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut data = vec![0.0; 15];
        data[13] = value;
        let (kind, message) = refused(&model, only(1, Sequence::new(5, data)));
        assert_eq!(kind, InputErrorKind::NotFinite);
        assert_eq!(message, format!("audio.features.data: value 3 of frame 2 is {value}"));
    }
    let long = model.config.max_frames + 1;
    let (kind, message) = refused(&model, only(2, Sequence::new(3, vec![0.0; 3 * long])));
    assert_eq!(
        (kind, message.as_str()),
        (InputErrorKind::TooLong, "visual.features.frames: expected at most 512, got 513")
    );
    try_sent(&model.transmitter(), &[only(2, Sequence::new(3, vec![0.0; 3 * (long - 1)]))]).unwrap();
    let deaf = Model::deaf(Config::preset(Preset::Small, Widths { audio: None, ..WIDTHS }), 1);
    let half = deaf.transmitter();
    let error = try_sent(&half, &[only(1, Sequence::new(5, vec![0.0; 5]))]).unwrap_err();
    assert_eq!(error.kind, InputErrorKind::Unsupported);
    assert_eq!(error.to_string(), "audio.features: these weights were trained without audio");
}

#[test]
fn a_clip_that_holds_nothing_is_refused() {
    let model = Model::new(1);
    let nothing = "clip: the clip holds no frame of any modality";
    let blank = ClipInput { transcript: Some(" \t".into()), ..ClipInput::default() };
    for clip in [ClipInput::default(), blank, only(1, Sequence::new(5, vec![]))] {
        assert_eq!(refused(&model, clip), (InputErrorKind::Empty, nothing.to_string()));
    }
}

#[test]
fn a_transcript_needs_an_encoder_and_a_limit() {
    let text = |text: String| ClipInput { transcript: Some(text), ..ClipInput::default() };
    let (kind, message) = refused(&Model::new(1), text("x".repeat(MAX_TRANSCRIPT + 1)));
    assert_eq!(kind, InputErrorKind::TooLong);
    assert_eq!(message, "text.transcript: expected at most 65536 bytes, got 65537");
    let deaf = Model::deaf(Config::preset(Preset::Small, WIDTHS), 1);
    let (kind, message) = refused(&deaf, text("the film".into()));
    assert_eq!(kind, InputErrorKind::Unsupported);
    assert!(message.starts_with("text.transcript: ") && message.contains("no text encoder"), "{message}");
    // Beside features a transcript that nobody can read does no harm.
    let clip = ClipInput { transcript: Some("the film".into()), ..only(1, Sequence::new(5, vec![0.5; 5])) };
    assert!(try_sent(&deaf.transmitter(), &[clip]).is_ok());
}

#[test]
fn a_burst_of_another_length_is_refused() {
    let half = Model::new(1).receiver();
    let equalised = |symbols: usize| Equalised { reals: vec![0.1; 2 * symbols], noise_var: 0.0, rho: 1.0 };
    let burst = |symbols: usize| ReceivedBurst::from(equalised(symbols));
    let alone = half.receive(&[burst(25)]);
    let [good, error, last] = half.receive(&[burst(25), burst(24), burst(25)]).try_into().unwrap();
    assert!(good.is_ok() && good == alone[0] && last == good, "the others are answered");
    let error = error.unwrap_err();
    assert_eq!(error.kind, InputErrorKind::WrongLength);
    assert_eq!(error.to_string(), "symbols: expected 25 symbols, got 24");
}

fn symbols(transmission: &Transmission) -> Vec<u32> {
    bits(&transmission.symbols)
}

/// A network with feedback, its clips, and two rounds of what their bursts are going to meet.
fn told() -> (Model, Vec<ClipInput>, Vec<Csit>) {
    let config = Config { feedback: true, ..Config::preset(Preset::Small, WIDTHS) };
    let clips = clips(32, &config.widths);
    let known = |i: usize| {
        let snr = SnrDb::try_from((i % 11) as f64 * 3.0 - 12.0).unwrap();
        let key = NoiseKey { seed: 4, draw: (i / 32) as u32, row: (i % 32) as u64 };
        Csit::ahead(key, &Conditions::Rayleigh(snr))
    };
    (Model::with(config, 1), clips, (0..64).map(known).collect())
}

#[test]
fn a_burst_for_its_channel_has_the_same_bits_alone_in_a_batch_and_in_any_round() {
    let (model, clips, csit) = told();
    let half = model.transmitter();
    assert_eq!(half.card().needs, ChannelKnowledge::Csit);
    let together: Vec<Vec<u32>> = sent_knowing(&half, &clips, &csit).unwrap().iter().map(symbols).collect();
    assert_eq!(together.len(), 64);
    for (i, burst) in together.iter().enumerate() {
        let alone = sent_knowing(&half, &clips[i % 32..=i % 32], &csit[i..=i]).unwrap();
        assert_eq!(symbols(&alone[0]), *burst, "burst {i}");
    }
    for burst in sent_knowing(&half, &clips, &csit).unwrap() {
        let power = burst.symbols.mean_power();
        assert!((power - 1.0).abs() < 1e-5, "{power}");
    }
    let mut distinct = together;
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 64, "clips and channels do differ");
}

#[test]
fn a_half_that_needs_feedback_sends_nothing_without_and_csit_come_in_rounds() {
    let (model, clips, csit) = told();
    let half = model.transmitter();
    let error = try_sent(&half, &clips).unwrap_err();
    assert_eq!((error.kind, error.field.as_str()), (InputErrorKind::Unsupported, "csit"));
    for few in [1, 31, 33] {
        let error = sent_knowing(&half, &clips, &csit[..few]).unwrap_err();
        assert_eq!(error.to_string(), format!("csit: expected a multiple of 32, one for each clip, got {few}"));
    }
    assert!(half.transmit(&[], &[]).is_empty());
    assert!(sent_knowing(&half, &[], &csit[..1]).is_err());
    // One item of which nothing is known is one item's error.
    let mut known: Vec<Option<Csit>> = csit.iter().copied().map(Some).collect();
    known[33] = None;
    let all = sent_knowing(&half, &clips, &csit).unwrap();
    let results = half.transmit(&clips, &known);
    assert_eq!(results.len(), 64);
    for (i, (result, all)) in results.iter().zip(&all).enumerate() {
        match i {
            33 => assert_eq!(result.as_ref().unwrap_err().field, "csit"),
            _ => assert_eq!(symbols(result.as_ref().unwrap()), symbols(all), "burst {i}"),
        }
    }
}

#[test]
fn a_half_without_feedback_sends_the_same_whatever_it_is_told() {
    let (_, clips, csit) = told();
    let half = Model::new(1).transmitter();
    assert_eq!(half.card().needs, ChannelKnowledge::Nothing);
    let untold: Vec<Vec<u32>> = sent(&half, &clips).iter().map(bits).collect();
    let told = sent_knowing(&half, &clips, &csit).unwrap();
    assert!(told.iter().map(symbols).eq(untold.iter().chain(&untold).cloned()));
    assert!(sent_knowing(&half, &clips, &csit[1..]).is_err());
}
