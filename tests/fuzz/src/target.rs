//! A fuzz target: its corpus, its time, and the loop that tries case after case.

use crate::case::Case;
use crate::kept;
use crate::watch::{Watch, now};
use proptest::strategy::{BoxedStrategy, Strategy as _};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long new cases are tried.
const BRIEFLY: Duration = Duration::from_secs(1);
const IN_SOAK: Duration = Duration::from_mins(10);
/// How long a case that breaks the property is made smaller.
const SHRINKING: Duration = Duration::from_mins(1);
/// How much time of the processor one case may take, without any optimisation. A file that is sixteen times as
/// large as the largest case is then read soon enough, unless the time grows by more than the size.
const CASE_MAX: Duration = Duration::from_secs(3);
/// A case that takes as long is given up, and the process with it.
const GIVEN_UP_AFTER: Duration = Duration::from_mins(1);

/// A property that is tried on a corpus and on what is made of it.
#[derive(Debug, Clone)]
pub struct Target {
    name: &'static str,
    corpus: PathBuf,
}

impl Target {
    /// A target whose corpus is this folder. The name is part of the seed and of what is printed.
    pub fn new(name: &'static str, corpus: impl Into<PathBuf>) -> Self {
        Self {
            name,
            corpus: corpus.into(),
        }
    }

    /// The cases of the corpus, of which new ones are made.
    pub fn corpus<C: Case>(&self) -> Vec<C> {
        let kept = kept::all(&self.corpus);
        kept.into_iter().map(|(_, case)| case).collect()
    }

    /// Tries the property, which panics where it does not hold: on the corpus, and then on new cases
    /// until the time is over. It says in a word what came of a case; how often it said which is printed,
    /// so that cases that all come to the same are noticed.
    ///
    /// The time is a second, ten minutes where `SOPWITH_TEST_TIER` is `soak`, and `SOPWITH_FUZZ_SECONDS`
    /// where that is set. What is tried depends on `SOPWITH_TEST_SEED`, or on the day.
    pub fn run<C: Case>(&self, cases: &BoxedStrategy<C>, holds: impl Fn(&C) -> &'static str) {
        let seed = seed();
        println!("SOPWITH_TEST_SEED={seed}");
        let watch = Watch::start(self.name, GIVEN_UP_AFTER);
        let (tried, slowest) = (RefCell::new(BTreeMap::new()), Cell::new(Duration::ZERO));
        let attempt = |case: &C| {
            watch.begin(&case.written());
            let held = catch_unwind(AssertUnwindSafe(|| holds(case)));
            let took = watch.end();
            let came_to = held.unwrap_or_else(|panic| resume_unwind(panic));
            assert!(took <= CASE_MAX, "it took {took:?}");
            *tried.borrow_mut().entry(came_to).or_insert(0_u64) += 1;
            slowest.set(slowest.get().max(took));
        };
        for (file, case) in kept::all::<C>(&self.corpus) {
            let held = catch_unwind(AssertUnwindSafe(|| attempt(&case)));
            held.unwrap_or_else(|_| panic!("`{}` breaks the property", file.display()));
        }
        let mut runner = self.runner(seed);
        let (began, time) = (now(), time());
        while began.elapsed() < time {
            let case = cases.new_tree(&mut runner).expect("a case");
            let outcome = runner.run_one(case, |case| {
                attempt(&case);
                Ok::<(), TestCaseError>(())
            });
            if let Err(TestError::Fail(why, case)) = outcome {
                self.found(&case, &format!("{why}"));
            }
        }
        let (tried, took, slowest) = (tried.into_inner(), began.elapsed(), slowest.get());
        let cases: u64 = tried.values().sum();
        println!(
            "{}: {cases} cases in {took:?}, the slowest took {slowest:?}: {tried:?}",
            self.name
        );
    }

    fn runner(&self, seed: u64) -> TestRunner {
        let config = Config {
            failure_persistence: None,
            max_shrink_iters: u32::MAX,
            max_shrink_time: u32::try_from(SHRINKING.as_millis()).unwrap_or(u32::MAX),
            ..Config::default()
        };
        let mut bytes = [0; 32];
        let name = self.name.bytes().chain(std::iter::repeat(0));
        bytes
            .iter_mut()
            .zip(name)
            .for_each(|(byte, of_name)| *byte = of_name);
        bytes[24..].copy_from_slice(&seed.to_le_bytes());
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        TestRunner::new_with_rng(config, random)
    }

    fn found<C: Case>(&self, case: &C, why: &str) {
        let kept = match kept::keep::<C>(&self.corpus, &case.written()) {
            Ok(file) => format!("kept in `{}`", file.display()),
            Err(error) => format!("not kept: {error}"),
        };
        panic!("{}: {why}\n{case:#?}\nThe case is {kept}.", self.name);
    }
}

fn time() -> Duration {
    let asked = std::env::var("SOPWITH_FUZZ_SECONDS").ok();
    let is_soak = std::env::var("SOPWITH_TEST_TIER").is_ok_and(|tier| tier == "soak");
    match asked.and_then(|seconds| seconds.parse().ok()) {
        Some(seconds) => Duration::from_secs(seconds),
        None if is_soak => IN_SOAK,
        None => BRIEFLY,
    }
}

/// The seed of the day, or the one in `SOPWITH_TEST_SEED`.
pub fn seed() -> u64 {
    let given = std::env::var("SOPWITH_TEST_SEED").ok();
    #[expect(clippy::disallowed_methods, reason = "the seed of the day")]
    let today = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs() / 86_400)
    };
    given.and_then(|seed| seed.parse().ok()).unwrap_or_else(today)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::edited;
    use std::fs;

    /// What a run says when it breaks on the word `bad`.
    fn broken(target: &Target) -> String {
        let cases = edited(target.corpus(), &["bad"]).boxed();
        let holds = |text: &String| {
            assert!(!text.contains("bad"), "it is bad");
            "good"
        };
        let run = || target.run(&cases, holds);
        let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("a case that breaks the property");
        panic.downcast_ref::<String>().expect("a message").clone()
    }

    #[test]
    fn a_case_that_breaks_the_property_is_made_small_kept_and_tried_first() {
        let corpus = tempfile::tempdir().expect("a folder");
        fs::write(corpus.path().join("good.txt"), "one two\nthree").expect("a case");
        let target = Target::new("self", corpus.path());
        let said = broken(&target);
        assert!(said.contains("it is bad") && said.contains("kept in"), "{said}");
        let mut names: Vec<_> = fs::read_dir(corpus.path()).expect("the folder").collect();
        assert_eq!(names.len(), 2, "{names:?}");
        names.retain(|name| name.as_ref().is_ok_and(|name| name.file_name() != "good.txt"));
        let found = names.pop().expect("a name").expect("an entry").path();
        let text = fs::read_to_string(&found).expect("a text");
        // One edit is left of those that made it.
        assert!(
            text.len() <= "one two\nthree".len() + 3 && text.contains("bad"),
            "{text}"
        );
        let again = broken(&target);
        assert!(
            again.contains("found-") && again.contains("breaks the property"),
            "{again}"
        );
    }
}
