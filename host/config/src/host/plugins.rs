//! Validates `[plugins]`: whose signatures plugins need.

use super::Reading;
use crate::document::at;
use crate::raw::{HostFile, Plugins};
use crate::signature::{Key, SignaturePolicy};

impl Reading<'_> {
    /// Which signatures plugins need; none where that cannot be made out for sure.
    pub(super) fn signatures(&mut self, file: &HostFile) -> Option<SignaturePolicy> {
        let plugins = file.plugins.as_ref();
        let written = plugins.and_then(|plugins| plugins.keys.as_deref());
        let written = written.unwrap_or_default();
        let keys: Vec<Key> = written
            .iter()
            .enumerate()
            .filter_map(|(index, text)| self.key(index, text))
            .collect();
        let required = plugins.and_then(|plugins| plugins.require_signatures);
        let required = required.unwrap_or_default();
        if required && written.is_empty() {
            let place = at(["plugins", "require_signatures"]);
            let message = "no key is named, so every file in `plugins/` is refused";
            let warning = self.document.warning(&place, message);
            self.push(warning.hint("add the second line of the signer's `minisign.pub`:  keys = [\"RW…\"]"));
        }
        let all_read = self.is_certain() && keys.len() == written.len();
        all_read.then_some(SignaturePolicy { required, keys })
    }

    fn key(&mut self, index: usize, text: &str) -> Option<Key> {
        let key = text.trim().parse();
        if key.is_err() {
            let place = at(["plugins", "keys"]).join(index);
            let message = format!("`{}` is no public key of minisign", self.document.written(&place));
            let hint =
                "a key begins with RW and has 56 characters; write the second line of `minisign.pub` itself";
            self.error(&place, message, hint);
        }
        key.ok()
    }

    /// Whether nothing of the table was passed over as broken: what asks for signatures would be
    /// overlooked with it.
    fn is_certain(&self) -> bool {
        let table = self.document.value.get("plugins");
        let read = table.map(|table| serde_json::from_value::<Plugins>(table.clone()));
        self.document.is_whole() && read.is_none_or(|read| read.is_ok())
    }
}
