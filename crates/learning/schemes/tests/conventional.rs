//! The conventional scheme's halves: what arrives is answered as the proposed network answers it, what does not with the best
//! constant, and what no transmitter sends is refused.

mod support;

use corpus::Origins;
use latentlink_schemes::conventional::{Coding, ConventionalReceiver, ConventionalTransmitter, with_coding};
use latentlink_schemes::scheme::{
    ChannelHint, ClipInput, Emission, InputErrorKind, ReceiverHalf, TransmitterHalf, TransportFormat,
};
use latentlink_schemes::scheme_kind::SchemeKind;
use latentlink_schemes::weights;
use metrics::Prediction;
use network::config::{Config, Preset};
use phy::{Conditions, Equalised, NoiseKey, SnrDb, equalise};
use source_coding::{Codec, Content, Source};
use support::{Model, WIDTHS, clips};

const LOST: Prediction =
    Prediction { p_neg: 0.5, p_zero: 0.1, p_pos: 0.4, classes: [0.1, 0.1, 0.2, 0.2, 0.2, 0.1, 0.1], score: -0.25 };

fn coding(clips: &[ClipInput], codec: Codec) -> Coding {
    let source = Source::fit(clips.iter().map(|clip| &clip.features), codec).unwrap();
    Coding { source, middle: 300, lost: LOST }
}

fn halves(clips: &[ClipInput]) -> (Model, ConventionalTransmitter, ConventionalReceiver) {
    let model = Model::new(5);
    let coding = coding(clips, Codec::Deflate);
    let id = "in memory".to_owned();
    let transmitter = ConventionalTransmitter::new(id, Origins::default(), &model.config, true, coding.clone());
    let network = model.receiver().network;
    let receiver = ConventionalReceiver { coding, reader: model.transmitter(), network, films: None };
    (model, transmitter, receiver)
}

/// The clips that have more than text features to send.
fn sendable(transmitter: &dyn TransmitterHalf) -> Vec<ClipInput> {
    clips(64, &WIDTHS).into_iter().filter(|clip| transmitter.check(clip).is_ok()).collect()
}

fn hint(row: usize, conditions: Conditions) -> ChannelHint {
    ChannelHint::ahead(NoiseKey { seed: 1, draw: 0, row: row as u64 }, &conditions)
}

fn cross(row: usize, Emission { symbols, .. }: &Emission, conditions: &Conditions) -> Equalised {
    let key = NoiseKey { seed: 1, draw: 0, row: row as u64 };
    let got = phy::draw(key, conditions, symbols.len()).apply(symbols);
    equalise(got.symbols.reals(), got.h, got.n0, phy::Equaliser::Mmse).unwrap()
}

fn answers(
    (transmitter, receiver): (&ConventionalTransmitter, &ConventionalReceiver),
    clips: &[ClipInput],
    conditions: Conditions,
) -> Vec<Prediction> {
    let hints: Vec<_> = (0..clips.len()).map(|row| hint(row, conditions)).collect();
    let bursts = transmitter.emit(clips, Some(&hints)).unwrap();
    let formats: Vec<_> = bursts.iter().map(|burst| burst.format).collect();
    let received: Vec<_> = bursts.iter().enumerate().map(|(row, burst)| cross(row, burst, &conditions)).collect();
    let together = receiver.decode_formatted(&received, &formats).unwrap();
    for (at, answer) in together.iter().enumerate() {
        assert_eq!(bursts[at].symbols.len(), receiver.symbols_of(formats[at]).unwrap());
        let alone = transmitter.emit(&clips[at..=at], Some(&hints[at..=at])).unwrap();
        assert_eq!(alone[0], bursts[at], "the same burst in any batch");
        let alone = receiver.decode_formatted(&received[at..=at], &formats[at..=at]).unwrap();
        assert_eq!(alone[0], *answer, "the same answer in any batch");
    }
    together
}

fn awgn(db: f64) -> Conditions {
    Conditions::Awgn(SnrDb::try_from(db).unwrap())
}

#[test]
fn what_arrives_is_read_by_the_network_and_the_rest_is_the_constant() {
    let (model, transmitter, receiver) = halves(&clips(64, &WIDTHS));
    let clips = sendable(&transmitter);
    assert!(clips.len() > 32);
    let both = (&transmitter, &receiver);
    let clean = answers(both, &clips, Conditions::None);
    assert_eq!(answers(both, &clips, awgn(21.0)), clean, "above the cliff nothing is lost");
    assert_eq!(answers(both, &clips, awgn(-20.0)), vec![LOST; clips.len()], "below it everything is");

    // What the network says of the contents as the codec keeps them, sent without noise.
    let source = &receiver.coding.source;
    let kept: Vec<ClipInput> = clips
        .iter()
        .map(|clip| {
            let [_, audio, visual] = clip.features.clone();
            let content = Content { transcript: clip.transcript.clone(), planes: [None, audio, visual], film: None };
            let Content { transcript, planes, .. } = source.decode(&source.encode(&content).unwrap()).unwrap();
            ClipInput { transcript, features: planes, film: None }
        })
        .collect();
    let sent = model.transmitter().encode(&kept).unwrap();
    let quiet = |burst: &phy::Symbols| Equalised { reals: burst.reals().to_vec(), noise_var: 0.0, rho: 1.0 };
    let expected = model.receiver().decode(&sent.iter().map(quiet).collect::<Vec<_>>()).unwrap();
    assert_eq!(clean, expected);
}

