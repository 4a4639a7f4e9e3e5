//! Tests of videos and recordings that a user sends.

use crate::Site;
use crate::http::{call, get, post_file, send};
use crate::peers::{Emulator, Encoder};
use proto::v1::content::Kind;
use serde_json::json;

const MIB: usize = 1 << 20;

fn listening() -> Encoder {
    Encoder { takes_media: true, ..Encoder::default() }
}

#[tokio::test]
async fn a_video_is_looked_into_and_sent_over_every_channel() {
    let encoder = Encoder { takes_text: true, ..listening() };
    let peer = encoder.serve("127.0.0.1:0");
    let site = Site::start(None, Some(peer.url.clone())).await;
    let info = get(site.address, "/api/info").await.json();
    assert_eq!((&info["takes_media"], &info["media_bytes"]), (&json!(["audio"]), &json!(64 * MIB)));

    // A file longer than one message.
    let file: Vec<u8> = (0..3 * MIB / 2).map(|n| ((n * n) >> 7) as u8).collect();
    let answer = post_file(site.address, "/api/film?text=well%20%C3%A9", &file).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let video = answer.json();
    assert_eq!((&video["text"], &video["noiseless"]["sentiment"]), (&json!("well é"), &json!("positive")));
    assert_eq!((&video["live"]["conditions"]["snr_db"], video["sweep"].as_array().unwrap().len()), (&json!(3.0), 12));
    let seen = &video["inspection"];
    assert_eq!((&seen["seconds"], &seen["peaks"]), (&json!(1.0), &json!([[-0.5, 0.5]])));
    assert_eq!(
        (&seen["faces"][0]["bounds"], &seen["faces"][0]["landmarks"][67]),
        (&json!([0.0, 0.0, 0.5, 0.5]), &json!([0.25, 0.25]))
    );
    assert_eq!(seen["sent"], json!(vec![[1.0, 1.0]; 4]));
    assert_eq!((&seen["received"][0], &seen["equalised"][3]), (&json!([0.5, 0.5]), &json!([0.75, 0.75])));

    let clips = encoder.clips.lock().unwrap().clone();
    assert_eq!(clips.len(), 14);
    assert!(clips.iter().all(|clip| clip.media.as_ref().is_some_and(|media| media.data == file)));
    assert!(clips.iter().all(|clip| clip.noise.is_some() && clip.noise == clips[0].noise && clip.label.is_none()));
    let first: Vec<bool> = clips.iter().map(|clip| clip.inspect && clip.conditions.is_none()).collect();
    assert_eq!((first[0], first[1..].contains(&true)), (true, false));
    let said = clips[0].modalities.get("text").and_then(|text| text.kind.clone());
    assert_eq!(said, Some(Kind::Transcript("well é".into())));
    site.receiver.stop().await;
}

#[tokio::test]
async fn weights_that_cannot_read_still_hear() {
    let encoder = listening();
    let peer = encoder.serve("127.0.0.1:0");
    let site = Site::start(None, Some(peer.url.clone())).await;
    let video = post_file(site.address, "/api/film?text=well", b"a film").await.json();
    assert!(video["text"].is_null() && video["live"]["score"].is_number(), "{video}");
    let clips = encoder.clips.lock().unwrap().clone();
    assert!(clips.iter().all(|clip| clip.modalities.is_empty() && clip.caption.as_deref() == Some("well")));
    site.receiver.stop().await;
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused() {
    let encoder = listening();
    let peer = encoder.serve("127.0.0.1:0");
    let site = Site::start(None, Some(peer.url.clone())).await;
    let at = site.address;
    let post = async |path: &str, file: &[u8]| post_file(at, path, file).await.problem();
    let long = format!("/api/film?text={}", "a".repeat(2001));
    for (path, file, status, problem) in [
        ("/api/film", &b""[..], 400, "empty"),
        ("/api/film?label=3", b"a film", 400, "label"),
        (long.as_str(), b"a film", 400, "2001 characters"),
        ("/api/film", b"broken", 422, "not a known media file"),
        ("/api/film", b"strange", 415, "not decoded in process"),
    ] {
        let (got, sentence) = post(path, file).await;
        assert!(got == status && sentence.contains(problem), "{path}: {got} {sentence}");
    }
    // A file that cannot be read was not sent again.
    assert_eq!(encoder.clips.lock().unwrap().len(), 2);

    let head = |headers: &str| format!("POST /api/film HTTP/1.1\r\nHost: {at}\r\n{headers}\r\n");
    let status = async |headers: &str| send(at, &head(headers)).await.problem().0;
    let octets = "Content-Type: application/octet-stream\r\n";
    assert_eq!(status(&format!("{octets}Content-Length: {}\r\n", 64 * MIB + 1)).await, 413);
    assert_eq!(status(&format!("{octets}Origin: http://evil.example\r\nContent-Length: 0\r\n")).await, 403);
    assert_eq!(status("Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 0\r\n").await, 415);
    assert_eq!(call(at, "POST", "/api/film", "{}").await.problem().0, 415);
    assert_eq!(get(at, "/api/film").await.problem().0, 405);
    site.receiver.stop().await;
}

/// A body of unknown length (no Content-Length) that never ends.
#[tokio::test]
async fn a_video_without_an_end_is_cut_off() {
    let peer = listening().serve("127.0.0.1:0");
    let site = Site::start(None, Some(peer.url.clone())).await;
    let at = site.address;
    let head = format!(
        "POST /api/film HTTP/1.1\r\nHost: {at}\r\nContent-Type: application/octet-stream\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    let chunk = [&b"100000\r\n"[..], &vec![7; MIB], b"\r\n"].concat();
    let request = [head.as_bytes(), &chunk.repeat(64), b"1\r\n7\r\n0\r\n\r\n"].concat();
    let (status, sentence) = send(at, &request).await.problem();
    assert!(status == 413 && sentence.contains("67108864"), "{status} {sentence}");
    site.receiver.stop().await;
}

#[tokio::test]
async fn where_no_videos_are_taken_it_says_so() {
    let site = Site::start(None, None).await;
    let (status, sentence) = post_file(site.address, "/api/film", b"a film").await.problem();
    assert!(status == 503 && sentence.contains("--transmitter"), "{sentence}");
    site.receiver.stop().await;

    let peer = Encoder { takes_text: true, ..Encoder::default() }.serve("127.0.0.1:0");
    let gone = Emulator::default().serve("127.0.0.1:0").url.clone();
    let site = Site::start(None, Some(peer.url.clone())).await;
    assert_eq!(get(site.address, "/api/info").await.json()["takes_media"], json!([]));
    let (status, sentence) = post_file(site.address, "/api/film", b"a film").await.problem();
    assert!(status == 503 && sentence.contains("--extractors"), "{sentence}");
    site.receiver.stop().await;

    let site = Site::start(Some(gone.clone()), Some(peer.url.clone())).await;
    let (status, sentence) = post_file(site.address, "/api/film", b"a film").await.problem();
    assert!(status == 503 && sentence.contains(&format!("emulator at {gone}")), "{sentence}");
    site.receiver.stop().await;
}
