//! Random lives of hosts: ticks, requests, cancellations, reloads, outages, deaths and downtime.

use crate::invariants::check_all;
use crate::support::{Fault, Host, Seeded, World, every_minute, procedure, retried, scheduled, using_app};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use sopwith_core::grant::Access;
use sopwith_core::port::operations::Operations as _;
use sopwith_core::port::{Clock as _, PauseScope};
use sopwith_core::procedure::Procedure;
use sopwith_core::retry::Retry;
use sopwith_core::run::AttemptEnd;
use sopwith_core::schedule::{After, AfterOn, Calendar, CatchUp, Outside, Overlap, Span, When};
use std::time::Duration;

/// How many lives are tried, and how much happens in each.
const LIVES: u64 = 200;
const LIVES_IN_SOAK: u64 = 10_000;
const EVENTS: usize = 60;

/// Those that are always there, so that each of their ticks has to be covered.
fn lasting() -> Vec<Procedure> {
    let mut restore = retried(scheduled("restore", "restore", "*/7 * * * *", CatchUp::Latest), 2);
    restore.retry = Retry {
        on: [AttemptEnd::Failed, AttemptEnd::TimedOut, AttemptEnd::Lost].into(),
        ..restore.retry
    };
    let mut smoke = scheduled("smoke", "check", "* * * * *", CatchUp::Latest);
    smoke.pause_after_failures = Some(4);
    let mut procedures = vec![
        smoke,
        using_app(
            retried(scheduled("backup", "backup", "*/3 * * * *", CatchUp::None), 1),
            &Access::Read,
        ),
        using_app(restore, &Access::Replace),
        using_app(procedure("drill", "restore"), &Access::Replace),
    ];
    procedures.extend(under_rules());
    // What others call, and nobody else asks for.
    procedures.push(procedure("called", "backup"));
    procedures
}

/// Those with a rule of their own for what is late, early or too much.
fn under_rules() -> [Procedure; 5] {
    let windows = |outside| {
        let span = |from, to| Span::parse(None, Some(from), Some(to)).unwrap();
        let windows = vec![
            span("00:00", "00:40"),
            span("01:30", "02:15"),
            span("22:00", "23:00"),
        ];
        let blackouts = vec![span("00:10", "00:20")];
        Some(Calendar::new(
            TimeZone::UTC,
            windows,
            blackouts,
            [].into(),
            outside,
        ))
    };
    [
        every_minute("queue", "check", |schedule| {
            schedule.overlap = Overlap::QueueOne;
            schedule.deadline = Some(SignedDuration::from_secs(100));
        }),
        every_minute("replace", "backup", |schedule| {
            schedule.overlap = Overlap::Replace;
            schedule.jitter = SignedDuration::from_secs(50);
        }),
        every_minute("allow", "check", |schedule| {
            schedule.overlap = Overlap::Allow { max: 2 };
            schedule.catch_up = CatchUp::All {
                max: 5,
                window: SignedDuration::from_mins(30),
            };
            schedule.calendar = windows(Outside::Skip);
        }),
        every_minute("defer", "check", |schedule| {
            schedule.calendar = windows(Outside::Defer);
        }),
        every_minute("follow", "check", |schedule| {
            schedule.when = When::After(After {
                procedure: "backup".parse().unwrap(),
                action: None,
                on: AfterOn::Any,
            });
        }),
    ]
}

/// One that comes and goes.
fn passing() -> Procedure {
    retried(scheduled("passing", "check", "*/2 * * * *", CatchUp::Latest), 3)
}

struct Life {
    world: World,
    chance: Seeded,
    host: Option<Host>,
    has_passing: bool,
}

impl Life {
    fn begin(seed: u64) -> Self {
        let world = World::seeded(seed, lasting());
        world.stage.leave_to_chance(Some(Seeded::new(!seed)));
        let host = Some(world.start());
        Self {
            world,
            chance: Seeded::new(seed.rotate_left(32)),
            host,
            has_passing: false,
        }
    }

    fn host(&self) -> &Host {
        self.host.as_ref().unwrap()
    }

    fn event(&mut self) {
        match self.chance.below(23) {
            0..=6 => self.host().advance_secs(self.chance.below(120)),
            7 | 8 => self.submit(),
            9 | 10 => self.cancel(),
            11 => self.reload(),
            12 => self.outage(),
            13 => self.lose_answers(),
            14 | 15 => self.die_in_a_call(),
            16 => self.kill(),
            17 => self.stop(),
            18 => self.downtime(),
            19 | 20 => self.pause(),
            21 => self.resume(),
            _ => self.jump_ahead(),
        }
    }

    fn submit(&self) {
        let mut names = vec!["smoke", "backup", "restore", "drill", "queue", "replace", "allow"];
        names.extend(self.has_passing.then_some("passing"));
        // It may be paused.
        let _ = self.host().try_to_submit(self.chance.one_of::<&str>(&names));
        self.host().settle();
    }

