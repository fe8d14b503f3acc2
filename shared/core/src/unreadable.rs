//! Why a JSON text could not be read, without the text itself.

/// What is wrong with a JSON text, and the place.
///
/// The parser's own message repeats a part of the text. It may be a customer's or a secret, so it must not be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableJson {
    /// It is not JSON.
    #[error("it is no JSON from line {line}, column {column} on")]
    Syntax {
        /// The line, from 1 on.
        line: usize,
        /// The column, from 1 on.
        column: usize,
    },
    /// It ends too early.
    #[error("it ends before the JSON does")]
    CutOff,
    /// It is JSON, but not of the expected form.
    #[error("it is JSON of another form than expected, up to line {line}, column {column}")]
    Form {
        /// The line, from 1 on. 0 if the parser does not know it.
        line: usize,
        /// The column, from 1 on. 0 if the parser does not know it.
        column: usize,
    },
}

impl From<serde_json::Error> for UnreadableJson {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        if error.is_eof() {
            Self::CutOff
        } else if error.is_syntax() {
            Self::Syntax { line, column }
        } else {
            Self::Form { line, column }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_and_no_text() {
        let told = |text: &str| UnreadableJson::from(serde_json::from_str::<Vec<u32>>(text).unwrap_err()).to_string();
        assert_eq!(told(r#"["hunter2"]"#), "it is JSON of another form than expected, up to line 1, column 10");
        assert_eq!(told("[1,\nhunter2]"), "it is no JSON from line 2, column 1 on");
        assert_eq!(told("[1,"), "it ends before the JSON does");
    }
}
