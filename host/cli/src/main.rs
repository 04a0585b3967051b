//! The binary `sopwith`.

fn main() -> std::process::ExitCode {
    sopwith_cli::main()
}
