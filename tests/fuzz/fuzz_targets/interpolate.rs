//! See `conductor_properties::interpolate`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| conductor_properties::interpolate(input));
