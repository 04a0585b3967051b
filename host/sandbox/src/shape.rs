//! Measures what an instance of a component would take, before anything is compiled.
//!
//! A component instantiates modules and other components, each of them as often as it likes, so
//! that a small file can ask for very much. The pool of instances has bounds for some of this, and
//! allocation on demand has none; these here stand before both.

use crate::configuration::{MEMORIES_MAX, TABLES_MAX};
use sopwith_core::port::PluginProblem;
use std::ops::AddAssign;
use wasmparser::{
    BinaryReaderError, ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Encoding, Instance, Parser, Payload,
};

/// Instances of core modules; an interpreter with its libraries has some 40.
pub(crate) const INSTANCES_MAX: usize = 256;
/// The host's own records of all instances, which no limit of memory covers.
pub(crate) const RECORD_BYTES_MAX: usize = 16 << 20;
/// The code of one function. A compiler takes some hundred times as much memory for each function that it
/// has at hand, and an interpreter's loop, the longest that toolchains write, has a third of this.
const FUNCTION_BYTES_MAX: usize = 1 << 20;
/// What a record takes for one function, global or import of a module; for one function that
/// crosses the border of a component; and for itself.
const ENTITY_BYTES: u64 = 32;
const CROSSING_BYTES: u64 = 64;
const INSTANCE_BYTES: u64 = 1 << 10;

/// Refuses bytes whose instance would take more than any plugin may have.
pub(crate) fn check(bytes: &[u8]) -> Result<(), PluginProblem> {
    let cost = measure(bytes).map_err(|error| match error {
        Unmeasurable::Damaged(error) => damaged(&error),
        Unmeasurable::Unusual(what) => problem(format!("the plugin {what}, which this host does not load")),
        Unmeasurable::LongFunction(bytes) => problem(format!(
            "the plugin has a function of {bytes} bytes, and one may have {FUNCTION_BYTES_MAX}"
        )),
    })?;
    let bounds = [
        ("instances of modules", cost.instances, INSTANCES_MAX as u64),
        ("memories", cost.memories, MEMORIES_MAX.into()),
        ("tables", cost.tables, TABLES_MAX.into()),
        ("bytes of records", cost.bytes, RECORD_BYTES_MAX as u64),
    ];
    match bounds.iter().find(|(_, wanted, max)| wanted > max) {
        Some((what, wanted, max)) => Err(problem(format!(
            "the plugin needs {wanted} {what}, and may have {max}"
        ))),
        None => Ok(()),
    }
}

/// What one instance takes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Cost {
    instances: u64,
    memories: u64,
    tables: u64,
    bytes: u64,
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.instances = self.instances.saturating_add(other.instances);
        self.memories = self.memories.saturating_add(other.memories);
        self.tables = self.tables.saturating_add(other.tables);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

impl Cost {
    fn of_module() -> Self {
        Self {
            instances: 1,
            bytes: INSTANCE_BYTES,
            ..Self::default()
        }
    }
}

/// A module or component that is being read, with what it has defined so far.
struct Frame {
    encoding: Encoding,
    cost: Cost,
    modules: Vec<Cost>,
    components: Vec<Cost>,
}

enum Unmeasurable {
    Damaged(BinaryReaderError),
    Unusual(&'static str),
    LongFunction(usize),
}

impl From<BinaryReaderError> for Unmeasurable {
    fn from(error: BinaryReaderError) -> Self {
        Self::Damaged(error)
    }
}

fn measure(bytes: &[u8]) -> Result<Cost, Unmeasurable> {
    let mut frames: Vec<Frame> = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::Version { encoding, .. } => frames.push(Frame::begin(encoding)),
            Payload::End(_) => {
                let Some(ended) = frames.pop() else { break };
                match frames.last_mut() {
                    None => return Ok(ended.cost),
                    Some(parent) if ended.encoding == Encoding::Module => parent.modules.push(ended.cost),
                    Some(parent) => parent.components.push(ended.cost),
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases {
                    follow(&alias?, &mut frames)?;
                }
            }
            payload => {
                if let Some(frame) = frames.last_mut() {
                    frame.add(payload)?;
                }
            }
        }
    }
    Err(Unmeasurable::Unusual("has no end"))
}

impl Frame {
    fn begin(encoding: Encoding) -> Self {
        Self {
            encoding,
            cost: match encoding {
                Encoding::Module => Cost::of_module(),
                Encoding::Component => Cost::default(),
            },
            modules: Vec::new(),
            components: Vec::new(),
        }
    }

