//! "Did you mean": the nearest of the names that would have been right.

/// The candidate closest to `word`, if it is close enough to be a slip of the finger.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let tolerance = (length.max(3) / 3).min(3);
    candidates
        .into_iter()
        // Never fewer steps than the lengths differ by; and a word may be as long as a file.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= tolerance)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The `most` candidates that have most in common with `word`, in the order of the alphabet.
pub(crate) fn similar<'a>(word: &str, candidates: &[&'a str], most: usize) -> Vec<&'a str> {
    /// A word may be as long as a file, and more than any name is no help.
    const LONGEST: usize = 64;
    let word: String = word.chars().take(LONGEST).collect();
    let mut all: Vec<(usize, &str)> = candidates
        .iter()
        .map(|candidate| {
            // Of a long name more letters may differ.
            let longer = candidate.chars().count().max(word.chars().count()).max(1);
            (distance(&word, candidate) * 100 / longer, *candidate)
        })
        .collect();
    all.sort_unstable();
    let mut first: Vec<&str> = all.into_iter().take(most).map(|(_, candidate)| candidate).collect();
    first.sort_unstable();
    first
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours each
/// cost one, so that `imgae` is one step from `image`.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    let mut previous_char = None;
    for (row, from) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        let mut previous_to = None;
        for (column, to) in right.iter().copied().enumerate() {
            let get = |costs: &[usize], at: usize| costs.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut cost = (get(&last, column) + usize::from(from != to))
                .min(get(&last, column + 1) + 1)
                .min(get(&current, column) + 1);
            if column > 0 && previous_char == Some(to) && previous_to == Some(from) {
                cost = cost.min(get(&before_last, column - 1) + 1);
            }
            current.push(cost);
            previous_to = Some(to);
        }
        before_last = std::mem::replace(&mut last, current);
        previous_char = Some(from);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_steps() {
        assert_eq!(distance("image", "image"), 0);
        assert_eq!(distance("imgae", "image"), 1);
        assert_eq!(distance("comand", "command"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
    }

    #[test]
    fn suggests_only_what_is_near() {
        let keys = ["image", "command", "instances", "unhealthy-after"];
        assert_eq!(nearest("imgae", keys), Some("image"));
        assert_eq!(nearest("unhealthy_after", keys), Some("unhealthy-after"));
        assert_eq!(nearest("volumes", keys), None);
        assert_eq!(nearest("x", keys), None);
    }

    #[test]
    fn names_the_most_similar_ones() {
        let keys = ["image", "command", "instances", "unhealthy-after"];
        assert_eq!(similar("unhealthy", &keys, 2), ["instances", "unhealthy-after"]);
        assert_eq!(similar("", &keys, 9).len(), 4);
        assert_eq!(similar(&"x".repeat(1 << 20), &keys, 3).len(), 3);
    }
}
