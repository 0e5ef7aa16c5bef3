//! See `conductor_health::probe::fuzzing`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| conductor_health::probe::fuzzing::answer(input));
