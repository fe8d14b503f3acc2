//! Ids that look random and are the same in every run with the same seed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Draws ids from a seed.
#[derive(Debug, Clone)]
pub(super) struct Identities {
    state: u64,
}

const MINIMUM_DISPLAY_ID: u64 = 1_000_000_000;
const DISPLAY_ID_SPAN: u64 = 9_000_000_000;
/// The step of SplitMix64 from one state to the next.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
/// How many numbers an opaque text has. 32 bytes make it as unguessable as AWS's own ids.
const OPAQUE_NUMBERS: usize = 4;
/// The length of an opaque text: 32 bytes in base64 without padding.
pub(super) const OPAQUE_LENGTH: usize = 43;

/// Returns the number that SplitMix64 gives for the state after this one.
pub(super) fn mix(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(STEP);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

impl Identities {
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Draws the next number (SplitMix64: a full-period generator of one addition and two multiplications).
    pub fn draw(&mut self) -> u64 {
        let drawn = mix(self.state);
        self.state = self.state.wrapping_add(STEP);
        drawn
    }

    /// Draws an opaque text of letters, digits, `-` and `_`.
    pub fn opaque(&mut self) -> String {
        let bytes: Vec<u8> = (0..OPAQUE_NUMBERS).flat_map(|_| self.draw().to_le_bytes()).collect();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub fn display_id(&mut self) -> String {
        (MINIMUM_DISPLAY_ID + self.draw() % DISPLAY_ID_SPAN).to_string()
    }

    pub fn uuid(&mut self) -> String {
        let (high, low) = (self.draw(), self.draw());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xFFFF,
            high & 0x0FFF,
            0x8000 | ((low >> 48) & 0x3FFF),
            low & 0xFFFF_FFFF_FFFF
        )
    }
}
