//! Tests of the matcher against a reference implementation that tries one position after the other.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Finds the captures of a pattern in `text`, by recursion over the pattern; None if it does not match.
fn reference<'t>(elements: &[PatternElement], text: &'t str) -> Option<Vec<&'t str>> {
    let mut captures = Vec::new();
    let is_open = elements.last() == Some(&PatternElement::Star);
    let (slot, rest) = slot_and_rest(elements);
    reference_from(slot, rest, text, is_open, &mut captures).then_some(captures)
}

/// Returns the column at the start of `elements`, and the elements from the next literal string on.
fn slot_and_rest(elements: &[PatternElement]) -> (PatternSlot, &[PatternElement]) {
    let next = elements.iter().position(|element| matches!(element, PatternElement::Text(_)));
    let slot = match elements.first() {
        Some(PatternElement::Column(ty)) => PatternSlot::new(*ty, &elements[1..]).unwrap(),
        _ => PatternSlot::Empty,
    };
    (slot, &elements[next.unwrap_or(elements.len())..])
}

/// Finds the captures of `slot` and `rest` in `text`, which begins after the last literal string; false if they do not
/// match.
fn reference_from<'t>(
    slot: PatternSlot,
    rest: &[PatternElement],
    text: &'t str,
    is_open: bool,
    captures: &mut Vec<&'t str>,
) -> bool {
    let Some(value_end) = slot.end(text, 0) else { return false };
    let Some(PatternElement::Text(delimiter)) = rest.first() else {
        match slot {
            PatternSlot::Empty => return is_open || text.is_empty(),
            PatternSlot::UpToNext(_) => captures.push(text),
            PatternSlot::Shaped(_) | PatternSlot::OptionalShaped(_) => captures.push(&text[..value_end]),
        }
        return true;
    };
    let starts = (value_end..=text.len()).filter(|at| text.is_char_boundary(*at));
    let mut starts: Vec<usize> = starts.filter(|at| text[*at..].starts_with(delimiter)).collect();
    skip_whitespace(&slot, text, &mut starts);
    starts.into_iter().any(|start| {
        let before = captures.len();
        match slot {
            PatternSlot::Empty => {}
            PatternSlot::UpToNext(_) => captures.push(&text[..start]),
            PatternSlot::Shaped(_) | PatternSlot::OptionalShaped(_) => captures.push(&text[..value_end]),
        }
        let (slot, after) = slot_and_rest(&rest[1..]);
        let matches = reference_from(slot, after, &text[start + delimiter.len()..], is_open, captures);
        if !matches {
            captures.truncate(before);
        }
        matches
    })
}

/// Removes the positions in the whitespace before a value from `starts`, if the value converts.
fn skip_whitespace(slot: &PatternSlot, text: &str, starts: &mut Vec<usize>) {
    let PatternSlot::UpToNext(ty) = slot else { return };
    let whitespace = text.len() - text.trim_start().len();
    let first_after = starts.iter().position(|start| *start >= whitespace);
    let converts = |end: usize| Scalar::Text(&text[..end]).to_value(*ty).is_ok_and(|value| !value.is_null());
    if *ty != Type::String
        && whitespace > 0
        && starts.first().is_some_and(|first| text[..*first].trim().is_empty())
        && let Some(index) = first_after.filter(|index| converts(starts[*index]))
    {
        starts.drain(..index);
    }
}

fn captured(elements: &[PatternElement], text: &str) -> Option<Vec<String>> {
    let columns = elements.iter().filter(|element| matches!(element, PatternElement::Column(_))).count();
    let mut captures = vec![None; columns];
    let matches = DelimitedMatcher::new(elements).unwrap().captures(text, &mut captures);
    matches.then(|| captures.into_iter().map(|capture| capture.unwrap().into_owned()).collect())
}

fn random_pattern(random: &mut ChaCha8Rng) -> Vec<PatternElement> {
    const TEXTS: [&str; 8] = ["a", "ab", "ba", ",", "=", " ", "é", "b="];
    const TYPES: [Type; 5] = [Type::String, Type::String, Type::Long, Type::Real, Type::Bool];
    let mut elements = Vec::new();
    let column = |random: &mut ChaCha8Rng, elements: &mut Vec<PatternElement>| {
        let ty = TYPES[random.random_range(0..TYPES.len())];
        if random.random_bool(0.7) {
            elements.push(PatternElement::Column(ty));
        }
        let may_skip = elements.last() != Some(&PatternElement::Column(Type::String));
        if may_skip && random.random_bool(0.4) {
            elements.push(PatternElement::Star);
        }
    };
    column(random, &mut elements);
    for _ in 0..random.random_range(usize::from(elements.is_empty())..4) {
        if matches!(elements.last(), Some(PatternElement::Text(_))) {
            elements.push(PatternElement::Star);
        }
        elements.push(PatternElement::Text(TEXTS[random.random_range(0..TEXTS.len())].to_owned()));
        column(random, &mut elements);
    }
    elements
}

#[test]
fn captures_are_those_of_the_reference_implementation() {
    const CHARACTERS: [char; 10] = ['a', 'b', 'b', ',', '=', ' ', 'é', '1', '2', '.'];
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut matches = 0;
    for _ in 0..20_000 {
        let elements = random_pattern(&mut random);
        let length = random.random_range(0..14);
        let text: String = (0..length).map(|_| CHARACTERS[random.random_range(0..CHARACTERS.len())]).collect();
        let expected = reference(&elements, &text).map(|captures| captures.into_iter().map(str::to_owned).collect());
        assert_eq!(captured(&elements, &text), expected, "{elements:?} over {text:?}");
        matches += usize::from(expected.is_some());
    }
    assert!(matches > 2_000, "only {matches} texts match");
}

#[test]
fn whitespace_takes_linear_time() {
    let spaces = " ".repeat(1 << 20);
    let elements = [" ".into(), Type::Long.into(), PatternElement::Star, "x".into()];
    assert_eq!(captured(&elements, &format!("{spaces}ax")), None);
    assert_eq!(captured(&elements, &format!("{spaces}7x")), Some(vec![format!("{}7", &spaces[1..])]));
}

impl From<&str> for PatternElement {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Type> for PatternElement {
    fn from(ty: Type) -> Self {
        Self::Column(ty)
    }
}
