//! Whether the addresses that `demo --live` serves on can be had, found out before anything is trained.

use std::net::TcpListener;

use anyhow::{Result, bail};

use super::Args;

/// Binds each address for a moment.
///
/// # Errors
/// Names every address that cannot be bound, why, and the option that says another.
pub fn check(args: &Args) -> Result<()> {
    if !args.live {
        // The services of a demo that ends take free ports.
        return Ok(());
    }
    let services =
        ["transmitter", "channel emulator", "receiver"].into_iter().zip((0..).map(|offset| args.port + offset));
    let mut wanted: Vec<_> = services.map(|(role, port)| (role, format!("127.0.0.1:{port}"), "--port")).collect();
    wanted.push(("dashboard", args.http.clone(), "--http"));
    // Held until all are tried, so that one that is given twice shows, too.
    let (mut bound, mut problems) = (Vec::new(), Vec::new());
    for (what, address, option) in wanted {
        match TcpListener::bind(&address) {
            Ok(listener) => bound.push(listener),
            Err(error) => problems.push(format!("{address} for the {what}: {error} ({option} says another)")),
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    bail!("cannot listen on {}", problems.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        demo: Args,
    }

    fn args(line: &[&str]) -> Args {
        Cli::parse_from([&["demo"], line].concat()).demo
    }

    /// Two ports side by side are free here for the tests' purposes; the services' are the first of three.
    #[test]
    fn all_taken_addresses_are_named_with_their_options() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let port = address.port().min(65533).to_string();
        let http = address.to_string();
        let error = check(&args(&["--live", "--http", &http, "--port", &port])).unwrap_err().to_string();
        assert!(
            error.contains(&format!("{http} for the dashboard: ")) && error.contains("(--http says another)"),
            "{error}"
        );
        assert!(error.contains("--port says another"), "{error}");
        assert_eq!(error.matches(&format!("{http} for the dashboard")).count(), 1, "{error}");
        // Without --live nothing is served on an address of the user's.
        check(&args(&[])).unwrap();
    }
}
