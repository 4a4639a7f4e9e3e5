//! The conventional scheme's halves: what arrives is answered as the proposed network answers it, what does not with
//! the best constant, and what no transmitter sends is refused.

mod support;

use corpus::Sequence;
use latentlink_schemes::conventional::{Coding, ConventionalReceiver, ConventionalTransmitter, with_coding};
use latentlink_schemes::scheme::{
    ClipInput, Csit, InputError, InputErrorKind, Receive, ReceivedBurst, Transmission, Transmit, TransportFormat,
    VideoReader,
};
use latentlink_schemes::scheme_kind::SchemeKind;
use latentlink_schemes::weights;
use metrics::Prediction;
use network::config::{Config, Preset};
use phy::{Conditions, Equalised, NoiseKey, SnrDb, equalise};
use source_coding::{Codec, Content, Source};
use std::sync::Arc;
use support::{Model, WIDTHS, clips, sent_knowing};

const LOST: Prediction =
    Prediction { p_neg: 0.5, p_zero: 0.1, p_pos: 0.4, classes: [0.1, 0.1, 0.2, 0.2, 0.2, 0.1, 0.1], score: -0.25 };

fn coding(clips: &[ClipInput], codec: Codec) -> Coding {
    let source = Source::fit(clips.iter().map(|clip| &clip.features), codec).unwrap();
    Coding { source, middle: 300, lost: LOST }
}

fn halves(clips: &[ClipInput]) -> (Model, ConventionalTransmitter, ConventionalReceiver) {
    let model = Model::new(5);
    let coding = coding(clips, Codec::Deflate);
    let card = model.card().conventional();
    let transmitter = ConventionalTransmitter::new(card.clone(), &model.config, coding.clone());
    let network = model.receiver().network;
    let receiver = ConventionalReceiver { card, coding, reader: model.transmitter(), network, videos: None };
    (model, transmitter, receiver)
}

/// The clips that have more than text features to send.
fn sendable(transmitter: &dyn Transmit) -> Vec<ClipInput> {
    let sent = |clip: &ClipInput| sent_knowing(transmitter, std::slice::from_ref(clip), &[known(0, Conditions::None)]);
    let clips: Vec<ClipInput> = clips(64, &WIDTHS).into_iter().filter(|clip| sent(clip).is_ok()).collect();
    assert!(clips.iter().all(|clip| transmitter.card().finds_content(clip)));
    clips
}

fn known(row: usize, conditions: Conditions) -> Csit {
    Csit::ahead(NoiseKey { seed: 1, draw: 0, row: row as u64 }, &conditions)
}

fn cross(row: usize, Transmission { symbols, format }: &Transmission, conditions: &Conditions) -> ReceivedBurst {
    let key = NoiseKey { seed: 1, draw: 0, row: row as u64 };
    let got = phy::draw(key, conditions, symbols.len()).apply(symbols);
    let equalised = equalise(got.symbols.reals(), got.h, got.n0, phy::Equaliser::Mmse).unwrap();
    ReceivedBurst { equalised, format: *format }
}

fn all<T>(results: Vec<Result<T, InputError>>) -> Vec<T> {
    results.into_iter().collect::<Result<_, _>>().unwrap()
}

fn answers(
    (transmitter, receiver): (&ConventionalTransmitter, &ConventionalReceiver),
    clips: &[ClipInput],
    conditions: Conditions,
) -> Vec<Prediction> {
    let csit: Vec<_> = (0..clips.len()).map(|row| known(row, conditions)).collect();
    let bursts = sent_knowing(transmitter, clips, &csit).unwrap();
    let received: Vec<_> = bursts.iter().enumerate().map(|(row, burst)| cross(row, burst, &conditions)).collect();
    let together = all(receiver.receive(&received));
    for (at, answer) in together.iter().enumerate() {
        assert_eq!(bursts[at].symbols.len(), receiver.card().expected_symbols(bursts[at].format).unwrap());
        let alone = sent_knowing(transmitter, &clips[at..=at], &csit[at..=at]).unwrap();
        assert_eq!(alone[0], bursts[at], "the same burst in any batch");
        let alone = all(receiver.receive(&received[at..=at]));
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
            let content = Content { transcript: clip.transcript.clone(), planes: [None, audio, visual], video: None };
            let Content { transcript, planes, .. } = source.decode(&source.encode(&content).unwrap()).unwrap();
            ClipInput { transcript, features: planes, video: None }
        })
        .collect();
    let sent = support::sent(&model.transmitter(), &kept);
    let quiet = |burst: &phy::Symbols| Equalised { reals: burst.reals().to_vec(), noise_var: 0.0, rho: 1.0 };
    let expected = support::received(&model.receiver(), &sent.iter().map(quiet).collect::<Vec<_>>());
    assert_eq!(clean, expected);
}

