//! The loop around the core: take the lease, observe both sides, plan, apply, record. It decides nothing.

pub mod ports;
