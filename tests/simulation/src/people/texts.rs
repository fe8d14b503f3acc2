//! What people write. Texts carry tokens, by which the judges find them on the other side.

use crate::{random::Random, servicenow::people::AUTOMATIC_ANSWER, world::World};

/// Texts that several people write. Nothing in them tells them apart.
pub const EQUAL_TEXTS: [&str; 3] = ["Any news?", "k", AUTOMATIC_ANSWER];
/// A character that AWS refuses in AddCommunicationToCase.
pub const REFUSED_LETTER: char = '\u{2620}';
/// A text that AWS redacts.
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const CARD_NUMBER: &str = "4111 1111 1111 1111";
/// Opens a token. A token is a word that stands in exactly one text of a person.
pub const TOKEN_OPENS: char = '«';
/// Closes a token.
pub const TOKEN_CLOSES: char = '»';
/// The length of a long text, in characters: close to the longest communication that AWS takes.
const LONG_CHARACTERS: usize = 7_980;
/// The length of a wide text, in characters. It is within AWS's limit in characters and beyond it in bytes.
const WIDE_CHARACTERS: usize = 5_000;

/// Returns the tokens in a text.
pub fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(TOKEN_OPENS).filter_map(|(start, _)| {
        let end = text[start..].find(TOKEN_CLOSES)?;
        Some(&text[start..start + end + TOKEN_CLOSES.len_utf8()])
    })
}

impl World {
    /// Returns a new token, which no other text has.
    pub fn token(&mut self, kind: &str) -> String {
        self.memory.tokens += 1;
        format!("{TOKEN_OPENS}{kind}{}{TOKEN_CLOSES}", self.memory.tokens)
    }

    /// Returns a text as people write them, most often with a token of this kind.
    pub fn text(&mut self, random: &mut Random, kind: &str) -> String {
        let token = self.token(kind);
        match random.below(16) {
            0..=1 => (*random.pick(&EQUAL_TEXTS)).to_owned(),
            2 => format!("First line\r\nsecond line {token}\r\n"),
            3 => format!("Grüße 🚒 日本語 {token} \u{202e}"),
            4 => format!("  {token}  "),
            5 => self.long_text(&token, random),
            6 => format!("{}\n\nAs I said: {token}", self.some_first_line(random)),
            7 => format!("My key is {SECRET_KEY} and my card {CARD_NUMBER}, {token}"),
            8 => format!("[code]<b>{token}</b>[/code]"),
            9 if random.chance(400) => self.wide_text(&token),
            10 if random.chance(300) => format!("Skull {REFUSED_LETTER} and bones {token}"),
            _ => format!("Please look at this {token}"),
        }
    }

    fn long_text(&mut self, token: &str, random: &mut Random) -> String {
        let end = self.token("end");
        // These lengths keep tokens away from the places where a text is cut into parts.
        let length = *random.pick(&[LONG_CHARACTERS, 7_700, 7_200]);
        let filler: String = "lorem ipsum ".chars().cycle().take(length - 40).collect();
        format!("{token} {filler} {end}")
    }

    /// Returns a text whose letters take three bytes each.
    fn wide_text(&mut self, token: &str) -> String {
        let end = self.token("end");
        let filler: String = "東京都庁。".chars().cycle().take(WIDE_CHARACTERS).collect();
        format!("{token} {filler} {end}")
    }
}
