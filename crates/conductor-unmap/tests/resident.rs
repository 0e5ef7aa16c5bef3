//! In a process of its own: nobody else's text comes and goes meanwhile.

use std::fs;

/// KiB of all text that is mapped now.
fn resident() -> u64 {
    let maps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut is_text = false;
    let mut sum = 0;
    for line in maps.lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            [addresses, permissions, _, _, inode, ..] if addresses.contains('-') => {
                is_text = *permissions == "r-xp" && *inode != "0";
            }
            ["Rss:", kib, "kB"] if is_text => sum += kib.parse::<u64>().unwrap(),
            _ => {}
        }
    }
    sum
}

#[test]
fn less_is_mapped_and_all_of_it_still_runs() {
    let before = resident();
    conductor_unmap::unmap_text().unwrap();
    let after = resident();
    assert!(after < before, "{before} KiB before, {after} KiB after");
    // Again, and from another thread, in the midst of whatever this one does.
    let other = std::thread::spawn(conductor_unmap::unmap_text);
    let words: Vec<String> = (0..10_000).map(|number| format!("{number:x}")).collect();
    other.join().unwrap().unwrap();
    assert_eq!(words.concat().len(), (0..10_000_u32).map(|number| format!("{number:x}").len()).sum());
}