#[test]
fn a_worse_channel_takes_more_symbols() {
    let (_, transmitter, _) = halves(&clips(64, &WIDTHS));
    let clips = sendable(&transmitter);
    let uses = |db: f64| -> usize {
        let hints: Vec<_> = (0..clips.len()).map(|row| hint(row, awgn(db))).collect();
        transmitter.emit(&clips, Some(&hints)).unwrap().iter().map(|burst| burst.symbols.len()).sum()
    };
    let (poor, fair, good) = (uses(-5.0), uses(5.0), uses(18.0));
    assert!(poor > 2 * fair && fair > 2 * good, "{poor}, {fair}, {good} symbols");
}

#[test]
fn what_is_no_block_is_refused_by_field() {
    let (_, transmitter, receiver) = halves(&clips(64, &WIDTHS));
    let refused = |format: Option<TransportFormat>| {
        let error = receiver.symbols_of(format).unwrap_err();
        (error.kind, error.field)
    };
    let format = |mcs, bytes| Some(TransportFormat { mcs, bytes });
    assert_eq!(refused(None), (InputErrorKind::Unsupported, "transport".into()));
    assert_eq!(refused(format(29, 100)), (InputErrorKind::Unsupported, "transport.mcs".into()));
    assert_eq!(refused(format(4, u32::MAX)), (InputErrorKind::TooLong, "transport.bytes".into()));
    assert_eq!(refused(format(4, 0)), (InputErrorKind::Unsupported, "transport".into()));
    let short = Equalised { reals: vec![0.5; 8], noise_var: 0.1, rho: 0.9 };
    let error = receiver.decode_formatted(std::slice::from_ref(&short), &[format(4, 100)]).unwrap_err();
    assert_eq!(error.field, "symbols");
    assert!(receiver.decode(&[short]).is_err(), "a block needs its format");

    let clips = sendable(&transmitter);
    assert!(transmitter.encode(&clips).is_err(), "a block needs the conditions");
    let only_text = ClipInput { features: [clips[0].features[0].clone(), None, None], ..ClipInput::default() };
    assert_eq!(transmitter.check(&only_text).unwrap_err().kind, InputErrorKind::Empty);
}

/// The network's own refusal of a transport block.
#[test]
fn other_schemes_take_no_block() {
    let receiver = Model::new(5).receiver();
    assert_eq!(receiver.symbols_of(None).unwrap(), 25);
    let error = receiver.symbols_of(Some(TransportFormat { mcs: 0, bytes: 10 })).unwrap_err();
    assert_eq!((error.kind, error.field.as_str()), (InputErrorKind::Unsupported, "transport"));
}

#[test]
fn both_halves_come_back_from_the_disk_and_the_text_encoder_is_the_receivers() {
    let model = Model::with(Config::preset(Preset::Small, WIDTHS), 4);
    let coding = coding(&clips(64, &WIDTHS), Codec::pictures().unwrap_or(Codec::Deflate));
    let params = with_coding(&model.params, &model.config, &coding).unwrap();
    let model = Model { params, ..model };
    let folder = tempfile::tempdir().unwrap();
    model.save_as(SchemeKind::Conventional, folder.path()).unwrap();
    assert!(
        folder.path().join("receiver/text-encoder").is_dir()
            && !folder.path().join("transmitter/text-encoder").exists()
    );
    if Codec::pictures().is_err() {
        let Err(error) = weights::load(folder.path()) else { panic!("a build without H.264") };
        assert!(error.to_string().contains("build with --features h264"), "{error}");
        return;
    }
    let (transmitter, receiver) = weights::load(folder.path()).unwrap();
    assert_eq!(transmitter.model_id(), receiver.model_id());
    let clips: Vec<ClipInput> = clips(8, &WIDTHS).into_iter().filter(|clip| transmitter.check(clip).is_ok()).collect();
    let hints: Vec<_> = (0..clips.len()).map(|row| hint(row, Conditions::None)).collect();
    let bursts = transmitter.emit(&clips, Some(&hints)).unwrap();
    let formats: Vec<_> = bursts.iter().map(|burst| burst.format).collect();
    let received: Vec<_> = bursts.iter().enumerate().map(|(row, burst)| cross(row, burst, &Conditions::None)).collect();
    let answers = receiver.decode_formatted(&received, &formats).unwrap();
    assert!(answers.iter().all(|answer| *answer != LOST));
    let lost = receiver.decode_formatted(&[cross(0, &bursts[0], &awgn(-20.0))], &formats[..1]).unwrap();
    assert_eq!(lost, [LOST]);
}
