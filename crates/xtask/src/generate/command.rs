//! What is made from the command line's own definition.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap_complete::{Shell, generate};
use clap_mangen::Man;
use conductor_tests::{Context, Result};

use super::roff::{Font, in_font, literal};

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
    let usage = synopsis(&subcommand.clone().render_usage().to_string());
    let mut text = format!(".SH \"{name}\"\n{usage}.PP\n").into_bytes();
    let parts: [Section; 2] = [
        |man, mut to| man.render_description_section(&mut to),
        |man, mut to| man.render_options_section(&mut to),
    ];
    for part in parts {
        let mut rendered = Vec::new();
        part(&man, &mut rendered)?;
        let rendered = String::from_utf8(rendered).context("a manual page is text")?;
        // The heading of the section says what the first is.
        for line in rendered.lines().filter(|line| *line != ".SH DESCRIPTION") {
            let line = line.replacen(".SH ", ".SS ", 1);
            writeln!(text, "{line}")?;
        }
        writeln!(text, ".PP")?;
    }
    Ok(text)
}

/// clap's own words for how a command is written: the manual's part of clap leaves out `--`, that an argument may
/// come several times, and the values of options. What is typed is bold, what stands for something is italic.
fn synopsis(usage: &str) -> String {
    let usage = usage.strip_prefix("Usage:").unwrap_or(usage);
    let lines: Vec<String> =
        usage.lines().map(str::trim).filter(|line| !line.is_empty()).map(in_fonts).collect();
    lines.join("\n.br\n") + "\n"
}

fn in_fonts(line: &str) -> String {
    let mut out = String::new();
    let is_letter = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '=');
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_letter(c) != is_letter(first)).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        match (is_letter(first), part.chars().any(char::is_lowercase) || part.starts_with('-')) {
            (false, _) => out.push_str(part),
            (true, true) => out.push_str(&in_font(Font::Bold, &literal(part))),
            (true, false) => out.push_str(&in_font(Font::Italic, &literal(part))),
        }
    }
    out
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
Definitions of services; the first directory that has a file of a name wins. Networks and volumes are in
/etc/conductor/networks and /etc/conductor/volumes, and the same below the others.
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
\\fBconductor\\-service\\fR(5), \\fBconductor\\-network\\fR(5), \\fBconductor\\-volume\\fR(5),
\\fBconductor\\-health\\fR(1), \\fBconductor\\-generator\\fR(8), \\fBsystemctl\\fR(1),
\\fBjournalctl\\fR(1), \\fBpodman\\-exec\\fR(1)
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synopses_are_claps() {
        assert_eq!(
            synopsis("Usage: conductor exec [OPTIONS] <SERVICE> [-- <CMD>...]"),
            "\\fBconductor\\fR \\fBexec\\fR [\\fIOPTIONS\\fR] <\\fISERVICE\\fR> [\\fB\\-\\-\\fR <\\fICMD\\fR>...]\n"
        );
    }
}
