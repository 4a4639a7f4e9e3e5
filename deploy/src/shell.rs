//! What a shell and `man` know of `latentlink`: completions and manual pages, from the options themselves.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use files::PendingFile;

/// Options of `latentlink completions`.
#[derive(Clone, Debug, clap::Args)]
pub struct CompletionArgs {
    /// The shell to complete in.
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Options of `latentlink man`.
#[derive(Clone, Debug, clap::Args)]
pub struct ManArgs {
    /// Folder to write the pages to, such as ~/.local/share/man/man1; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Prints the script that completes `command` in a shell.
///
/// # Errors
/// If standard output cannot be written.
pub fn completions(args: &CompletionArgs, command: Command) -> Result<()> {
    Ok(console::print(script(args.shell, command))?)
}

fn script(shell: Shell, mut command: Command) -> String {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Writes a page for `command` and one for each of its subcommands, such as `latentlink-transmitter-send.1`.
///
/// # Errors
/// If the folder or a file cannot be written.
pub fn man(args: &ManArgs, command: Command) -> Result<()> {
    std::fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    // A page about `help` says nothing that `help` does not.
    let mut command = command.disable_help_subcommand(true);
    // Gives subcommands their full names.
    command.build();
    let count = pages(&command, &args.out)?;
    Ok(console::print(format!("{count} pages in {}\n", args.out.display()))?)
}

/// Writes the page of a command and those below it; gives their number.
fn pages(command: &Command, folder: &Path) -> Result<usize> {
    let page = Man::new(command.clone());
    let file = folder.join(page.get_filename());
    PendingFile::create(&file)?.commit(|out| page.render(&mut &mut *out))?;
    let mut count = 1;
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        count += pages(subcommand, folder)?;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, ValueEnum};

    /// The long options of a command and of all below it.
    fn options(command: &Command) -> Vec<String> {
        let own = command.get_arguments().filter(|option| !option.is_hide_set());
        let own = own.filter_map(|option| option.get_long().map(|long| format!("--{long}")));
        own.chain(command.get_subcommands().flat_map(options)).collect()
    }

    #[test]
    fn every_option_is_completed_in_every_shell() {
        let mut command = crate::Cli::command();
        command.build();
        let options = options(&command);
        assert!(options.len() > 50 && options.contains(&"--snr".to_owned()), "{options:?}");
        for shell in Shell::value_variants() {
            let script = script(*shell, crate::Cli::command());
            // The script for fish stops below `trainer corpus`.
            let missing = options.iter().find(|option| *shell != Shell::Fish && !script.contains(*option));
            assert!(missing.is_none() && script.contains("predictions"), "{shell}: {missing:?}");
        }
    }

    #[test]
    fn every_command_has_a_page_that_names_its_options() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("made/man1");
        man(&ManArgs { out: out.clone() }, crate::Cli::command()).unwrap();
        let page = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
        assert!(page("latentlink.1").contains("latentlink\\-transmitter(1)"));
        assert!(page("latentlink-transmitter-send.1").contains("\\-\\-snr"));
        assert!(page("latentlink-trainer-corpus-import-csd.1").contains("\\-\\-folds"));
        let pages: Vec<_> = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!pages.iter().any(|page| page.to_string_lossy().contains("help")), "{pages:?}");
        assert!(!page("latentlink.1").contains("tethered"), "hidden options stay hidden");
    }
}
