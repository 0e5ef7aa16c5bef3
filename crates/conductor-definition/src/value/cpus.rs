//! Shares of processor time.

use std::fmt;

use super::InvalidValue;

/// Per myriad of a processor; a number of processors that is finer than one of these is none.
const PER_CPU: f64 = 10_000.0;

/// More processors than any machine has.
const MOST: f64 = 10_000.0;

/// Processor time in CPUs, to a hundredth of a per cent: the resolution of `CPUQuota=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cpus {
    permyriad: u32,
}

impl Cpus {
    /// `1.5` is one and a half processors.
    ///
    /// # Errors
    /// If the number is below a hundredth of a per cent, above ten thousand, or not a number.
    pub fn new(cpus: f64) -> Result<Self, InvalidValue> {
        if !(1.0 / PER_CPU..=MOST).contains(&cpus) {
            return Err(InvalidValue::new(
                "not a number of CPUs: write how many the service may use, such as 1.5",
            ));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
        Ok(Self { permyriad: (cpus * PER_CPU).round() as u32 })
    }
}

impl Cpus {
    /// As a number of processors, for engines.
    pub fn decimal(self) -> String {
        format!("{}.{:04}", self.permyriad / 10_000, self.permyriad % 10_000)
    }

    /// Microseconds of processor time for each second, as `CPUQuotaPerSecUSec` takes it over D-Bus.
    pub fn micros_per_second(self) -> u64 {
        u64::from(self.permyriad) * 100
    }
}

impl fmt::Display for Cpus {
    /// As `CPUQuota=` takes it: per cent of one CPU.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.permyriad / 100, self.permyriad % 100);
        match part {
            0 => write!(f, "{whole}%"),
            _ => write!(f, "{whole}.{part:02}%"),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Cpus {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Cpus;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of CPUs, such as 1.5")
            }

            fn visit_f64<E: serde::de::Error>(self, cpus: f64) -> Result<Cpus, E> {
                Cpus::new(cpus).map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, cpus: i64) -> Result<Cpus, E> {
                let small = i32::try_from(cpus).unwrap_or(-1);
                self.visit_f64(f64::from(small))
            }

            fn visit_u64<E: serde::de::Error>(self, cpus: u64) -> Result<Cpus, E> {
                self.visit_i64(i64::try_from(cpus).unwrap_or(-1))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Cpus {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cpus".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "number",
            "title": "number of CPUs",
            "minimum": 1.0 / PER_CPU,
            "maximum": MOST,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_per_cent_of_one_cpu() {
        for (cpus, quota) in
            [(1.5, "150%"), (0.5, "50%"), (0.333, "33.30%"), (16.0, "1600%"), (0.0001, "0.01%")]
        {
            assert_eq!(Cpus::new(cpus).map(|cpus| cpus.to_string()), Ok(quota.to_owned()));
        }
    }

    #[test]
    fn refuses_what_is_no_amount() {
        for cpus in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert!(Cpus::new(cpus).is_err(), "{cpus}");
        }
    }
}
