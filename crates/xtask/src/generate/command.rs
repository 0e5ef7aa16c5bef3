//! What is made from the command line's own definition.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap_complete::{Shell, generate};
use clap_mangen::Man;
use conductor_tests::{Context, Result};

/// Sections of a subcommand's own page that are taken over under its heading.
type Section = fn(&Man, &mut dyn std::io::Write) -> std::io::Result<()>;

/// Shell completions, named as the package installs them: debhelper copies files, it does not rename them.
pub(super) fn completions() -> impl Iterator<Item = (PathBuf, Vec<u8>)> {
    let shells = [
        (Shell::Bash, "bash/conductor"),
        (Shell::Zsh, "zsh/_conductor"),
        (Shell::Fish, "fish/conductor.fish"),
    ];
    shells.into_iter().map(|(shell, name)| {
        let mut text = Vec::new();
        generate(shell, &mut conductor::command(), "conductor", &mut text);
        (Path::new("packaging/completions").join(name), text)
    })
}

/// conductor(1): one page, a section for each subcommand.
pub(super) fn page() -> Result<Vec<u8>> {
    let mut command = conductor::command().disable_help_subcommand(true);
    command.build();
    let man = Man::new(command.clone()).date("").source(format!("conductor {}", env!("CARGO_PKG_VERSION")));
    let man = man.title("CONDUCTOR").manual("User Commands");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    page.write_all(
        b".SH SYNOPSIS\n\\fBconductor\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n",
    )?;
    man.render_description_section(&mut page)?;
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        page.extend(section(subcommand)?);
    }
    page.write_all(SEE_ALSO.as_bytes())?;
    Ok(without_repeats(&String::from_utf8(page).context("a manual page is text")?).into_bytes())
}

fn section(subcommand: &clap::Command) -> Result<Vec<u8>> {
    let name = subcommand.get_name().to_uppercase();
    let man = Man::new(subcommand.clone());
    let mut text = format!(".SH \"{name}\"\n").into_bytes();
    let parts: [Section; 3] = [
        |man, mut to| man.render_synopsis_section(&mut to),
        |man, mut to| man.render_description_section(&mut to),
        |man, mut to| man.render_options_section(&mut to),
    ];
    for part in parts {
        let mut rendered = Vec::new();
        part(&man, &mut rendered)?;
        let rendered = String::from_utf8(rendered).context("a manual page is text")?;
        // The heading of the section says what the first two are.
        for line in rendered.lines().filter(|line| !matches!(*line, ".SH SYNOPSIS" | ".SH DESCRIPTION")) {
            let line = line.replacen(".SH ", ".SS ", 1);
            writeln!(text, "{line}")?;
        }
        writeln!(text, ".PP")?;
    }
    Ok(text)
}

/// Every part begins by defining the apostrophe; once is enough.
fn without_repeats(page: &str) -> String {
    let definition = |line: &&str| line.contains(".ds Aq ");
    let (defining, rest): (Vec<&str>, Vec<&str>) = page.lines().partition(definition);
    defining.into_iter().take(2).chain(rest).flat_map(|line| [line.trim_end(), "\n"]).collect()
}

const SEE_ALSO: &str = "\
.SH ENVIRONMENT
.TP
\\fBCONDUCTOR_ROOT\\fR
A directory that takes the place of / wherever definitions and units are read, for whoever builds images.
.TP
\\fBNO_COLOR\\fR
If it is not empty, nothing is coloured. Nothing ever is where the output is not a terminal.
.SH FILES
.TP
/etc/conductor/services, /run/conductor/services, /usr/lib/conductor/services
Definitions; the first directory that has a file of a name wins.
.TP
$XDG_CONFIG_HOME/conductor/services, /etc/conductor/users/services
The same of users.
.TP
/run/systemd/generator, $XDG_RUNTIME_DIR/systemd/generator
The units that were made of them at the last reload.
.TP
/usr/share/conductor/schema
What `conductor schema` prints, for editors.
.SH \"SEE ALSO\"
\\fBconductor\\-service\\fR(5), \\fBconductor\\-health\\fR(1), \\fBconductor\\-generator\\fR(8), \\fBsystemctl\\fR(1),
\\fBjournalctl\\fR(1), \\fBpodman\\-exec\\fR(1)
";
