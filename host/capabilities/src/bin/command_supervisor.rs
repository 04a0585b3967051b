//! Supervises one command: what the host's binary does when it is started for that.

fn main() -> std::io::Result<()> {
    sopwith_capabilities::supervise()
}