    fn add(&mut self, payload: Payload<'_>) -> Result<(), Unmeasurable> {
        match payload {
            Payload::ImportSection(section) => self.entities(section.count()),
            Payload::FunctionSection(section) => self.entities(section.count()),
            Payload::GlobalSection(section) => self.entities(section.count()),
            Payload::TagSection(section) => self.entities(section.count()),
            Payload::TypeSection(section) => self.entities(section.count()),
            Payload::MemorySection(section) => {
                self.entities(section.count());
                self.cost.memories += u64::from(section.count());
            }
            Payload::TableSection(section) => {
                self.entities(section.count());
                self.cost.tables += u64::from(section.count());
            }
            Payload::CodeSectionEntry(function) => {
                let bytes = function.range().len();
                if bytes > FUNCTION_BYTES_MAX {
                    return Err(Unmeasurable::LongFunction(bytes));
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                self.cost.bytes += u64::from(section.count()) * CROSSING_BYTES;
            }
            Payload::InstanceSection(instances) => {
                for instance in instances {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        self.cost += defined(&self.modules, module_index)?;
                    }
                }
            }
            Payload::ComponentInstanceSection(instances) => {
                for instance in instances {
                    if let ComponentInstance::Instantiate { component_index, .. } = instance? {
                        self.cost += defined(&self.components, component_index)?;
                    }
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    if matches!(
                        import?.ty,
                        ComponentTypeRef::Module(_) | ComponentTypeRef::Component(_)
                    ) {
                        return Err(Unmeasurable::Unusual("imports code"));
                    }
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    refuse_code(export?.kind)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn entities(&mut self, count: u32) {
        self.cost.bytes += u64::from(count) * ENTITY_BYTES;
    }
}

fn follow(alias: &ComponentAlias<'_>, frames: &mut [Frame]) -> Result<(), Unmeasurable> {
    match alias {
        ComponentAlias::InstanceExport { kind, .. } => refuse_code(*kind),
        ComponentAlias::Outer { kind, count, index } => {
            let outer = frames
                .len()
                .checked_sub(1 + *count as usize)
                .map(|place| &frames[place]);
            let outer = outer.ok_or(UNDEFINED)?;
            match kind {
                ComponentOuterAliasKind::CoreModule => {
                    let cost = defined(&outer.modules, *index)?;
                    frames.last_mut().ok_or(UNDEFINED)?.modules.push(cost);
                }
                ComponentOuterAliasKind::Component => {
                    let cost = defined(&outer.components, *index)?;
                    frames.last_mut().ok_or(UNDEFINED)?.components.push(cost);
                }
                ComponentOuterAliasKind::CoreType | ComponentOuterAliasKind::Type => {}
            }
            Ok(())
        }
        ComponentAlias::CoreInstanceExport { .. } => Ok(()),
    }
}

const UNDEFINED: Unmeasurable = Unmeasurable::Unusual("names code that it does not define");

fn defined(costs: &[Cost], index: u32) -> Result<Cost, Unmeasurable> {
    costs.get(index as usize).copied().ok_or(UNDEFINED)
}

/// Code that comes out of an instance could not be measured here; no toolchain makes such.
fn refuse_code(kind: ComponentExternalKind) -> Result<(), Unmeasurable> {
    match kind {
        ComponentExternalKind::Module | ComponentExternalKind::Component => {
            Err(Unmeasurable::Unusual("exports code"))
        }
        _ => Ok(()),
    }
}

fn damaged(error: &BinaryReaderError) -> PluginProblem {
    PluginProblem {
        message: format!(
            "the file is damaged: {} at byte {}",
            error.message(),
            error.offset()
        ),
        hint: Some("copy or build it again".to_owned()),
    }
}

fn problem(message: String) -> PluginProblem {
    PluginProblem { message, hint: None }
}

#[cfg(test)]
mod tests {
    fn check(text: &str, expected: &str) {
        let bytes = wat::parse_str(text).expect("a component in text");
        let outcome = super::check(&bytes).map_or_else(|problem| problem.message, |()| "fits".to_owned());
        assert_eq!(outcome, expected);
    }

    #[test]
    fn instances_count_as_often_as_they_are_made() {
        let module = "(core module $m (memory 1))";
        let twice = "(core instance (instantiate $m)) (core instance (instantiate $m))";
        check(&format!("(component {module} {})", twice.repeat(4)), "fits");
        check(
            &format!("(component {module} {})", twice.repeat(5)),
            "the plugin needs 10 memories, and may have 8",
        );
    }

    #[test]
    fn nested_components_multiply() {
        let mut component = "(component $c (core module $m) (core instance (instantiate $m)))".to_owned();
        for _ in 0..20 {
            component =
                format!("(component $c {component} (instance (instantiate $c)) (instance (instantiate $c)))");
        }
        check(
            &component.replacen("$c", "", 1),
            "the plugin needs 1048576 instances of modules, and may have 256",
        );
    }

    #[test]
    fn a_function_that_is_too_long_to_compile_is_refused() {
        let function = |instructions: usize| {
            let code = "nop ".repeat(instructions);
            format!("(component (core module (func {code})))")
        };
        // With a byte for its locals and one for its end.
        check(&function((1 << 20) - 2), "fits");
        check(
            &function((1 << 20) - 1),
            "the plugin has a function of 1048577 bytes, and one may have 1048576",
        );
    }

    #[test]
    fn code_that_comes_from_elsewhere_is_refused() {
        check(
            r#"(component (import "m" (core module)))"#,
            "the plugin imports code, which this host does not load",
        );
        let outer = "(component (core module $m (memory 1)) (component $c (alias outer 1 $m (core module $n))
            (core instance (instantiate $n))) (instance (instantiate $c)))";
        check(outer, "fits");
    }
}
