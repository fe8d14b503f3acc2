//! How texts are compared: platforms change white space, line ends and the encoding of characters.

use crate::identifiers::digest;

/// How many hexadecimal digits a text's hash has: enough to tell the texts of one second apart.
pub(crate) const HASH_DIGITS: usize = 16;

/// Returns the hash of a text's letters and digits. AWS may change the white space, the line ends and the encoding of
/// characters.
pub fn text_hash(text: &str) -> String {
    digest(&[&letters(text)], HASH_DIGITS)
}

/// Returns the letters and digits of a text, in lower case.
pub(crate) fn letters(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for (index, piece) in text.split('&').enumerate() {
        let piece = if index == 0 { piece } else { without_entity(piece) };
        for letter in piece.chars() {
            // Texts are long, so the most frequent characters are classified without a search of the Unicode tables.
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

/// Returns the number of letters and digits of a text.
pub(crate) fn letter_count(text: &str) -> usize {
    letters(text).chars().count()
}

/// Returns what follows an `&`, without the letters and digits of an entity. The entities that platforms use (for example
/// `&lt;`) stand for characters that are no letters.
fn without_entity(piece: &str) -> &str {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'#';
    match piece.bytes().take(MAXIMUM_ENTITY).position(|byte| !is_part(byte)) {
        Some(end) if piece[end..].starts_with(';') => &piece[end..],
        _ => piece,
    }
}

/// The range of the unified ideographs of Chinese, Japanese and Korean. They are letters without lower case.
const IDEOGRAPHS_FIRST: char = '\u{4e00}';
const IDEOGRAPHS_LAST: char = '\u{9fff}';

/// How many bytes after an `&` are searched for the semicolon of an entity. The longest entity that platforms use is
/// like `&#x1f692;`.
const MAXIMUM_ENTITY: usize = 9;
