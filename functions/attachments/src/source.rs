//! A file that is read once, in parts, and hashed on the way.

use std::fmt::Write;

use casebridge_core::failure::Failure;
use casebridge_ports::Content;
use sha2::{Digest, Sha256};

/// A content that is hashed as it is read.
pub(crate) struct Source<C> {
    content: C,
    hasher: Sha256,
    /// What was read beyond the end of the last part.
    rest: Option<Vec<u8>>,
    /// Why the content could not be read on.
    failure: Option<Failure>,
}

/// The next part of a source, of a certain size.
pub(crate) struct Part<'a, C> {
    source: &'a mut Source<C>,
    left: u64,
}

impl<C: Content> Source<C> {
    pub(crate) fn new(content: C) -> Self {
        Self { content, hasher: Sha256::new(), rest: None, failure: None }
    }

    /// Returns the next part, of this many bytes.
    pub(crate) fn part(&mut self, bytes: u64) -> Part<'_, C> {
        Part { source: self, left: bytes }
    }

    /// Returns why the content could not be read on. Returns `None` if it could.
    pub(crate) fn failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// Reads this many bytes and drops them.
    pub(crate) async fn skip(&mut self, bytes: u64) -> Result<(), Failure> {
        let mut part = self.part(bytes);
        while part.next().await?.is_some() {}
        Ok(())
    }

    /// Reads this many bytes. The caller has checked that they are few.
    pub(crate) async fn whole(&mut self, bytes: u64) -> Result<Vec<u8>, Failure> {
        let mut whole = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
        let mut part = self.part(bytes);
        while let Some(piece) = part.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    /// Checks that nothing is left.
    pub(crate) async fn end(&mut self) -> Result<(), Failure> {
        match self.piece().await? {
            None => Ok(()),
            Some(_) => Err(self.fails("the file has more bytes than its record says")),
        }
    }

    /// Returns the SHA-256 of what was read, in hexadecimal digits.
    pub(crate) fn sha256(&self) -> String {
        self.hasher.clone().finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    async fn piece(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        if let Some(rest) = self.rest.take() {
            return Ok(Some(rest));
        }
        loop {
            match self.content.next().await {
                Ok(Some(piece)) if piece.is_empty() => {}
                Ok(piece) => return Ok(piece),
                Err(failure) => {
                    self.failure = Some(failure.clone());
                    return Err(failure);
                }
            }
        }
    }

    fn fails(&mut self, message: &str) -> Failure {
        let failure = Failure::Unavailable { message: message.to_owned(), retry_at: None };
        self.failure = Some(failure.clone());
        failure
    }
}

impl<C: Content> Content for Part<'_, C> {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        if self.left == 0 {
            return Ok(None);
        }
        let Some(mut piece) = self.source.piece().await? else {
            return Err(self.source.fails("the file has fewer bytes than its record says"));
        };
        if let Ok(left) = usize::try_from(self.left)
            && piece.len() > left
        {
            self.source.rest = Some(piece.split_off(left));
        }
        self.left -= u64::try_from(piece.len()).unwrap_or(self.left);
        self.source.hasher.update(&piece);
        Ok(Some(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pieces(Vec<&'static str>);

    impl Content for Pieces {
        async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
            Ok((!self.0.is_empty()).then(|| self.0.remove(0).as_bytes().to_vec()))
        }
    }

    #[tokio::test]
    async fn parts_are_cut_where_they_end_and_the_hash_is_that_of_all() {
        let mut source = Source::new(Pieces(vec!["ab", "", "cdef", "g"]));
        source.skip(1).await.unwrap();
        assert_eq!(source.whole(3).await.unwrap(), b"bcd");
        assert_eq!(source.whole(3).await.unwrap(), b"efg");
        source.end().await.unwrap();
        // printf abcdefg | sha256sum
        assert_eq!(source.sha256(), "7d1a54127b222502f5b79b5fb0803061152a44f92b37e23c6527baf665d4da9a");
    }

    #[tokio::test]
    async fn a_file_of_another_length_is_a_failure_of_its_source() {
        let mut short = Source::new(Pieces(vec!["ab"]));
        assert!(short.whole(3).await.is_err() && short.failure().is_some());
        let mut long = Source::new(Pieces(vec!["abc"]));
        long.skip(2).await.unwrap();
        assert!(long.end().await.is_err() && long.failure().is_some());
    }
}
