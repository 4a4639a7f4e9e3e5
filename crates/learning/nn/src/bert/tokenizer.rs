//! Text to token ids.

use super::{BertError, Config};
use tokenizers::TruncationParams;

/// The checkpoint's tokenizer, cut to the encoder's number of positions and never padding.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
}

impl Tokenizer {
    /// From the text of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`BertError::File`] if it is no tokenizer; [`BertError::Setting`] if it has tokens that the encoder has no embedding
    /// for, or if the encoder has no position left beside the special tokens.
    pub fn parse(json: &str, config: &Config) -> Result<Self, BertError> {
        let mut inner: tokenizers::Tokenizer = json.parse().map_err(refused)?;
        let vocab = inner.get_vocab(true);
        if let Some((token, id)) = vocab.iter().max_by_key(|(_, id)| **id)
            && *id as usize >= config.vocab_size
        {
            return Err(BertError::Setting {
                file: "config.json".into(),
                field: "vocab_size",
                expected: format!("more than {id}, the id of token {token:?} in tokenizer.json"),
                got: config.vocab_size.to_string(),
            });
        }
        let special = inner.get_post_processor().map_or(0, |p| tokenizers::PostProcessor::added_tokens(p, false));
        if config.max_position_embeddings <= special {
            return Err(BertError::Setting {
                file: "config.json".into(),
                field: "max_position_embeddings",
                expected: format!("more than the {special} special tokens of tokenizer.json"),
                got: config.max_position_embeddings.to_string(),
            });
        }
        let truncation = TruncationParams { max_length: config.max_position_embeddings, ..Default::default() };
        inner.with_truncation(Some(truncation)).map_err(refused)?;
        inner.with_padding(None);
        Ok(Tokenizer { inner })
    }

    /// The token ids of a text with its special tokens, at most as many as there are positions.
    ///
    /// # Errors
    /// [`BertError::Text`] if the tokenizer refuses the text.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>, BertError> {
        match self.inner.encode(text, true) {
            Ok(encoding) => Ok(encoding.get_ids().to_vec()),
            Err(e) => Err(BertError::Text { text: text.into(), reason: e.to_string() }),
        }
    }
}

fn refused(e: tokenizers::Error) -> BertError {
    BertError::File { file: "tokenizer.json".into(), reason: e.to_string() }
}
