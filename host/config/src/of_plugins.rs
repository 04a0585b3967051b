//! What is wrong with plugins: each thing is told once, however many procedures name the plugin.

use crate::diagnostic::Diagnostic;
use crate::procedure::Definition;
use crate::shape::nearest;
use sopwith_core::name::PluginName;
use std::collections::BTreeMap;

/// So many procedures are named; the others are counted.
const NAMED_MAX: usize = 5;

/// What is wrong with plugins, as each procedure that names one would tell it.
#[derive(Debug, Default)]
pub(crate) struct OfPlugins(BTreeMap<PluginName, Told>);

#[derive(Debug)]
struct Told {
    by_the_first: Diagnostic,
    others: Vec<String>,
}

impl OfPlugins {
    pub(crate) fn add(&mut self, definition: &Definition, told: Diagnostic) {
        let Some(before) = self.0.get_mut(&definition.plugin) else {
            let told = Told {
                by_the_first: told,
                others: Vec::new(),
            };
            self.0.insert(definition.plugin.clone(), told);
            return;
        };
        before.others.push(definition.name.to_string());
    }

    /// What the first procedure tells, with the names of the others.
    pub(crate) fn told_once(&mut self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.0)
            .into_values()
            .map(Told::once)
            .collect()
    }
}

impl Told {
    fn once(self) -> Diagnostic {
        let Self {
            mut by_the_first,
            others,
        } = self;
        if others.is_empty() {
            return by_the_first;
        }
        let named: Vec<_> = others.iter().take(NAMED_MAX).map(String::as_str).collect();
        let more = match others.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named = nearest::list(&named);
        by_the_first.message = format!("{}; this holds for {named}{more}, too", by_the_first.message);
        by_the_first
    }
}
