//! How a value looks within base64, wherever in the encoded bytes it begins.

use super::Shared;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// The value on its own, and as a part of something longer at each of the three places that a byte
/// can have in a group; in both alphabets.
pub(super) fn all(value: &[u8]) -> Vec<(Vec<u8>, Shared)> {
    let mut forms = Vec::new();
    for engine in [STANDARD, URL_SAFE] {
        forms.push((engine.encode(value).into_bytes(), Shared::default()));
        for before in 0..3 {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(value);
            forms.push(within(&engine.encode(&bytes), before, bytes.len()));
        }
    }
    forms
}

/// The characters that depend on the value alone: those that hold bits of what stands before or
/// behind it are left out, and are told of.
fn within(encoded: &str, before: usize, bytes: usize) -> (Vec<u8>, Shared) {
    // `before` bytes reach into character number `before`, from 0.
    let first = if before == 0 { 0 } else { before + 1 };
    // Six bits a character; the last one may be shared with what comes behind.
    let whole = bytes * 8 / 6;
    let shared = Shared {
        before: before > 0,
        behind: !bytes.is_multiple_of(3),
    };
    let core = encoded.get(first..whole).unwrap_or_default();
    (core.as_bytes().to_vec(), shared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

    /// Wherever the value stands, one of the forms is found, and with the characters that it shares it
    /// covers everything that depends on the value.
    #[test]
    fn the_value_is_found_at_every_place_and_nothing_of_it_is_left() {
        let value = b"tok\xff\xfe-en?>~value";
        for engine in [&STANDARD_NO_PAD as &dyn Encode, &URL_SAFE_NO_PAD] {
            for (front, back) in (0..7).flat_map(|front| (0..4).map(move |back| (front, back))) {
                let text = |value: &[u8]| {
                    let bytes = [&vec![b'f'; front][..], value, &vec![b'b'; back]].concat();
                    engine.text(&bytes)
                };
                let (text, other) = (text(value), text(&vec![0; value.len()]));
                let forms = all(value).into_iter();
                let covered = forms.filter_map(|(form, shared)| {
                    let form = String::from_utf8(form).unwrap();
                    let start = text.find(&form)?;
                    let end = start + form.len();
                    Some((
                        start - usize::from(shared.before),
                        end + usize::from(shared.behind),
                    ))
                });
                let (start, end) = covered.max_by_key(|(start, end)| end - start).unwrap();
                let differs: Vec<_> = (0..text.len())
                    .filter(|at| text.as_bytes()[*at] != other.as_bytes()[*at])
                    .collect();
                assert!(start <= differs[0], "{front} {back}: {text}");
                assert!(differs[differs.len() - 1] < end, "{front} {back}: {text}");
            }
        }
    }

    trait Encode {
        fn text(&self, bytes: &[u8]) -> String;
    }

    impl<E: base64::Engine> Encode for E {
        fn text(&self, bytes: &[u8]) -> String {
            self.encode(bytes)
        }
    }
}
