//! Names of schemes and channels in figures, tables and reports, in one place, so that each has one name everywhere.

/// The displayed name of a scheme whose name in records, command lines and folders is `name`, such as
/// `t-deepsc-published`, `proposed+feedback` or `proposed without text`. Unknown names stay as they are.
pub fn label(name: &str) -> String {
    if let Some((scheme, without)) = name.split_once(" without ") {
        return format!("{} without {without}", label(scheme));
    }
    if let Some(scheme) = name.strip_suffix("+feedback") {
        return format!("{}, with CSIT", label(scheme));
    }
    if let Some(dimensions) = name.strip_prefix("reals-").filter(|digits| digits.parse::<u32>().is_ok()) {
        return format!("proposed, {dimensions} channel dimensions");
    }
    match name {
        "proposed-l1" => "proposed, L1 head",
        "proposed-watching" => "proposed, \u{3bb} = 0 control",
        "t-deepsc" => "T-DeepSC, our protocol and head",
        "t-deepsc-mse" => "T-DeepSC, our protocol",
        "t-deepsc-published" => "T-DeepSC, as published",
        "sign-repetition" => "sign, repeated",
        "class-repetition" => "class, repeated",
        "quantised-latent" => "quantised, 6 bits",
        "conventional" => "conventional, one h per clip",
        "conventional-diverse" => "conventional, new h every 25",
        other => other,
    }
    .to_owned()
}

/// The displayed name of a channel that records call `awgn`, `rayleigh`, `rician:K` or `none`. Unknown names stay as
/// they are.
pub fn channel_label(channel: &str) -> String {
    match channel {
        "none" => "noiseless".to_owned(),
        "awgn" => "AWGN".to_owned(),
        "rayleigh" => "Rayleigh fading".to_owned(),
        other => match other.strip_prefix("rician:") {
            Some(k) => format!("Rician fading, K = {k}"),
            None => other.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_schemes_and_what_is_added_to_them() {
        assert_eq!(label("proposed"), "proposed");
        assert_eq!(label("proposed+feedback without text and audio"), "proposed, with CSIT without text and audio");
        assert_eq!(label("t-deepsc without visual"), "T-DeepSC, our protocol and head without visual");
        assert_eq!((label("reals-10"), label("reals-x")), ("proposed, 10 channel dimensions".into(), "reals-x".into()));
        assert_eq!(channel_label("rician:4"), "Rician fading, K = 4");
    }
}
