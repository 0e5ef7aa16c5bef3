//! See `conductor_properties::timespan`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| conductor_properties::timespan(input));
