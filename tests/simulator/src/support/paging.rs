//! Where a page begins, as an opaque token.
//!
//! A position is the number of records older than the page's first one: lists are newest first, so that what is
//! created between two pages shifts nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::SupportError;

/// The token for a position in a list.
pub(super) fn token(list: &str, position: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}\n{position}"))
}

/// The position that a token stands for, in the list that it was made for.
pub(super) fn position(list: &str, token: Option<&str>) -> Result<Option<usize>, SupportError> {
    let Some(token) = token else { return Ok(None) };
    let invalid = || SupportError::Validation("The nextToken is not valid for this request.".to_owned());
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid())?;
    let text = String::from_utf8(bytes).map_err(|_| invalid())?;
    let (made_for, position) = text.split_once('\n').ok_or_else(invalid)?;
    if made_for != list {
        return Err(invalid());
    }
    position.parse().map(Some).map_err(|_| invalid())
}