#[test]
fn a_worse_channel_takes_more_symbols() {
    let (_, transmitter, _) = halves(&clips(64, &WIDTHS));
    let clips = sendable(&transmitter);
    let uses = |db: f64| -> usize {
        let csit: Vec<_> = (0..clips.len()).map(|row| known(row, awgn(db))).collect();
        sent_knowing(&transmitter, &clips, &csit).unwrap().iter().map(|burst| burst.symbols.len()).sum()
    };
    let (poor, fair, good) = (uses(-5.0), uses(5.0), uses(18.0));
    assert!(poor > 2 * fair && fair > 2 * good, "{poor}, {fair}, {good} symbols");
}

#[test]
fn what_is_no_block_is_refused_by_field() {
    let (_, transmitter, receiver) = halves(&clips(64, &WIDTHS));
    let refused = |format: Option<TransportFormat>| {
        let error = receiver.card().expected_symbols(format).unwrap_err();
        (error.kind, error.field)
    };
    let format = |mcs, bytes| Some(TransportFormat { mcs, bytes });
    assert_eq!(refused(None), (InputErrorKind::Unsupported, "transport".into()));
    assert_eq!(refused(format(29, 100)), (InputErrorKind::Unsupported, "transport.mcs".into()));
    assert_eq!(refused(format(4, u32::MAX)), (InputErrorKind::TooLong, "transport.bytes".into()));
    assert_eq!(refused(format(4, 0)), (InputErrorKind::Unsupported, "transport".into()));
    let short = Equalised { reals: vec![0.5; 8], noise_var: 0.1, rho: 0.9 };
    let alone = |format| receiver.receive(&[ReceivedBurst { equalised: short.clone(), format }]).remove(0);
    assert_eq!(alone(format(4, 100)).unwrap_err().field, "symbols");
    assert!(alone(None).is_err(), "a block needs its format");

    let clips = sendable(&transmitter);
    let untold = transmitter.transmit(&clips, &[]);
    assert!(
        untold.iter().all(|result| result.as_ref().is_err_and(|e| e.field == "csit")),
        "a block needs the conditions"
    );
    let only_text = ClipInput { features: [clips[0].features[0].clone(), None, None], ..ClipInput::default() };
    assert!(!transmitter.card().finds_content(&only_text));
    assert_eq!(transmitter.transmit(&[only_text], &[]).remove(0).unwrap_err().kind, InputErrorKind::Empty);
}

/// One clip that cannot be sent and one burst that cannot be read keep none of the others from it.
#[test]
fn what_is_wrong_with_one_item_is_no_others_fault() {
    let (_, transmitter, receiver) = halves(&clips(64, &WIDTHS));
    let mut clips = sendable(&transmitter)[..5].to_vec();
    let csit: Vec<_> = (0..5).map(|row| known(row, Conditions::None)).collect();
    let good = sent_knowing(&transmitter, &clips, &csit).unwrap();
    clips[3] = ClipInput::default();
    let sent = transmitter.transmit(&clips, &csit.iter().copied().map(Some).collect::<Vec<_>>());
    assert_eq!(sent[3].as_ref().unwrap_err().kind, InputErrorKind::Empty);
    assert!([0, 1, 2, 4].into_iter().all(|at| sent[at].as_ref() == Ok(&good[at])));

    let mut received: Vec<_> = good.iter().enumerate().map(|(row, sent)| cross(row, sent, &Conditions::None)).collect();
    let answers = all(receiver.receive(&received));
    received[1].format = None;
    received[2].equalised.reals.truncate(2);
    let some = receiver.receive(&received);
    assert_eq!(some[1].as_ref().unwrap_err().kind, InputErrorKind::Unsupported);
    assert_eq!(some[2].as_ref().unwrap_err().kind, InputErrorKind::WrongLength);
    assert!([0, 3, 4].into_iter().all(|at| some[at] == Ok(answers[at])));
}

