//! The form of a name: one description for the reader and for the schema.

/// Characters of ASCII, written as in the class of a regular expression, less its brackets: `a-z0-9_-`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Class {
    /// A bit for each character: the schema shows the text, and the reader looks at these.
    set: u128,
    #[cfg(feature = "schema")]
    text: &'static str,
}

impl Class {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self {
            set: set(text.as_bytes()),
            #[cfg(feature = "schema")]
            text,
        }
    }

    /// The class as it stands in a regular expression.
    #[cfg(feature = "schema")]
    pub(crate) fn bracketed(self) -> String {
        let escaped =
            self.text.replace('\\', r"\\").replace('[', r"\[").replace(']', r"\]").replace('^', r"\^");
        format!("[{escaped}]")
    }

    pub(crate) const fn has(self, c: char) -> bool {
        c.is_ascii() && (self.set >> c as u32) & 1 == 1
    }
}

const fn set(mut class: &[u8]) -> u128 {
    let mut set = 0;
    while let [first, rest @ ..] = class {
        // A hyphen at the end is a hyphen.
        let (last, after) = match rest {
            [b'-', last, after @ ..] => (*last, after),
            _ => (*first, rest),
        };
        let mut byte = *first;
        while byte <= last {
            set |= 1 << byte;
            byte += 1;
        }
        class = after;
    }
    set
}

/// What a name is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// What each part may begin with; all of it can also stand in the middle and at the end.
    pub(crate) first: Class,
    /// What the middle of a part may hold.
    pub(crate) rest: Class,
    /// What each part may end with.
    pub(crate) last: Class,
    /// What stands between parts, and how many parts there are at least. Without it the name is one part.
    pub(crate) parts: Option<(char, usize)>,
    /// Bytes of the longest name, if there is a limit.
    pub(crate) longest: Option<usize>,
}

pub(crate) const LETTERS_AND_DIGITS: &str = "A-Za-z0-9";

impl Form {
    /// One part without a limit.
    pub(crate) const fn new(first: &'static str, rest: &'static str) -> Self {
        let rest = Class::new(rest);
        Self { first: Class::new(first), rest, last: rest, parts: None, longest: None }
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
        part.starts_with(|c| self.first.has(c))
            && part.chars().all(|c| self.rest.has(c))
            && part.ends_with(|c| self.last.has(c))
    }

    /// The same as a regular expression, less its length.
    #[cfg(feature = "schema")]
    pub(crate) fn pattern(&self) -> String {
        let Self { first, rest, last, parts, longest: _ } = *self;
        let [start, middle, end] = [first, rest, last].map(Class::bracketed);
        let part = if start == middle && middle == end {
            format!("{middle}+")
        } else if middle == end {
            format!("{start}{middle}*")
        } else {
            format!("{start}({middle}*{end})?")
        };
        match parts {
            None => part,
            Some((between, least)) => {
                let between = format!("[{between}]");
                let times = if least > 1 { format!("{{{},}}", least - 1) } else { "*".to_owned() };
                format!("{part}({between}{part}){times}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_regular_expressions() {
        for (class, yes, no) in
            [("a-z", "amz", "A-"), ("A-Z_.-", "AZ_.-", "a0"), ("-", "-", "a"), ("", "", "a")]
        {
            let set = Class::new(class);
            assert!(yes.chars().all(|c| set.has(c)), "{class}");
            assert!(!no.chars().any(|c| set.has(c)) && !set.has('é'), "{class}");
        }
    }

    #[test]
    fn parts_are_counted_and_each_has_the_form() {
        let form =
            Form { last: Class::new("a"), parts: Some(('.', 2)), longest: Some(6), ..Form::new("a", "ab") };
        for text in ["a.a", "aba.a", "a.a.a"] {
            assert!(form.fits(text), "{text}");
        }
        for text in ["", "a", "a.", ".a", "a..a", "ab.a", "b.a", "a.abbba"] {
            assert!(!form.fits(text), "{text}");
        }
    }
}
