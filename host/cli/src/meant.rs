//! Which run somebody means who names a procedure.

use sopwith_core::failure::Failure;
use sopwith_core::port::operations::Operations;
use sopwith_core::run::Run;

/// The one run of the procedure that has not ended and fits, or whichever run is meant; `what` is said of several
/// that fit.
pub(crate) async fn the_run(
    host: &dyn Operations,
    text: &str,
    fits: impl Fn(&Run) -> bool,
    what: &str,
) -> Result<Run, Failure> {
    let unfinished = host.status().await?.unfinished.into_iter();
    let mut fitting: Vec<Run> = unfinished
        .filter(|run| run.queued.procedure.as_str() == text && fits(run))
        .collect();
    match fitting.len() {
        0 => Ok(host.run(text).await?.run),
        1 => Ok(fitting.remove(0)),
        _ => {
            let ids: Vec<_> = fitting.iter().map(|run| run.id().to_string()).collect();
            let several = Failure::invalid(format!("several runs of `{text}` {what}"));
            Err(several.hint(format!("one of {}", ids.join(", "))))
        }
    }
}
