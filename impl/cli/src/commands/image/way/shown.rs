//! A way as people read it: one row a rung.

use std::io::Write;

use super::{Reason, Rewrite, Way};
use crate::counted;

impl Way {
    /// Writes it, its rows in the order of the way.
    pub(super) fn show(&self, out: &mut dyn Write) -> std::io::Result<()> {
        if let Some(Reason { line, why }) = &self.not_taken {
            return writeln!(out, "{} does not take `{line}`: {why}", self.from);
        }
        writeln!(out, "{} -> {}", self.from, self.to)?;
        row(out, &format!("on {}", self.from), &on_one_line(&self.on))?;
        rewrites(out, &self.lowered)?;
        reasons(out, "stuck", &self.stuck)?;
        reasons(out, "don't-care", &self.dont_care)?;
        row(out, "sent", &on_one_line(&self.sent))?;
        rewrites(out, &self.raised)?;
        reasons(out, "stuck there", &self.not_raised)?;
        row(out, &format!("on {}", self.to), &on_one_line(&self.arrived))?;
        if self.other_steps > 0 {
            let (one, more) = ("other step leaves it as it is", "other steps leave it as it is");
            writeln!(out, "  ({})", counted(self.other_steps, one, more))?;
        }
        Ok(())
    }
}

fn row(out: &mut dyn Write, name: &str, what: &str) -> std::io::Result<()> {
    writeln!(out, "  {name:18}  {what}")
}

fn rewrites(out: &mut dyn Write, rewrites: &[Rewrite]) -> std::io::Result<()> {
    for Rewrite { step, lines, why } in rewrites {
        row(out, step, &format!("{}   ({why})", on_one_line(lines)))?;
    }
    Ok(())
}

fn reasons(out: &mut dyn Write, name: &str, reasons: &[Reason]) -> std::io::Result<()> {
    for Reason { line, why } in reasons {
        row(out, name, &format!("{line}: {why}"))?;
    }
    Ok(())
}

fn on_one_line(config: &[String]) -> String {
    if config.is_empty() { "nothing".to_owned() } else { config.join(" + ") }
}
