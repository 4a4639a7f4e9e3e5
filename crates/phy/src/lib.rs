//! The physical layer: symbols, the channel and its keyed randomness, equalisers, modulation and closed forms.

/// placeholder
pub struct Equalised;
/// placeholder
pub struct Equaliser;
/// placeholder
pub struct Symbols;
