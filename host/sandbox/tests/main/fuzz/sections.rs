//! Components as trees of sections, so that what is changed in one keeps its right size.

/// The first bytes of a module or a component: the magic number, version and layer.
const HEADER_BYTES: usize = 8;
/// Sections whose content is a module or a component itself.
const CORE_MODULE: u8 = 1;
const COMPONENT: u8 = 4;
/// Sections of modules: globals, elements, code, data.
const RUNNING: [u8; 4] = [6, 9, 10, 11];
/// Deeper ones are left as bytes.
const DEPTH_MAX: usize = 8;

/// A module or a component.
#[derive(Debug, Clone)]
pub(super) struct Binary {
    pub(super) header: Vec<u8>,
    pub(super) sections: Vec<Section>,
}

/// A section: what kind it is of, and what is in it.
#[derive(Debug, Clone)]
pub(super) struct Section {
    pub(super) id: u8,
    pub(super) content: Content,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Bytes(Vec<u8>),
    Inner(Binary),
}

impl Binary {
    /// Reads bytes; none if their sections do not add up.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        Self::parse_at(bytes, 0)
    }

    fn parse_at(bytes: &[u8], depth: usize) -> Option<Self> {
        let (header, mut rest) = bytes.split_at_checked(HEADER_BYTES)?;
        let is_component = header[6] == 1;
        let mut sections = Vec::new();
        while let Some((&id, after)) = rest.split_first() {
            let (size, after) = number(after)?;
            let (payload, after) = after.split_at_checked(size)?;
            let nests = is_component && matches!(id, CORE_MODULE | COMPONENT) && depth < DEPTH_MAX;
            let inner = nests.then(|| Self::parse_at(payload, depth + 1)).flatten();
            let content = inner.map_or_else(|| Content::Bytes(payload.to_vec()), Content::Inner);
            sections.push(Section { id, content });
            rest = after;
        }
        let header = header.to_vec();
        Some(Self { header, sections })
    }

    /// The bytes, with the size of each section as it is.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.header.clone();
        for section in &self.sections {
            let payload = match &section.content {
                Content::Bytes(payload) => payload.clone(),
                Content::Inner(inner) => inner.bytes(),
            };
            bytes.push(section.id);
            push_number(&mut bytes, u32::try_from(payload.len()).expect("a small section"));
            bytes.extend(payload);
        }
        bytes
    }

    /// How many sections there are, those of what is inside included.
    pub(super) fn count(&self) -> usize {
        let inner = self.sections.iter().map(|section| match &section.content {
            Content::Bytes(_) => 1,
            Content::Inner(inner) => 1 + inner.count(),
        });
        inner.sum()
    }

    /// The numbers of those sections of modules that hold globals, elements, code and data.
    pub(super) fn running(&self) -> Vec<usize> {
        let is_component = self.header.get(6) == Some(&1);
        let (mut found, mut number) = (Vec::new(), 0);
        for section in &self.sections {
            match &section.content {
                Content::Inner(inner) => {
                    found.extend(inner.running().into_iter().map(|within| number + 1 + within));
                    number += inner.count();
                }
                Content::Bytes(_) if !is_component && RUNNING.contains(&section.id) => found.push(number),
                Content::Bytes(_) => {}
            }
            number += 1;
        }
        found
    }

    /// The section of this number, by its place in the sections around it; it has to be there.
    pub(super) fn place(&mut self, mut number: usize) -> (&mut Vec<Section>, usize) {
        let mut found = 0;
        for (place, section) in self.sections.iter().enumerate() {
            let size = match &section.content {
                Content::Bytes(_) => 1,
                Content::Inner(inner) => 1 + inner.count(),
            };
            found = place;
            if number < size {
                break;
            }
            number -= size;
        }
        if number > 0 && matches!(self.sections[found].content, Content::Inner(_)) {
            let Content::Inner(inner) = &mut self.sections[found].content else {
                unreachable!("it was looked at")
            };
            return inner.place(number - 1);
        }
        (&mut self.sections, found)
    }
}

/// A number as WebAssembly writes it, and what follows.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (place, byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, &bytes[place + 1..]));
        }
    }
    None
}

/// Writes a number as WebAssembly does.
pub(super) fn push_number(bytes: &mut Vec<u8>, mut value: u32) {
    loop {
        let low = value.to_le_bytes()[0] & 0x7f;
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}

#[test]
fn a_component_is_written_as_it_was_read_and_each_section_has_a_place() {
    let bytes = crate::guests::Written::default().bytes();
    let mut binary = Binary::parse(&bytes).expect("a component");
    // The tools may pad a size; once written, it is always the same.
    let written = binary.bytes();
    assert_eq!(Binary::parse(&written).expect("a component").bytes(), written);
    let ids = (0..binary.count()).map(|number| {
        let (sections, place) = binary.place(number);
        sections[place].id
    });
    let ids: Vec<u8> = ids.collect();
    assert!(ids.len() > 12, "{ids:?}");
    let running = binary.running();
    let running: Vec<u8> = running.iter().map(|number| ids[*number]).collect();
    assert!(running.contains(&10), "{ids:?}: {running:?}");
    assert!(running.iter().all(|id| RUNNING.contains(id)), "{running:?}");
}
