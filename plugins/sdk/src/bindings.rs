//! The contract, bound: generated from `wit/` here and nowhere else on the plugins' side.

wit_bindgen::generate!({
    path: "../../wit",
    world: "plugin",
    pub_export_macro: true,
    additional_derives: [PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema],
    // These have a form of their own in the SDK.
    additional_derives_ignore: ["error", "report", "value"],
});
