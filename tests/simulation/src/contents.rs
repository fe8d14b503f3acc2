//! The contents of files, as the functions read them.

use casebridge_core::failure::Failure;
use casebridge_ports::Content;
pub use casebridge_simulator::support::attachments::content::Content as FileBytes;

use crate::calls::unavailable;

/// The content of a file of the world, read a chunk at a time.
pub struct WorldContent {
    content: FileBytes,
    position: u64,
}

impl WorldContent {
    /// Returns the content from its start on.
    pub fn new(content: FileBytes) -> Self {
        Self { content, position: 0 }
    }
}

impl Content for WorldContent {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let chunk = self.content.read(self.position).map_err(|_| unreadable())?;
        self.position += chunk.len() as u64;
        Ok((!chunk.is_empty()).then_some(chunk))
    }
}

/// Reads a content to its end.
pub async fn whole(content: &mut impl Content) -> Result<Vec<u8>, Failure> {
    let mut whole = Vec::new();
    while let Some(piece) = content.next().await? {
        whole.extend(piece);
    }
    Ok(whole)
}

fn unreadable() -> Failure {
    unavailable("the file can't be read")
}
