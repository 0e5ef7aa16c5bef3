//! Sections and assignments: `config_parse()` and `parse_line()` of systemd's `src/shared/conf-parser.c`.

use std::fmt;

use crate::WHITESPACE;
use crate::line::lines;

/// Bytes of the longest line, continued lines joined (`LONG_LINE_MAX`). A file with a longer one is not read.
pub(crate) const LONGEST_LINE: usize = 1 << 20;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A unit file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitFile {
    /// In the order in which they stand; a name may come twice.
    pub sections: Vec<Section>,
    /// Lines that mean nothing.
    pub ignored: Vec<Ignored>,
}

/// A section: what stands between one `[NAME]` and the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What stands between the brackets. systemd ignores those it does not know, and says nothing if the
    /// name begins with `X-`.
    pub name: String,
    /// The line of its heading, from 1.
    pub line: usize,
    /// What is assigned in it, in order.
    pub assignments: Vec<Assignment>,
}

/// `KEY=VALUE`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The directive.
    pub key: String,
    /// The value: continued lines are joined, white space around it is gone, everything else is as it stands.
    pub value: String,
    /// The line on which it ends, from 1.
    pub line: usize,
}

/// A line that systemd warns about and ignores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ignored {
    /// Neither a heading nor an assignment.
    NoAssignment {
        /// Which line, from 1.
        line: usize,
    },
    /// An assignment before the first heading.
    NoSection {
        /// Which line, from 1.
        line: usize,
    },
}

/// Why systemd does not read a file at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    /// A line is longer than 1 MiB, the lines that continue it included.
    LongLine {
        /// Which line, from 1.
        line: usize,
    },
    /// A line begins like a heading and does not end like one, or its name holds quotes or control characters.
    Heading {
        /// Which line, from 1.
        line: usize,
    },
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LongLine { line } => write!(f, "line {line} is longer than systemd reads: 1 MiB"),
            Self::Heading { line } => write!(f, "line {line} is not a section heading: write it as [Unit]"),
        }
    }
}

impl std::error::Error for FileError {}

impl UnitFile {
    /// Reads a text as systemd does.
    ///
    /// # Errors
    /// What makes systemd refuse the whole file.
    pub fn parse(text: &str) -> Result<Self, FileError> {
        let mut file = Self::default();
        let mut continued: Option<String> = None;
        let mut mark_is_allowed = true;
        let mut last = 0;
        for (index, line) in lines(text).enumerate() {
            let number = index + 1;
            last = number;
            // One less than the limit: systemd gives up before it sees that the line ends there.
            if line.len() >= LONGEST_LINE {
                return Err(FileError::LongLine { line: number });
            }
            // Also between lines that continue each other.
            if line.trim_start_matches(WHITESPACE).starts_with(['#', ';']) {
                continue;
            }
            let line = match line.strip_prefix(BYTE_ORDER_MARK).filter(|_| mark_is_allowed) {
                Some(rest) => {
                    mark_is_allowed = false;
                    rest
                }
                None => line,
            };
            let mut whole = continued.take().unwrap_or_default();
            if whole.len() + line.len() > LONGEST_LINE {
                return Err(FileError::LongLine { line: number });
            }
            whole.push_str(line);
            // A backslash that is not itself escaped; systemd counts from the beginning of the whole.
            if backslashes_at_end(&whole) % 2 == 1 {
                whole.pop();
                whole.push(' ');
                continued = Some(whole);
                continue;
            }
            file.line(&whole, number)?;
        }
        if let Some(whole) = continued {
            file.line(&whole, last)?;
        }
        Ok(file)
    }

    /// All assignments with the names of their sections, in order.
    pub fn assignments(&self) -> impl Iterator<Item = (&str, &Assignment)> {
        self.sections.iter().flat_map(|section| {
            section.assignments.iter().map(|assignment| (section.name.as_str(), assignment))
        })
    }

