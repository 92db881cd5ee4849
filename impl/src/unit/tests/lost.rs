//! An arbiter that starts without its state, or with an older one (PROTOCOL.md, section 2, State
//! lost).

use alloc::vec::Vec;

use super::world::{A, B};
use crate::ids::{BootId, Lsn, Slot, Term};
use crate::message::{Hello, Origin, Said, Stamp, ToArbiter, ToUnit};
use crate::planted::Planted;
use crate::unit::{
    Arbiter, ArbiterEvent, ArbiterInput, ArbiterOutput, ArbiterTimer, Limits, arbiter,
};

const BOOT: BootId = BootId(1);

struct Desk {
    arbiter: Arbiter,
    limits: Limits,
}

impl Desk {
    fn new() -> Self {
        Self { arbiter: Arbiter::new(), limits: Limits::DEFAULT }
    }

    fn step(&mut self, input: ArbiterInput) -> Vec<ArbiterOutput> {
        let mut out = Vec::new();
        let none = Planted::NONE;
        self.arbiter.step(&self.limits, none, input, &mut out);
        out
    }

    fn hears(&mut self, from: Slot, message: ToArbiter) -> Vec<ArbiterOutput> {
        self.step(ArbiterInput::Message { from, message })
    }

    fn hello(&mut self, from: Slot, k: u64, generation: u64, said: Said) -> Vec<ArbiterOutput> {
        let highest = self.arbiter.lost.map_or(self.arbiter.term, |lost| lost.began);
        let hello = Hello { k, highest, generation, asked: self.asked(), said };
        self.hears(from, ToArbiter::Hello { boot: BOOT, hello })
    }

    /// What a unit echoes that was asked.
    fn asked(&self) -> Term {
        self.arbiter.asked.unwrap_or_default()
    }

    fn renew(&mut self, from: Slot, term: u64, lsn: u64, generation: u64) -> Vec<ArbiterOutput> {
        let renew =
            ToArbiter::Renew { boot: BOOT, term: Term(term), n: 1, lsn: Lsn(lsn), generation };
        self.hears(from, renew)
    }

    fn fires(&mut self, timer: ArbiterTimer) -> Vec<ArbiterOutput> {
        self.step(ArbiterInput::Timer(timer))
    }

    /// Unit A acts in term 1, from its startup store.
    fn granted() -> Self {
        let mut desk = Self::new();
        desk.hello(A, 1, 0, Said::default());
        desk.fires(ArbiterTimer::Gather);
        assert!(grants(&desk.renew(A, 1, 0, 1)));
        desk
    }

    fn loses(&mut self) {
        let (term, generation) = (self.arbiter.term, self.arbiter.generation);
        self.arbiter = Arbiter::new();
        let out = self.step(ArbiterInput::StateLost { term, generation });
        assert!(out.contains(&ArbiterOutput::Event(ArbiterEvent::Lost)));
        assert!(out.contains(&ArbiterOutput::SetTimer(ArbiterTimer::Lease)));
    }
}

fn grants(out: &[ArbiterOutput]) -> bool {
    let grant = |output: &ArbiterOutput| {
        matches!(output, ArbiterOutput::Send { message, .. }
            if matches!(message, ToUnit::Grant { .. }))
    };
    out.iter().any(grant)
}

fn offered(out: &[ArbiterOutput]) -> Option<(Slot, Term, Origin)> {
    out.iter().find_map(|output| match output {
        ArbiterOutput::Send { to, message: ToUnit::Offer { term, origin, .. } } => {
            Some((*to, *term, *origin))
        }
        _ => None,
    })
}

fn is_unknown(out: &[ArbiterOutput]) -> bool {
    out.contains(&ArbiterOutput::Event(ArbiterEvent::LineUnknown))
}

fn ran(term: u64, lsn: u64) -> Said {
    Said { running: Some(Stamp { term: Term(term), lsn: Lsn(lsn) }), ..Said::default() }
}

#[test]
fn a_lost_state_is_silent_for_a_lease_and_uses_no_term_again() {
    let mut desk = Desk::granted();
    desk.loses();
    assert!(!grants(&desk.renew(A, 1, 3, 2)));
    desk.hello(A, 2, 2, ran(1, 3));
    assert_eq!(offered(&desk.fires(ArbiterTimer::Gather)), None);
    desk.fires(ArbiterTimer::Lease);
    let out = desk.fires(ArbiterTimer::Gather);
    assert_eq!(offered(&out), Some((A, Term(3), Origin::Resume)));
    // The other unit was not heard: it may know of a later term.
    assert!(is_unknown(&out));
    desk.renew(A, 3, 3, 3);
    assert_eq!((desk.arbiter.lost, desk.arbiter.floor), (None, Term(1)));
}

