//! See `conductor_properties::url`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| conductor_properties::url(input));
