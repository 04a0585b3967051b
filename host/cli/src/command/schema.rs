//! `sopwith schema`: prints the JSON Schema of a file, by which an editor completes and checks it.

use crate::exit::Exit;
use crate::output;
use serde_json::Value;
use sopwith_config::schema;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Of which file
    #[arg(value_enum)]
    file: File,
}

/// A file that operators write.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum File {
    /// `sopwith.toml`
    Sopwith,
    /// `procedures/NAME.toml`
    Procedure,
}

impl File {
    fn schema(self) -> Value {
        match self {
            Self::Sopwith => schema::host(),
            Self::Procedure => schema::procedure(),
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    output::json(&arguments.file.schema())?;
    Ok(Exit::Passed)
}