#[test]
fn what_all_units_know_is_known() {
    let mut desk = Desk::granted();
    desk.loses();
    desk.hello(A, 2, 2, ran(1, 3));
    desk.hello(B, 1, 0, Said::default());
    desk.fires(ArbiterTimer::Lease);
    let out = desk.fires(ArbiterTimer::Gather);
    assert_eq!(offered(&out), Some((A, Term(3), Origin::Resume)));
    assert!(!is_unknown(&out));
}

/// Numbers of Hellos are lost with the state: a copy that was long on its way does not say what its
/// unit knows now.
#[test]
fn a_hello_that_echoes_nothing_may_be_an_old_one() {
    let asks = |out: &[ArbiterOutput]| {
        out.iter().find_map(|output| match output {
            ArbiterOutput::Send { to: B, message: ToUnit::Ask { boot: BOOT, asked } } => {
                Some(*asked)
            }
            _ => None,
        })
    };
    for echoed in [false, true] {
        let mut desk = Desk::granted();
        desk.loses();
        desk.hello(A, 2, 2, ran(1, 3));
        let said = Said::default();
        let old = Hello { k: 1, highest: Term(1), generation: 0, asked: Term(0), said };
        let out = desk.hears(B, ToArbiter::Hello { boot: BOOT, hello: old });
        let asked = asks(&out).expect("it asks");
        if echoed {
            let hello = Hello { k: 2, asked, ..old };
            let out = desk.hears(B, ToArbiter::Hello { boot: BOOT, hello });
            assert_eq!(asks(&out), None);
        }
        desk.fires(ArbiterTimer::Lease);
        let out = desk.fires(ArbiterTimer::Gather);
        assert_eq!(offered(&out).map(|(slot, ..)| slot), Some(A));
        assert_eq!(is_unknown(&out), !echoed);
    }
}

/// A unit that knows no term of before the loss is new, or has lost its disk: it may have acted in
/// a later one.
#[test]
fn a_unit_that_knows_no_term_is_not_heard() {
    for may_go_back in [false, true] {
        let mut desk = Desk::granted();
        if may_go_back {
            desk.limits.arbiter_may_go_back = true;
            desk.step(ArbiterInput::Recovered { term: Term(1) });
        } else {
            desk.loses();
        }
        desk.hello(A, 2, 2, ran(1, 3));
        let (asked, said) = (desk.asked(), Said::default());
        let hello = Hello { k: 1, highest: Term(0), generation: 0, asked, said };
        let boot = BOOT;
        desk.hears(B, ToArbiter::Hello { boot, hello });
        desk.fires(ArbiterTimer::Lease);
        let out = desk.fires(ArbiterTimer::Gather);
        assert_eq!(offered(&out), Some((A, Term(3), Origin::Resume)));
        assert!(is_unknown(&out), "{may_go_back}");
    }
}

/// The unit accepted a term before the loss, and has declined an Offer since: its `highest` hides
/// that.
#[test]
fn a_running_config_is_of_a_term_that_its_unit_knows() {
    let mut desk = Desk::granted();
    desk.loses();
    desk.hello(B, 1, 0, Said::default());
    desk.fires(ArbiterTimer::Lease);
    let out = desk.fires(ArbiterTimer::Gather);
    assert_eq!(offered(&out), Some((B, Term(3), Origin::Cold)));
    let asked = desk.asked();
    let hello = Hello { k: 2, highest: Term(3), generation: 3, asked, said: ran(1, 3) };
    desk.hears(B, ToArbiter::Decline { boot: BOOT, term: Term(3), hello });
    let out = desk.fires(ArbiterTimer::Gather);
    assert_eq!(offered(&out), Some((B, Term(4), Origin::Resume)));
}

#[test]
fn an_older_state_counts_as_lost_once_a_unit_has_seen_a_later_one() {
    let mut desk = Desk::granted();
    let older = desk.arbiter.clone();
    let register = ToArbiter::SetRegister { term: Term(1), counter: 1, value: None };
    desk.hears(A, register);
    let seen = desk.arbiter.generation;
    assert_eq!(seen, older.generation + 1);
    desk.arbiter = older.clone();
    let term = desk.arbiter.term;
    desk.step(ArbiterInput::Recovered { term });
    let out = desk.renew(A, 1, 0, seen);
    let had = older.generation;
    let event = ArbiterOutput::Event(ArbiterEvent::Older { had, seen });
    assert!(out.contains(&event) && !grants(&out));
    assert!(desk.arbiter.silent && desk.arbiter.holder.is_none());
    assert_eq!(desk.arbiter.generation, seen);
}

