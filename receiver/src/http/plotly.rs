//! The script plotly.js, as the `plotly` crate contains it.

use axum::body::Bytes;
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use std::io::Read;
use std::sync::OnceLock;

const OPEN: &str = "<script type=\"text/javascript\">";
const CLOSE: &str = "</script>";

/// The script compressed with gzip. The first call compresses, which takes a moment.
pub fn packed() -> Bytes {
    static PACKED: OnceLock<Bytes> = OnceLock::new();
    let pack = || {
        let mut packed = Vec::new();
        // Reading from memory does not fail.
        let _ = GzEncoder::new(script(&plotly::Plot::offline_js_sources()).as_bytes(), Compression::default())
            .read_to_end(&mut packed);
        Bytes::from(packed)
    };
    PACKED.get_or_init(pack).clone()
}

/// The uncompressed script, from the result of [`packed`].
pub fn unpacked(packed: &[u8]) -> Bytes {
    let mut script = Vec::new();
    // Data compressed in memory decompresses without an error.
    let _ = GzDecoder::new(packed).read_to_end(&mut script);
    script.into()
}

/// The contents of the first script element of `html`, which is plotly; MathJax follows.
fn script(html: &str) -> &str {
    let start = html.find(OPEN).map_or(0, |at| at + OPEN.len());
    let end = html[start..].find(CLOSE).map_or(html.len(), |at| start + at);
    &html[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_plotly_alone() {
        let packed = packed();
        assert!(packed.len() > 500_000 && packed.len() < 2_000_000, "{}", packed.len());
        let script = unpacked(&packed);
        let script = std::str::from_utf8(&script).unwrap();
        assert!(script.starts_with("/**\n* plotly.js v"), "{}", &script[..60]);
        assert!(script.len() > 3_000_000 && script.trim_end().ends_with(';'), "{}", &script[script.len() - 60..]);
        assert!(!script.contains("<script") && !script.contains("MathJax=Object.assign"));
    }
}
