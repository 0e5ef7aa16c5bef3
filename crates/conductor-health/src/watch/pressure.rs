//! How busy the machine is, as the kernel tells it.

use crate::verdict::Pressure;
use std::fs;

/// Where the figures are. First the root of our control groups: in a container that is the container's own
/// pressure, and `ProcSubset=pid` does not hide it. Kernels may lack either (`CONFIG_PSI`, `psi=0`).
const SOURCES: [[&str; 3]; 2] = [
    ["/sys/fs/cgroup/cpu.pressure", "/sys/fs/cgroup/io.pressure", "/sys/fs/cgroup/memory.pressure"],
    ["/proc/pressure/cpu", "/proc/pressure/io", "/proc/pressure/memory"],
];

/// The largest of the three; none where they are not measured.
pub(super) fn read() -> Option<Pressure> {
    SOURCES.iter().find_map(|files| {
        let read = |file| fs::read_to_string(file).ok().and_then(|text| parse(&text));
        files.iter().filter_map(read).max()
    })
}

/// `some avg10=1.53 avg60=0.87 avg300=0.73 total=1234`, and another line that begins with `full`.
fn parse(text: &str) -> Option<Pressure> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let share = some.split(' ').find_map(|field| field.strip_prefix("avg10="))?;
    // The kernel always prints two decimals.
    let (whole, hundredths) = share.split_once('.')?;
    let number = |digits: &str| digits.parse::<u32>().ok();
    Some(Pressure(number(whole)?.checked_mul(100)?.checked_add(number(hundredths)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_kernel_prints() {
        let text = "some avg10=42.76 avg60=53.68 avg300=41.29 total=517982947\n\
                    full avg10=99.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(parse(text), Some(Pressure(4276)));
        assert_eq!(parse("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"), Some(Pressure(0)));
        assert_eq!(parse("full avg10=1.00 avg60=0.00 avg300=0.00 total=0\n"), None);
        assert_eq!(parse(""), None);
    }
}
