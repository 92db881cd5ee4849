//! `route-distinguisher`: one word, `65000:7`, is two numbers, `asn 65000 number 7`.
//!
//! # Shape
//! Capture `rd` of the old side is `asn` and `number` of the new one. All others stay as they are.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::{
    Captures, Function, FunctionCause, FunctionGroup, FunctionLine, OneSide, Sample, each_line,
    sample, unfit,
};

pub(super) const FUNCTION: Function =
    Function { name: "route-distinguisher", revision: 1, lower, raise, keys: None, samples };

fn lower(group: &FunctionGroup) -> Result<Vec<FunctionLine>, FunctionCause> {
    each_line(group, |captures: &Captures| {
        let mut captures = captures.clone();
        match (captures.remove("asn"), captures.remove("number")) {
            (Some(asn), Some(number)) => {
                captures.insert("rd".into(), alloc::format!("{asn}:{number}"));
                Ok(captures)
            }
            (None, None) => Ok(captures),
            (Some(_), None) => Err(unfit("number", "")),
            (None, Some(_)) => Err(unfit("asn", "")),
        }
    })
}

fn raise(group: &FunctionGroup) -> Result<Vec<FunctionLine>, FunctionCause> {
    each_line(group, |captures: &Captures| {
        let mut captures = captures.clone();
        let Some(rd) = captures.remove("rd") else {
            return Ok(captures);
        };
        // An address before the colon is of another kind, which the new words have no place for.
        let numbers = rd.split_once(':').and_then(|(asn, number)| {
            Some((asn.parse::<u32>().ok()?, number.parse::<u32>().ok()?))
        });
        let (asn, number) = numbers.ok_or_else(|| unfit("rd", "ASN:number"))?;
        captures.insert("asn".into(), asn.to_string());
        captures.insert("number".into(), number.to_string());
        Ok(captures)
    })
}

fn samples() -> Vec<Sample> {
    let new = |asn, number| sample(OneSide::New, &[("asn", asn), ("number", number)]);
    alloc::vec![
        sample(OneSide::Old, &[("rd", "65000:7")]),
        sample(OneSide::Old, &[("rd", "1:0")]),
        new("65000", "7"),
        new("64512", "4294967295"),
    ]
}
