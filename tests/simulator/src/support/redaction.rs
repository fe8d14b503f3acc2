//! The redaction of AWS Support: it removes secret keys, private keys and card numbers from customers' texts.

use std::borrow::Cow;

const REPLACEMENT: &str = "[REDACTED_BY_Amazon Web Services]";
const SECRET_KEY_LENGTH: usize = 40;
/// The fewest digits of a card number in use.
const MINIMUM_CARD_DIGITS: usize = 13;
/// The most digits of a card number. Source: ISO/IEC 7812.
const MAXIMUM_CARD_DIGITS: usize = 19;
const CARD_DIGITS_KEPT: usize = 4;
const PRIVATE_KEY_BEGIN: &str = "-----BEGIN ";
const PRIVATE_KEY_END: &str = "-----END ";
const PRIVATE_KEY_LABEL_END: &str = "PRIVATE KEY-----";

/// Returns the text as AWS stores it.
///
/// AWS does not document the shape of the secret keys that it redacts. Here it is any run of exactly 40 base64
/// characters, which is probably wider, so that no client relies on getting such a run back.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut output: Option<String> = None;
    let mut kept_from = 0;
    let mut position = 0;
    while position < text.len() {
        let rest = &text[position..];
        let Some((length, replacement)) = sensitive_prefix(rest) else {
            position += plain_prefix(rest);
            continue;
        };
        let buffer = output.get_or_insert_with(|| String::with_capacity(text.len()));
        buffer.push_str(&text[kept_from..position]);
        buffer.push_str(&replacement);
        position += length;
        kept_from = position;
    }
    match output {
        None => Cow::Borrowed(text),
        Some(mut buffer) => {
            buffer.push_str(&text[kept_from..]);
            Cow::Owned(buffer)
        }
    }
}

/// Returns the length of a secret at the start of the text, and its replacement. Returns `None` if the text does not
/// start with a secret.
fn sensitive_prefix(text: &str) -> Option<(usize, String)> {
    if let Some(length) = private_key(text) {
        return Some((length, REPLACEMENT.to_owned()));
    }
    if base64_run(text) == SECRET_KEY_LENGTH {
        return Some((SECRET_KEY_LENGTH, REPLACEMENT.to_owned()));
    }
    card_number(text).map(|(length, last)| (length, format!("{REPLACEMENT}-{last}")))
}

/// Returns how far the next possible start of a secret is. A run of characters is checked from its beginning only.
fn plain_prefix(text: &str) -> usize {
    let run = base64_run(text);
    if run > 0 { run } else { text.chars().next().map_or(1, char::len_utf8) }
}

fn base64_run(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')).count()
}

fn private_key(text: &str) -> Option<usize> {
    if !text.starts_with(PRIVATE_KEY_BEGIN) {
        return None;
    }
    let first_line = text.lines().next()?;
    if !first_line.trim_end().ends_with(PRIVATE_KEY_LABEL_END) {
        return None;
    }
    let end = text.find(PRIVATE_KEY_END)?;
    let label_end = text[end..].find(PRIVATE_KEY_LABEL_END)?;
    Some(end + label_end + PRIVATE_KEY_LABEL_END.len())
}

/// Recognises a card number: a run of digits, perhaps separated by single blanks or hyphens, with the right check
/// digit.
fn card_number(text: &str) -> Option<(usize, String)> {
    let bytes = text.as_bytes();
    let mut digits = Vec::with_capacity(MAXIMUM_CARD_DIGITS);
    let mut length = 0;
    let mut index = 0;
    while index < bytes.len() {
        match bytes[index] {
            byte if index == 0 && !byte.is_ascii_digit() => return None,
            digit @ b'0'..=b'9' => {
                digits.push(digit - b'0');
                length = index + 1;
            }
            b' ' | b'-' if index > 0 && bytes[index - 1].is_ascii_digit() => {}
            byte if byte.is_ascii_alphabetic() && bytes[index - 1].is_ascii_digit() => return None,
            _ => break,
        }
        if digits.len() > MAXIMUM_CARD_DIGITS {
            return None;
        }
        index += 1;
    }
    if digits.len() < MINIMUM_CARD_DIGITS || !passes_check_digit(&digits) {
        return None;
    }
    let last = digits[digits.len() - CARD_DIGITS_KEPT..].iter().map(|digit| char::from(b'0' + digit)).collect();
    Some((length, last))
}

fn passes_check_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let doubled = u32::from(*digit) * if index % 2 == 1 { 2 } else { 1 };
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_text_is_not_copied() {
        assert!(matches!(redact("Disk is full on ip-10-0-0-1. ä 2026-11-20 21:14:06"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_secret_key_is_replaced_as_a_whole() {
        let text = "key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY!";
        assert_eq!(redact(text), "key [REDACTED_BY_Amazon Web Services]!");
    }

    #[test]
    fn a_longer_or_shorter_run_stays() {
        let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(redact(hash), hash);
        assert_eq!(redact("AKIAIOSFODNN7EXAMPLE"), "AKIAIOSFODNN7EXAMPLE");
    }

    #[test]
    fn a_private_key_is_replaced_with_its_frame() {
        let text = "before\n-----BEGIN RSA PRIVATE KEY-----\nMIIB\nabc=\n-----END RSA PRIVATE KEY-----\nafter";
        assert_eq!(redact(text), "before\n[REDACTED_BY_Amazon Web Services]\nafter");
    }

    #[test]
    fn a_card_number_keeps_its_last_four_digits() {
        assert_eq!(redact("pay with 4111 1111 1111 1111."), "pay with [REDACTED_BY_Amazon Web Services]-1111.");
        assert_eq!(redact("4111 1111 1111 1111 thanks"), "[REDACTED_BY_Amazon Web Services]-1111 thanks");
        assert_eq!(redact("4111-1111-1111-1111"), "[REDACTED_BY_Amazon Web Services]-1111");
        assert_eq!(redact("4111111111111112"), "4111111111111112");
    }
}
