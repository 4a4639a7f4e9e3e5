//! The schemes: where a network meets the channel's symbols and the content to be sent.
//!
//! [`scheme`] is the interface of a scheme's two halves, all that services, evaluation and plots know. [`halves`] implements it
//! by a network, [`codebook`] by a decision sent as a codeword, [`conventional`] by source coding and transport blocks;
//! [`scheme_kind`] names them all, and [`weights`] keeps the halves on disk.

#![forbid(unsafe_code)]

pub mod codebook;
pub mod conventional;
pub mod halves;
pub mod scheme;
pub mod scheme_kind;
pub mod weights;