    /// The values of a directive, in order.
    pub fn values<'a>(&'a self, section: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.assignments()
            .filter(move |(name, assignment)| *name == section && assignment.key == key)
            .map(|(_, assignment)| assignment.value.as_str())
    }

    fn line(&mut self, line: &str, number: usize) -> Result<(), FileError> {
        let line = line.trim_matches(WHITESPACE);
        if line.is_empty() {
            return Ok(());
        }
        if let Some(heading) = line.strip_prefix('[') {
            let name = heading.strip_suffix(']').filter(|name| is_safe(name));
            let name = name.ok_or(FileError::Heading { line: number })?.to_owned();
            self.sections.push(Section { name, line: number, assignments: Vec::new() });
            return Ok(());
        }
        let Some(section) = self.sections.last_mut() else {
            self.ignored.push(Ignored::NoSection { line: number });
            return Ok(());
        };
        match line.split_once('=') {
            Some((key, value)) if !key.is_empty() => section.assignments.push(Assignment {
                key: key.trim_matches(WHITESPACE).to_owned(),
                value: value.trim_matches(WHITESPACE).to_owned(),
                line: number,
            }),
            _ => self.ignored.push(Ignored::NoAssignment { line: number }),
        }
        Ok(())
    }
}

fn backslashes_at_end(text: &str) -> usize {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count()
}

/// systemd's `string_is_safe()`.
pub(crate) fn is_safe(text: &str) -> bool {
    !text.contains(|c: char| c.is_ascii_control() || matches!(c, '"' | '\'' | '\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let file = UnitFile::parse(text).unwrap();
        file.assignments()
            .map(|(section, Assignment { key, value, .. })| format!("{section}.{key}={value}"))
            .collect()
    }

    #[test]
    fn sections_and_assignments() {
        let text = "[Unit]\n Description = a = b \n\n[Service]\r\nExecStart=\rType=exec\n[Unit]\nAfter=x\n";
        assert_eq!(
            read(text),
            ["Unit.Description=a = b", "Service.ExecStart=", "Service.Type=exec", "Unit.After=x"]
        );
        let file = UnitFile::parse(text).unwrap();
        assert_eq!(file.sections.iter().map(|section| section.line).collect::<Vec<_>>(), [1, 4, 7]);
        assert_eq!(file.values("Unit", "After").collect::<Vec<_>>(), ["x"]);
    }

    #[test]
    fn lines_continue_past_comments() {
        assert_eq!(read("[A]\nX=a \\\n# no\n  ; nor this \\\n  b\\\n\nY=1"), ["A.X=a    b", "A.Y=1"]);
        assert_eq!(read("[A]\nX=a\\\\\nY=b\\\\\\\nc"), ["A.X=a\\\\", "A.Y=b\\\\ c"]);
        assert_eq!(read("[A]\nX=a \\"), ["A.X=a"]);
        assert_eq!(read("[A]\n# a comment does not continue \\\nX=1"), ["A.X=1"]);
    }

    #[test]
    fn what_means_nothing_is_ignored() {
        let file = UnitFile::parse("a=1\n[A]\nnothing\n=x\n\u{feff}b=2").unwrap();
        assert_eq!(
            file.ignored,
            [
                Ignored::NoSection { line: 1 },
                Ignored::NoAssignment { line: 3 },
                Ignored::NoAssignment { line: 4 }
            ]
        );
        assert_eq!(read("\u{feff}[A]\n\u{feff}b=2"), ["A.\u{feff}b=2"]);
    }

    #[test]
    fn what_is_refused() {
        for (text, line) in [("[A", 1), ("\n[A\"]", 2), ("[A]x", 1), ("[", 1)] {
            assert_eq!(UnitFile::parse(text), Err(FileError::Heading { line }), "{text}");
        }
        let half = "x".repeat(LONGEST_LINE / 2);
        assert!(UnitFile::parse(&format!("[A]\nX=\\\n{half}\\\n{half}")).is_err());
        assert!(UnitFile::parse(&format!("[A]\nX={half}\nY={half}")).is_ok());
        assert_eq!(UnitFile::parse(&(half.clone() + &half)), Err(FileError::LongLine { line: 1 }));
    }
}