    fn cancel(&self) {
        let mut runs = self.host().runs();
        runs.retain(|run| !run.state.is_final());
        if !runs.is_empty() {
            // Somebody may have asked for its end before.
            let _ = self.host().cancel(self.chance.one_of(&runs).id());
        }
    }

    fn scope(&self) -> PauseScope {
        let names = [None, Some("smoke"), Some("backup"), Some("allow"), Some("follow")];
        PauseScope {
            procedure: self.chance.one_of(&names).map(|name| name.parse().unwrap()),
            action: None,
        }
    }

    fn pause(&self) {
        let (desk, scope) = (self.host().desk(), self.scope());
        // It may be paused already.
        let _ = self
            .host()
            .ask(async { Ok::<_, ()>(desk.pause(scope, None).await) });
        self.host().advance_secs(self.chance.below(200));
    }

    fn resume(&self) {
        let (desk, scope) = (self.host().desk(), self.scope());
        // It may not be paused.
        let _ = self.host().ask(async { Ok::<_, ()>(desk.resume(scope).await) });
    }

    fn reload(&mut self) {
        self.has_passing ^= true;
        let mut procedures = lasting();
        procedures.extend(self.has_passing.then(passing));
        let places = 1 + u32::try_from(self.chance.below(4)).unwrap();
        self.world.edit(procedures, places, self.host.as_ref());
    }

    fn outage(&self) {
        self.host().faults().break_all(true);
        self.host().advance_secs(self.chance.below(90));
        self.host().faults().clear();
    }

    fn lose_answers(&self) {
        for call in [
            "claim",
            "attempt_started",
            "succeeded",
            "attempt_failed",
            "cancelled",
        ] {
            if self.chance.below(3) == 0 {
                self.host().faults().next(call, Fault::AnswerLost);
            }
        }
        self.host().advance_secs(self.chance.below(60));
        self.host().faults().clear();
    }

    /// The record's calls are where a death matters, so it comes around one of them.
    fn die_in_a_call(&mut self) {
        let calls = usize::try_from(self.chance.below(40)).unwrap();
        let death = *self.chance.one_of(&[Fault::DeathBefore, Fault::DeathAfter]);
        self.host().faults().any(calls, death);
        for _ in 0..30 {
            if self.host().faults().is_dead() {
                break;
            }
            self.host().advance_secs(10);
        }
        self.kill();
    }

    fn kill(&mut self) {
        self.host.take().unwrap().kill();
        self.host = Some(self.world.start());
    }

    fn stop(&mut self) {
        let grace = Duration::from_secs(self.chance.below(60));
        self.host.take().unwrap().shut_down(grace);
        self.host = Some(self.world.start());
    }

    fn downtime(&mut self) {
        self.host.take().unwrap().kill();
        let slept = Duration::from_secs(self.chance.below(4 * 3_600));
        self.world.clock.go_to(self.world.clock.monotonic() + slept);
        self.host = Some(self.world.start());
    }

    fn jump_ahead(&self) {
        let seconds = i64::try_from(self.chance.below(1_200)).unwrap();
        self.world.clock.turn(SignedDuration::from_secs(seconds));
        self.host().advance_secs(1);
    }

    /// Lets everything come to its end: nothing fails any more, and nothing new falls due.
    fn come_to_rest(&self) {
        self.world.stage.leave_to_chance(None);
        let host = self.host();
        let desk = host.desk();
        // It may not be paused.
        let _ = host.ask(async { Ok::<_, ()>(desk.resume(PauseScope::HOST).await) });
        // A claim whose answer was lost a moment ago is made again.
        host.advance_secs(2);
        host.stop_scheduling();
        host.advance(Duration::from_mins(30));
        // What waits is woken by nobody any more, and neither is what waits for that.
        for run in host.runs() {
            if run.state.is_waiting() {
                // It may have ended with the one before it.
                let _ = host.cancel(run.id());
            }
        }
        host.advance(Duration::from_mins(30));
    }
}

fn live(seed: u64) {
    eprintln!("seed {seed}");
    let mut life = Life::begin(seed);
    let since = life.world.clock.now();
    for _ in 0..EVENTS {
        life.event();
    }
    life.come_to_rest();
    check_all(&life.world, life.host(), since, &lasting());
}

#[test]
fn whatever_happens_no_tick_is_lost_and_nothing_is_done_twice() {
    let is_soak = std::env::var("SOPWITH_TEST_TIER").is_ok_and(|tier| tier == "soak");
    let first = std::env::var("SOPWITH_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    match first {
        Some(seed) => live(seed),
        None if is_soak => (0..LIVES_IN_SOAK).for_each(live),
        None => {
            let of_day = sopwith_fuzz::seed() * LIVES;
            (of_day..of_day + LIVES).for_each(live);
        }
    }
}