#[test]
fn an_arbiter_whose_disk_may_go_back_is_silent_after_each_start() {
    for may_go_back in [false, true] {
        let mut desk = Desk::granted();
        desk.limits.arbiter_may_go_back = may_go_back;
        desk.step(ArbiterInput::Recovered { term: Term(7) });
        assert_eq!(grants(&desk.renew(A, 1, 0, 2)), !may_go_back);
        let (asked, said) = (desk.asked(), Said::default());
        let hello = Hello { k: 2, highest: Term(1), generation: 2, asked, said };
        desk.hears(A, ToArbiter::Hello { boot: BOOT, hello });
        // Its terms go on beyond all that it used, whatever its state says.
        desk.fires(ArbiterTimer::Lease);
        let out = desk.fires(ArbiterTimer::Gather);
        assert_eq!(offered(&out), Some((A, Term(8 + u64::from(may_go_back)), Origin::Cold)));
    }
}

#[test]
fn the_line_is_bounded_and_brings_no_stamp_back() {
    let accepted = |term, lsn| arbiter::Accepted { term: Term(term), from: Lsn(lsn) };
    let mut desk = Desk::granted();
    desk.limits.max_accepted = 2;
    desk.arbiter.line = alloc::vec![accepted(2, 3), accepted(5, 7)];
    desk.arbiter.term = Term(5);
    let takes_over = |desk: &mut Desk, lsn: u64| {
        desk.fires(ArbiterTimer::Lease);
        let (k, term) = (10 + desk.arbiter.generation, desk.arbiter.term.0);
        desk.hello(A, k, 0, ran(term, lsn));
        let out = desk.fires(ArbiterTimer::Gather);
        let (_, term, _) = offered(&out).expect("it is offered");
        desk.renew(A, term.0, lsn, 0);
        term.0
    };
    let first = takes_over(&mut desk, 8);
    assert_eq!(desk.arbiter.line, [accepted(5, 3), accepted(first, 8)]);
    let second = takes_over(&mut desk, 5);
    assert_eq!(desk.arbiter.line, [accepted(5, 3), accepted(second, 5)]);
}

/// A term that was used after the state was written proves that it is an older one; and a unit that
/// is not heard may know one.
#[test]
fn a_unit_that_knows_a_later_term_shows_that_the_state_is_an_older_one() {
    let back = |hellos: &[(Slot, u64)]| {
        let mut desk = Desk::granted();
        desk.limits.arbiter_may_go_back = true;
        // Terms 2 to 4 were used since.
        desk.step(ArbiterInput::Recovered { term: Term(4) });
        for (from, highest) in hellos {
            let (asked, said) = (desk.asked(), ran(*highest, 3));
            let hello = Hello { k: 9, highest: Term(*highest), generation: 0, asked, said };
            desk.hears(*from, ToArbiter::Hello { boot: BOOT, hello });
        }
        desk.fires(ArbiterTimer::Lease);
        let out = desk.fires(ArbiterTimer::Gather);
        (desk.arbiter.lost.is_some(), is_unknown(&out))
    };
    assert_eq!(back(&[(A, 1), (B, 1)]), (false, false));
    assert_eq!(back(&[(A, 1)]), (false, true));
    assert_eq!(back(&[(A, 1), (B, 2)]), (true, true));
}

/// A start says nothing of the terms that the state before it knew nothing of: what a unit says of
/// them shows once more that the state is an older one.
#[test]
fn a_further_start_forgets_nothing_of_what_its_state_may_not_know() {
    let back = |worlds: &[u64], highest: u64| {
        let mut desk = Desk::granted();
        desk.limits.arbiter_may_go_back = true;
        for world in worlds {
            desk.step(ArbiterInput::Recovered { term: Term(*world) });
        }
        let (asked, said) = (desk.asked(), ran(highest, 3));
        let hello = Hello { k: 9, highest: Term(highest), generation: 0, asked, said };
        desk.hears(B, ToArbiter::Hello { boot: BOOT, hello });
        desk.arbiter.lost.is_some()
    };
    // Terms 2 to 4 were used since, 5 to ask; then term 6, which the second state says nothing of.
    for worlds in [&[4][..], &[4, 5], &[4, 5, 6], &[4, 6], &[4, 6, 7]] {
        assert!(!back(worlds, 1), "{worlds:?}");
        assert!(back(worlds, 2) && back(worlds, 4), "{worlds:?}");
        assert_eq!(back(worlds, 6), worlds[1..].first() == Some(&6), "{worlds:?}");
    }
}
