//! Texts as they are compared: platforms change white space, line ends and characters' encoding.

use crate::identifiers::digest;

/// How many hexadecimal digits a text's hash has: enough to tell the texts of one second apart.
pub(crate) const HASH_DIGITS: usize = 16;

/// The hash of a text as its letters and digits: AWS may change white space, line ends and characters' encoding.
pub fn text_hash(text: &str) -> String {
    digest(&[&letters(text)], HASH_DIGITS)
}

/// The letters and digits of a text.
pub(crate) fn letters(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for (index, piece) in text.split('&').enumerate() {
        let piece = if index == 0 { piece } else { without_entity(piece) };
        for letter in piece.chars() {
            // Texts are long: what they mostly consist of is told without searching the tables of Unicode.
            match letter {
                '0'..='9' | 'a'..='z' => plain.push(letter),
                'A'..='Z' => plain.push(letter.to_ascii_lowercase()),
                '\0'..='\x7f' => {}
                IDEOGRAPHS_FIRST..=IDEOGRAPHS_LAST => plain.push(letter),
                _ if letter.is_alphanumeric() => plain.extend(letter.to_lowercase()),
                _ => {}
            }
        }
    }
    plain
}

/// What follows an `&`, without the rest of the entity that it may begin: `&lt;` and its like stand for a character that is
/// no letter.
fn without_entity(piece: &str) -> &str {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'#';
    match piece.bytes().take(MAXIMUM_ENTITY).position(|byte| !is_part(byte)) {
        Some(end) if piece[end..].starts_with(';') => &piece[end + 1..],
        _ => piece,
    }
}

/// The unified ideographs of Chinese, Japanese and Korean: letters without lower case.
const IDEOGRAPHS_FIRST: char = '\u{4e00}';
const IDEOGRAPHS_LAST: char = '\u{9fff}';

/// How many bytes before its semicolon an HTML entity has at most, as far as texts are encoded with them: `&#x1f692;`.
const MAXIMUM_ENTITY: usize = 9;
