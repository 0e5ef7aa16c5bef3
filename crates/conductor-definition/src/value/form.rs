//! The form of a name: one description for the reader and for the schema.

/// What a name is made of. Characters are given as in the class of a regular expression, less its brackets:
/// `a-z0-9_-`. All are ASCII.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// What each part may begin with; all of it can also stand in the middle and at the end.
    pub(crate) first: &'static str,
    /// What the middle of a part may hold.
    pub(crate) rest: &'static str,
    /// What each part may end with.
    pub(crate) last: &'static str,
    /// What stands between parts, and how many parts there are at least. Without it the name is one part.
    pub(crate) parts: Option<(char, usize)>,
    /// Bytes of the longest name, if there is a limit.
    pub(crate) longest: Option<usize>,
}

pub(crate) const LETTERS_AND_DIGITS: &str = "A-Za-z0-9";

impl Form {
    /// One part without a limit.
    pub(crate) const fn new(first: &'static str, rest: &'static str) -> Self {
        Self { first, rest, last: rest, parts: None, longest: None }
    }

    /// Whether a text has this form.
    pub(crate) fn fits(&self, text: &str) -> bool {
        if self.longest.is_some_and(|longest| text.len() > longest) {
            return false;
        }
        match self.parts {
            None => self.fits_part(text),
            Some((between, least)) => {
                text.split(between).count() >= least && text.split(between).all(|part| self.fits_part(part))
            }
        }
    }

    fn fits_part(&self, part: &str) -> bool {
        part.starts_with(|c| holds(self.first, c))
            && part.chars().all(|c| holds(self.rest, c))
            && part.ends_with(|c| holds(self.last, c))
    }

    /// The same as a regular expression, less its length.
    #[cfg(feature = "schema")]
    pub(crate) fn pattern(&self) -> String {
        let Self { first, rest, last, parts, longest: _ } = *self;
        let [start, middle, end] = [first, rest, last].map(bracketed);
        let part = if first == rest && rest == last {
            format!("{middle}+")
        } else if rest == last {
            format!("{start}{middle}*")
        } else {
            format!("{start}({middle}*{end})?")
        };
        match parts {
            None => part,
            Some((between, least)) => {
                let between = bracketed(&between.to_string());
                let times = if least > 1 { format!("{{{},}}", least - 1) } else { "*".to_owned() };
                format!("{part}({between}{part}){times}")
            }
        }
    }
}

/// A class as it stands in a regular expression.
#[cfg(feature = "schema")]
pub(crate) fn bracketed(class: &str) -> String {
    let escaped = class.replace('\\', r"\\").replace('[', r"\[").replace(']', r"\]").replace('^', r"\^");
    format!("[{escaped}]")
}

/// Whether a class, written as in [`Form`], has a character.
pub(crate) fn holds(class: &str, c: char) -> bool {
    let mut class = class.chars().peekable();
    while let Some(first) = class.next() {
        let mut ahead = class.clone();
        // A hyphen at the end is a hyphen.
        let last = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(last)) => {
                class = ahead;
                last
            }
            _ => first,
        };
        if (first..=last).contains(&c) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_regular_expressions() {
        for (class, yes, no) in
            [("a-z", "amz", "A-"), ("A-Z_.-", "AZ_.-", "a0"), ("-", "-", "a"), ("", "", "a")]
        {
            assert!(yes.chars().all(|c| holds(class, c)), "{class}");
            assert!(!no.chars().any(|c| holds(class, c)), "{class}");
        }
    }

    #[test]
    fn parts_are_counted_and_each_has_the_form() {
        let form = Form { last: "a", parts: Some(('.', 2)), longest: Some(6), ..Form::new("a", "ab") };
        for text in ["a.a", "aba.a", "a.a.a"] {
            assert!(form.fits(text), "{text}");
        }
        for text in ["", "a", "a.", ".a", "a..a", "ab.a", "b.a", "a.abbba"] {
            assert!(!form.fits(text), "{text}");
        }
    }
}
