//! Holds what is granted against what was used, so that a grant nobody needs can be withdrawn.

use sopwith_core::grant::{Access, GrantSection, Grants, ResourceKind};
use sopwith_core::name::ResourceName;
use sopwith_core::port::operations::{CallCount, GrantLine, ProcedureGrants};
use sopwith_core::port::{GrantHistory, RecordedUse};
use sopwith_core::procedure::Procedure;

/// What a procedure is granted, each with how it was used.
pub(crate) fn used_grants(procedure: &Procedure, history: GrantHistory) -> ProcedureGrants {
    let mut lines = lines_of(&procedure.grants, &GrantSection::Procedure);
    for (action, grants) in &procedure.action_grants {
        lines.extend(lines_of(grants, &GrantSection::Action(action.clone())));
    }
    for used in &history.uses {
        // What one action is granted alone is the line that it used, where there is one.
        let line = lines.iter_mut().rev().find(|line| line.covers(used));
        if let Some(line) = line {
            line.add(used);
        }
    }
    ProcedureGrants {
        procedure: procedure.name.clone(),
        file: procedure.file.clone(),
        since: history.since,
        grants: lines.into_iter().map(|line| line.shown).collect(),
        denials: history.denials,
    }
}

struct Line {
    section: GrantSection,
    shown: GrantLine,
}

impl Line {
    fn covers(&self, used: &RecordedUse) -> bool {
        let of_action = match &self.section {
            GrantSection::Procedure => true,
            GrantSection::Action(action) => *action == used.action,
        };
        let (granted, wanted) = (&self.shown, &used.used);
        let access = match (&granted.access, &wanted.access) {
            // A destination is granted by its name for all of its methods, and to have a secret put
            // somewhere needs the same line as to use it.
            (None, Access::Method(_)) | (Some(Access::Use), Access::Insert) => true,
            (Some(granted), wanted) => granted.covers(wanted),
            (None, _) => false,
        };
        of_action && access && granted.kind == wanted.kind && granted.name == wanted.name
    }

    fn add(&mut self, used: &RecordedUse) {
        let line = &mut self.shown;
        line.times += used.used.times;
        line.last_at = line.last_at.max(Some(used.last_at));
        let access = used.used.access.to_string();
        let same = |count: &&mut CallCount| count.call == used.used.call && count.access == access;
        match line.calls.iter_mut().find(same) {
            Some(count) => count.times += used.used.times,
            None => line.calls.push(CallCount {
                call: used.used.call.clone(),
                access,
                times: used.used.times,
            }),
        }
    }
}

fn lines_of(grants: &Grants, section: &GrantSection) -> Vec<Line> {
    let databases = grants.databases.iter();
    let databases = databases.map(|(name, grant)| (ResourceKind::Databases, name, grant.access()));
    let directories = grants.directories.iter();
    let directories = directories.map(|(name, access)| (ResourceKind::Directories, name, access.clone()));
    let listed = [
        (ResourceKind::Network, &grants.network, None),
        (ResourceKind::Commands, &grants.commands, Some(Access::Run)),
        (ResourceKind::Procedures, &grants.procedures, Some(Access::Call)),
        (ResourceKind::Secrets, &grants.secrets, Some(Access::Use)),
        (ResourceKind::Secrets, &grants.secret_reveal, Some(Access::Reveal)),
    ];
    let line = |kind, name: &ResourceName, access| Line {
        section: section.clone(),
        shown: GrantLine {
            section: section.to_string(),
            kind,
            name: name.clone(),
            access,
            times: 0,
            last_at: None,
            calls: Vec::new(),
        },
    };
    let accessed = databases.chain(directories);
    let mut lines: Vec<_> = accessed
        .map(|(kind, name, access)| line(kind, name, Some(access)))
        .collect();
    for (kind, names, access) in listed {
        lines.extend(names.iter().map(|name| line(kind, name, access.clone())));
    }
    lines
}
