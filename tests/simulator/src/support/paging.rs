//! The tokens of pages. A token is opaque and says where a page begins.
//!
//! A position is the number of records that are older than the page's first one. Lists have the newest record first, so
//! what is created between two pages shifts nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::SupportError;

/// Returns the token for a position in a list.
pub(super) fn token(list: &str, position: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}\n{position}"))
}

/// Returns the position of a token. Fails if the token was made for another list. Returns `None` without a token.
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
