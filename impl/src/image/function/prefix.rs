//! `prefix`: an address with a mask, `10.0.0.0 255.255.255.0`, is one with the mask's length,
//! `10.0.0.0/24`.
//!
//! # Shape
//! Captures `net` and `mask` of the old side are `prefix` of the new one. All others stay as they
//! are.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{
    Captures, Function, FunctionCause, FunctionGroup, FunctionKeys, FunctionLine, OneSide, Sample,
    each_line, sample, unfit,
};

pub(super) const FUNCTION: Function = Function {
    name: "prefix",
    revision: 1,
    lower,
    raise,
    keys: Some(FunctionKeys { lower: lowered_key, raise: raised_key }),
    samples,
};

fn lower(group: &FunctionGroup) -> Result<Vec<FunctionLine>, FunctionCause> {
    each_line(group, lowered)
}

fn raise(group: &FunctionGroup) -> Result<Vec<FunctionLine>, FunctionCause> {
    each_line(group, raised)
}

fn lowered_key(key: &Captures) -> Option<Captures> {
    lowered(key).ok()
}

fn raised_key(key: &Captures) -> Option<Captures> {
    raised(key).ok()
}

/// Without a prefix, as of a `no` that says it not, there is none on the other side either.
fn lowered(captures: &Captures) -> Result<Captures, FunctionCause> {
    let mut captures = captures.clone();
    let Some(prefix) = captures.remove("prefix") else {
        return Ok(captures);
    };
    let unfit = || unfit("prefix", "A.B.C.D/M");
    let (net, length) = prefix.split_once('/').ok_or_else(unfit)?;
    let length: u32 = length.parse().ok().filter(|length| *length <= 32).ok_or_else(unfit)?;
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    captures.insert("net".into(), net.into());
    captures.insert("mask".into(), dotted(mask));
    Ok(captures)
}

fn raised(captures: &Captures) -> Result<Captures, FunctionCause> {
    let mut captures = captures.clone();
    let (net, mask) = match (captures.remove("net"), captures.remove("mask")) {
        (Some(net), Some(mask)) => (net, mask),
        (None, None) => return Ok(captures),
        (Some(_), None) => return Err(unfit("mask", "")),
        (None, Some(_)) => return Err(unfit("net", "")),
    };
    let bits = read(&mask).filter(|bits| bits.count_zeros() == bits.trailing_zeros());
    let bits = bits.ok_or_else(|| unfit("mask", "a mask whose ones stand first"))?;
    captures.insert("prefix".into(), alloc::format!("{net}/{}", bits.count_ones()));
    Ok(captures)
}

/// The bits of a mask.
fn read(mask: &str) -> Option<u32> {
    let bytes: Vec<u8> = mask.split('.').map(|byte| byte.parse().ok()).collect::<Option<_>>()?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn dotted(mask: u32) -> String {
    let bytes: Vec<String> = mask.to_be_bytes().iter().map(ToString::to_string).collect();
    bytes.join(".")
}

fn samples() -> Vec<Sample> {
    let old = |net, mask| sample(OneSide::Old, &[("net", net), ("mask", mask)]);
    let new = |prefix| sample(OneSide::New, &[("prefix", prefix)]);
    alloc::vec![
        old("10.0.0.0", "255.255.255.0"),
        old("10.0.0.1", "255.255.255.255"),
        old("0.0.0.0", "0.0.0.0"),
        old("172.16.0.0", "255.240.0.0"),
        new("192.0.2.0/25"),
        new("0.0.0.0/0"),
        new("192.0.2.1/32"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_with_a_hole_does_not_go() {
        for mask in ["255.0.255.0", "0.0.0.255", "255.255.255", "255.255.255.256"] {
            let Sample { lines, .. } = sample(OneSide::Old, &[("net", "10.0.0.0"), ("mask", mask)]);
            let group = FunctionGroup { lines, ..FunctionGroup::default() };
            assert!(matches!(raise(&group), Err(FunctionCause::Value { .. })), "{mask}");
        }
    }
}
