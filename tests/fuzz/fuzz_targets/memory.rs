//! See `conductor_properties::memory`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| conductor_properties::memory(input));
