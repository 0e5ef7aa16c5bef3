//! `%` in values: `specifier_printf()` of systemd's `src/shared/specifier.c`.

use std::fmt;

/// A letter or digit behind `%` that means nothing here; systemd ignores the assignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownSpecifier(
    /// The character.
    pub char,
);

impl fmt::Display for UnknownSpecifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`%{}` has no meaning: write `%%` for a per cent sign", self.0)
    }
}

impl std::error::Error for UnknownSpecifier {}

/// Expands specifiers: `%%` is a per cent sign, and the others `known` says. A `%` before anything but a letter
/// or a digit stands for itself.
///
/// # Errors
/// The first specifier that is not known.
pub fn specifiers(text: &str, known: impl Fn(char) -> Option<String>) -> Result<String, UnknownSpecifier> {
    let mut expanded = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            expanded.push(c);
            continue;
        }
        match chars.next() {
            None | Some('%') => expanded.push('%'),
            Some(letter) => match known(letter) {
                Some(value) => expanded.push_str(&value),
                None if letter.is_ascii_alphanumeric() => return Err(UnknownSpecifier(letter)),
                None => expanded.extend(['%', letter]),
            },
        }
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands_what_is_known() {
        let expand = |text| specifiers(text, |c| (c == 'i').then(|| "7".to_owned()));
        assert_eq!(expand("%i%%i%"), Ok("7%i%".to_owned()));
        assert_eq!(expand("100% - %é"), Ok("100% - %é".to_owned()));
        assert_eq!(expand("%%%z"), Err(UnknownSpecifier('z')));
    }
}
