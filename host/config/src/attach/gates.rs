//! Finds gates that are never asked: whoever misspells a gate's name believes that somebody is.

use super::Attaching;
use crate::document::at;
use sopwith_core::approval::START_GATE;

/// How the interface begins by which a plugin asks people; its version follows.
const ASKS_PEOPLE: &str = "sopwith:plugin/approvals";

impl Attaching<'_> {
    /// Only `start` is asked by the host; any other one is asked if the plugin asks, by that very name.
    pub(super) fn tell_of_unasked_gates(&mut self, imports: &[String]) {
        let asks = imports.iter().any(|import| import.starts_with(ASKS_PEOPLE));
        for name in self.definition.gates.keys() {
            let is_slip = is_slip(name.as_str());
            if name.as_str() == START_GATE || (asks && !is_slip) {
                continue;
            }
            let plugin = &self.definition.plugin;
            let message = if asks {
                format!(
                    "the gate `{name}` is asked only where the plugin `{plugin}` asks for it by that name"
                )
            } else {
                format!("the gate `{name}` is never asked: the plugin `{plugin}` asks nobody anything")
            };
            let hint = if is_slip {
                "did you mean `start`? that one is asked before each run:  [gates.start]"
            } else {
                "the one that is asked before each run is `start`:  [gates.start]"
            };
            let warning = self.document().warning(&at(["gates", name.as_str()]), message);
            self.diagnostics.push(warning.hint(hint));
        }
    }
}

/// Whether the name is `start` but for its case and one letter that is wrong, missing, too many or exchanged.
fn is_slip(name: &str) -> bool {
    strsim::damerau_levenshtein(&name.to_lowercase(), START_GATE) <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_told_from_names_of_their_own() {
        for slip in ["strat", "Start", "stat", "starts", "START", "stsrt"] {
            assert!(is_slip(slip), "{slip}");
        }
        for name in ["restart", "before-restore", "begin", "status"] {
            assert!(!is_slip(name), "{name}");
        }
    }
}
