//! See `conductor_properties::escape`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| conductor_properties::escape(input));
