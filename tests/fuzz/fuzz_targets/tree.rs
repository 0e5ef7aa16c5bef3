//! See `conductor_properties::tree`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| conductor_properties::tree(input));
