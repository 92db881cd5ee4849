use skewsync::ids::{BootId, Slot, Term, WriteId};
use skewsync::unit::{Boot, Input};
use skewsync_model::property::Property;

use super::Lockstep;
use crate::observe::Event;
use crate::oracle::testing::{Stage, active, broken_property, started};

/// Slot 0 starts, with these of its outputs left out.
fn starts(oracle: &mut Lockstep, left_out: usize) -> (Stage, Option<Property>) {
    let mut stage = Stage::new();
    let boot = Boot {
        boot: BootId(1),
        lost_disk: false,
        damaged: false,
        highest: Term(0),
        resets: 0,
        store: None,
    };
    let (unit, outputs) = started(Slot(0), "6.2", &boot);
    let outputs = &outputs[left_out..];
    let event = Event::Started {
        slot: Slot(0),
        boot: &boot,
        outputs,
        fates: &vec![crate::observe::Fate::Done; outputs.len()],
        unit: &unit,
    };
    let found = broken_property(stage.show_tap(oracle, event));
    (stage, found)
}

#[test]
fn a_unit_that_starts_as_the_model_does_breaks_nothing() {
    assert_eq!(starts(&mut Lockstep::default(), 0).1, None);
}

#[test]
fn a_unit_that_does_not_say_what_the_model_says_breaks_it() {
    assert_eq!(starts(&mut Lockstep::default(), 1).1, Some(Property::Lockstep));
}

#[test]
fn a_unit_that_acts_without_a_grant_breaks_it() {
    let oracle = &mut Lockstep::default();
    let (mut stage, found) = starts(oracle, 0);
    assert_eq!(found, None);
    let unit = active(Slot(0), 1, 0, "6.2", "");
    let (slot, input) = (Slot(0), &Input::Persisted(WriteId(u64::MAX)));
    let (packet, outputs, fates) = (None, &[], &[]);
    let event = Event::Unit { slot, input, packet, outputs, fates, unit: &unit };
    assert_eq!(broken_property(stage.show_tap(oracle, event)), Some(Property::Lockstep));
}
