use super::*;
use safetensors::tensor::serialize;

type Tensor = (&'static str, Dtype, Vec<usize>, Vec<u8>);

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn file(tensors: &[Tensor]) -> Vec<u8> {
    let views =
        tensors.iter().map(|(name, dtype, shape, data)| (*name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    serialize(views, None).unwrap()
}

fn read_bytes(bytes: &[u8], n_clips: usize) -> Result<[Option<ModalityFeatures>; 3], String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("features.safetensors");
    std::fs::write(&path, bytes).unwrap();
    read_features(&path, &TensorNames::default(), n_clips).map_err(|error| {
        let error = error.to_string();
        assert!(error.starts_with(&path.display().to_string()) && !error.contains('\n'), "{error}");
        error
    })
}

fn read(tensors: &[Tensor], n_clips: usize) -> Result<[Option<ModalityFeatures>; 3], String> {
    read_bytes(&file(tensors), n_clips)
}

fn error(tensors: &[Tensor], n_clips: usize) -> String {
    read(tensors, n_clips).err().expect("an error")
}

#[test]
fn every_float_type_reads_the_same() {
    let values = [1.5f32, -2.0, 0.25, 96.0];
    let types = [
        (Dtype::F32, f32s(&values)),
        (Dtype::F64, values.iter().flat_map(|v| f64::from(*v).to_le_bytes()).collect()),
        (Dtype::F16, values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect()),
        (Dtype::BF16, values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect()),
    ];
    for (dtype, bytes) in types {
        let [text, audio, visual] = read(&[("audio", dtype, vec![2, 2], bytes)], 2).unwrap();
        assert!(text.is_none() && visual.is_none());
        let audio = audio.unwrap();
        assert_eq!(audio.sequences[1], Some(Sequence::new(2, vec![0.25, 96.0])), "{dtype:?}");
        assert_eq!(audio.replaced, Replaced::default());
    }
}

#[test]
fn lengths_of_any_integer_type_cut_the_frames() {
    let frames = ("visual", Dtype::F32, vec![3, 2, 1], f32s(&[1.0, f32::NAN, 0.0, 0.0, 5.0, 6.0]));
    let all: [(Dtype, Vec<u8>); 8] = [
        (Dtype::U8, vec![1, 2, 0]),
        (Dtype::I8, vec![1, 2, 0]),
        (Dtype::U16, [1u16, 2, 0].iter().flat_map(|v| v.to_le_bytes()).collect()),
        (Dtype::I16, [1i16, 2, 0].iter().flat_map(|v| v.to_le_bytes()).collect()),
        (Dtype::U32, [1u32, 2, 0].iter().flat_map(|v| v.to_le_bytes()).collect()),
        (Dtype::I32, [1i32, 2, 0].iter().flat_map(|v| v.to_le_bytes()).collect()),
        (Dtype::U64, [1u64, 2, 0].iter().flat_map(|v| v.to_le_bytes()).collect()),
        (Dtype::I64, [1i64, 2, 0].iter().flat_map(|v| v.to_le_bytes()).collect()),
    ];
    for (dtype, lengths) in all {
        let [.., visual] = read(&[frames.clone(), ("visual_lengths", dtype, vec![3], lengths)], 3).unwrap();
        let visual = visual.unwrap();
        let expected = [Some(Sequence::new(1, vec![1.0])), Some(Sequence::new(1, vec![0.0, 0.0])), None];
        assert_eq!(visual.sequences, expected, "{dtype:?}");
        assert_eq!(visual.replaced, Replaced::default(), "padding is not counted");
    }
}

#[test]
fn without_lengths_zeros_at_the_end_are_padding() {
    let data = f32s(&[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, /* row 1 */ 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let [text, ..] = read(&[("text", Dtype::F32, vec![2, 3, 2], data.clone())], 2).unwrap();
    assert_eq!(text.unwrap().sequences, [Some(Sequence::new(2, vec![0.0, 0.0, 1.0, 0.0])), None]);
    let [text, ..] = read(&[("text", Dtype::F32, vec![2, 6], data)], 2).unwrap();
    assert!(text.unwrap().sequences[1].is_some(), "a single row is no padding");
}

#[test]
fn nan_and_infinities_become_zero_and_are_counted() {
    let huge = [1e300, f64::NAN, f64::NEG_INFINITY, 1.0].iter().flat_map(|v: &f64| v.to_le_bytes()).collect();
    let [text, ..] = read(&[("text", Dtype::F64, vec![1, 4], huge)], 1).unwrap();
    let text = text.unwrap();
    assert_eq!(text.sequences[0], Some(Sequence::new(4, vec![0.0, 0.0, 0.0, 1.0])));
    assert_eq!(text.replaced, Replaced { nan: 1, infinite: 2 });
}

#[test]
fn each_fault_names_tensor_and_row() {
    let audio = |shape: Vec<usize>| ("audio", Dtype::F32, shape.clone(), vec![0; 4 * shape.iter().product::<usize>()]);
    let lengths = |values: &[i32]| {
        ("audio_lengths", Dtype::I32, vec![values.len()], values.iter().flat_map(|v| v.to_le_bytes()).collect())
    };
    let floats = ("audio_lengths", Dtype::F32, vec![2], vec![0; 8]);
    let cases = [
        (error(&[audio(vec![3, 2])], 2), "tensor `audio`: has 3 rows, but there are 2 clips"),
        (error(&[audio(vec![2])], 2), "expected shape [clips, width] or [clips, time, width], got [2]"),
        (error(&[audio(vec![2, 0])], 2), "has no values, its shape is [2, 0]"),
        (error(&[audio(vec![2, 1 << 60, 0])], 2), "has no values"),
        (error(&[("audio", Dtype::I32, vec![2, 1], vec![0; 8])], 2), "expected type F32, F64, F16 or BF16, got I32"),
        (
            error(&[audio(vec![2, 3, 1]), lengths(&[3, 4])], 2),
            "tensor `audio_lengths`, row 1: expected a length from 0 to 3, got 4",
        ),
        (
            error(&[audio(vec![2, 3, 1]), lengths(&[-1, 2])], 2),
            "tensor `audio_lengths`, row 0: expected a length from 0 to 3, got -1",
        ),
        (error(&[audio(vec![2, 3, 1]), lengths(&[1])], 2), "expected shape [2], one length for each clip, got [1]"),
        (error(&[audio(vec![2, 3, 1]), floats], 2), "tensor `audio_lengths`: expected an integer type, got F32"),
        (error(&[lengths(&[1, 1])], 2), "tensor `audio_lengths`: there is no tensor `audio`"),
        (
            error(&[audio(vec![2, 1]), ("vision", Dtype::F32, vec![2, 1], vec![0; 8])], 2),
            "tensor `vision`: unknown name; expected text, audio, visual",
        ),
        (error(&[], 2), "holds none of the tensors text, audio, visual"),
    ];
    for (error, expected) in cases {
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn truncated_and_hostile_files_are_refused() {
    let whole = file(&[("audio", Dtype::F32, vec![2, 2], vec![0; 16])]);
    for end in [0, 4, 8, 20, whole.len() - 1] {
        let error = read_bytes(&whole[..end], 2).err().expect("an error");
        assert!(error.contains("not a whole safetensors file"), "{error}");
    }
    let claim = |header: &str| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes
    };
    // Header lengths and shapes that would take more memory than any machine has.
    let mut endless = u64::MAX.to_le_bytes().to_vec();
    endless.extend(b"{}");
    let huge = claim(r#"{"audio":{"dtype":"F32","shape":[2,4611686018427387904],"data_offsets":[0,8]}}"#);
    let beyond = claim(r#"{"audio":{"dtype":"F32","shape":[2,1000000000000],"data_offsets":[0,8000000000000]}}"#);
    for bytes in [endless, huge, beyond] {
        assert!(read_bytes(&bytes, 2).err().expect("an error").contains("not a whole safetensors file"));
    }
}
