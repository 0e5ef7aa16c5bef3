//! See `conductor_properties::unit_file`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| conductor_properties::unit_file(input));
