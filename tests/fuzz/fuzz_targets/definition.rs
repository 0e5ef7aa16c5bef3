//! See `conductor_properties::definition`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| conductor_properties::definition(input));
