//! A canary's part of the traffic, as weights.
//!
//! Weights and not nginx's `split_clients`: both programs have them, the administrator's `proxy_pass` stays as it is,
//! and smooth weighted round robin keeps to the share from the first requests on. The price is that a client is not
//! tied to one release.

use crate::Address;
use crate::upstream::{Server, Weight};

/// A part of the traffic in percent: 1 to 99.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u8);

impl Share {
    /// A share, if it is in the range.
    pub fn percent(percent: u8) -> Option<Self> {
        (1..=99).contains(&percent).then_some(Self(percent))
    }
}

/// Servers of a live release and of a canary, which as a whole gets `share` of the requests, however many instances
/// either has.
///
/// Weights go up to 256, so it is the nearest that they can say: for up to 8 instances on either side, and on none more than
/// three times as many as on the other, within half a percent of all requests.
pub fn shared(live: Vec<Address>, canary: Vec<Address>, share: Share) -> Vec<Server> {
    let count = |addresses: &[Address]| u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    // One side gets (100 - share) in sum and the other share, if each server of a side has its part divided by their
    // number; multiplied by both numbers these are whole.
    let each = u32::from(100 - share.0).saturating_mul(count(&canary));
    let canary_each = u32::from(share.0).saturating_mul(count(&live));
    let (each, canary_each) = scaled(each, canary_each);
    let with = |weight| move |address| Server { address, weight };
    live.into_iter().map(with(each)).chain(canary.into_iter().map(with(canary_each))).collect()
}

/// The two weights in the range whose relation is the nearest to that of `a` and `b`; the smallest of those.
fn scaled(a: u32, b: u32) -> (Weight, Weight) {
    let divisor = gcd(a, b).max(1);
    let (a, b) = (a / divisor, b / divisor);
    let (small, large) = (u64::from(a.min(b).max(1)), u64::from(a.max(b).max(1)));
    let most = u64::from(Weight::MOST);
    // How far y/x is from large/small, as a fraction of x: differences of products, so that all of it is whole.
    let candidates = (1..=most).filter_map(|x| {
        let y = ((x * large + small / 2) / small).min(most);
        (y >= x).then(|| (x, y, (y * small).abs_diff(x * large)))
    });
    let nearest = candidates.min_by(|(x, _, off), (other, _, other_off)| (off * other).cmp(&(other_off * x)));
    let (x, y) = nearest.map_or((1, most), |(x, y, _)| (x, y));
    let weight = |x: u64| u16::try_from(x).ok().and_then(Weight::new).unwrap_or(Weight::ONE);
    if a <= b { (weight(x), weight(y)) } else { (weight(y), weight(x)) }
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(count: usize, from: u16) -> Vec<Address> {
        (from..).take(count).map(|port| format!("127.0.0.1:{port}").parse().unwrap()).collect()
    }

    fn weights(live: usize, canary: usize, percent: u8) -> Vec<u16> {
        let share = Share::percent(percent).unwrap();
        let servers = shared(addresses(live, 1000), addresses(canary, 2000), share);
        servers.iter().map(|server| server.weight.get()).collect()
    }

    #[test]
    fn shares() {
        assert_eq!(weights(1, 1, 50), [1, 1]);
        assert_eq!(weights(2, 1, 5), [19, 19, 2], "2 of 40");
        assert_eq!(weights(1, 2, 10), [18, 1, 1], "2 of 20");
        assert_eq!(weights(3, 0, 10), [1, 1, 1], "no canary: all the same");
        assert_eq!([Share::percent(0), Share::percent(100)], [None, None]);
    }

    #[test]
    fn the_canary_gets_its_share() {
        for (live, canary) in (1..=8).flat_map(|live| (1..=8).map(move |canary| (live, canary))) {
            for percent in 1..=99 {
                let weights = weights(live, canary, percent);
                let sum = |weights: &[u16]| weights.iter().map(|w| f64::from(*w)).sum::<f64>();
                let got = 100.0 * sum(&weights[live..]) / sum(&weights);
                // Where the weights end: one server cannot get 256 times as much as eight.
                let allowed = if canary > 3 * live || live > 3 * canary { 2.1 } else { 0.5 };
                let off = (got - f64::from(percent)).abs();
                assert!(off <= allowed, "{live} and {canary}: {percent} became {got}: {weights:?}");
            }
        }
    }
}
