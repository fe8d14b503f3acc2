//! Ids that look random and are the same in every run with the same seed.

/// Draws ids from a seed.
#[derive(Debug, Clone)]
pub(super) struct Identities {
    state: u64,
}

const MINIMUM_DISPLAY_ID: u64 = 1_000_000_000;
const DISPLAY_ID_SPAN: u64 = 9_000_000_000;

impl Identities {
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Draws the next number (SplitMix64: a full-period generator of one addition and two multiplications).
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
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