/// Finds in every video what it is told to find.
struct Finds([Option<Sequence>; 3]);

impl VideoReader for Finds {
    fn read(&self, video: &[u8]) -> Result<[Option<Sequence>; 3], InputError> {
        match video {
            b"a video" => Ok(self.0.clone()),
            _ => Err(InputError::new(InputErrorKind::Damaged, "video", "no video")),
        }
    }
}

/// A video that arrives and cannot be read is no video lost in the channel: it is refused, for what it is.
#[test]
fn a_video_that_arrives_and_cannot_be_read_is_refused_with_its_reason() {
    let (_, transmitter, mut receiver) = halves(&clips(64, &WIDTHS));
    let of = |video: &[u8]| ClipInput { video: Some(video.into()), ..ClipInput::default() };
    let [video, broken] = [&b"a video"[..], b"broken"].map(|video| {
        let sent = sent_knowing(&transmitter, &[of(video)], &[known(0, Conditions::None)]).unwrap();
        cross(0, &sent[0], &Conditions::None)
    });
    let mut refused = |reader: Option<Finds>, burst: &ReceivedBurst| {
        receiver.videos = reader.map(|reader| Arc::new(reader) as Arc<dyn VideoReader>);
        receiver.receive(std::slice::from_ref(burst)).remove(0)
    };
    let error = refused(None, &video).unwrap_err();
    assert_eq!(error.kind, InputErrorKind::Unsupported);
    assert!(error.message.contains("--extractors"), "{error}");
    let error = refused(Some(Finds([None, None, None])), &video).unwrap_err();
    assert_eq!((error.kind, error.field.as_str()), (InputErrorKind::Empty, "clip"));
    let long = Sequence::new(5, vec![0.0; 5 * 2000]);
    let error = refused(Some(Finds([None, Some(long), None])), &video).unwrap_err();
    assert_eq!((error.kind, error.field.as_str()), (InputErrorKind::TooLong, "audio.features.frames"));
    assert_eq!(refused(Some(Finds([None, None, None])), &broken).unwrap_err().kind, InputErrorKind::Damaged);
    let heard = refused(Some(Finds([None, Some(Sequence::new(5, vec![0.5; 50])), None])), &video).unwrap();
    assert_ne!(heard, LOST);
}

/// The network's own refusal of a transport block.
#[test]
fn other_schemes_take_no_block() {
    let receiver = Model::new(5).receiver();
    assert_eq!(receiver.card().expected_symbols(None).unwrap(), 25);
    let error = receiver.card().expected_symbols(Some(TransportFormat { mcs: 0, bytes: 10 })).unwrap_err();
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
        assert!(error.to_string().contains("build with --features video"), "{error}");
        return;
    }
    let (transmitter, receiver) = weights::load(folder.path()).unwrap();
    assert_eq!(transmitter.card(), &weights::transmitter_manifest(folder.path()).unwrap().card());
    assert_eq!(transmitter.card().model_id, receiver.card().model_id);
    let csit = [known(0, Conditions::None)];
    let sent = |clip: &ClipInput| sent_knowing(transmitter.as_ref(), std::slice::from_ref(clip), &csit).is_ok();
    let clips: Vec<ClipInput> = clips(8, &WIDTHS).into_iter().filter(sent).collect();
    let csit: Vec<_> = (0..clips.len()).map(|row| known(row, Conditions::None)).collect();
    let bursts = sent_knowing(transmitter.as_ref(), &clips, &csit).unwrap();
    let received: Vec<_> = bursts.iter().enumerate().map(|(row, burst)| cross(row, burst, &Conditions::None)).collect();
    let answers = all(receiver.receive(&received));
    assert!(answers.iter().all(|answer| *answer != LOST));
    let lost = all(receiver.receive(&[cross(0, &bursts[0], &awgn(-20.0))]));
    assert_eq!(lost, [LOST]);
}
