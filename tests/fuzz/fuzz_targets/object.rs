//! See `conductor_properties::object`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| conductor_properties::object(input));
