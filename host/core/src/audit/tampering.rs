//! Whatever is done to an export, the first bad line is named.

use super::fixture::{OTHER, OWN, at, chain, checkpoint, export};
use super::{
    Anchors, Checked, ExportVerifier, Found, Line, Signer as _, Summary, Trust, Unsound, check_line,
    entry_line,
};
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, proptest};
use proptest::sample::Index;

fn trust() -> Trust {
    Trust::Keys([OWN.public_key()].into())
}

fn verify(file: &[u8], trust: &Trust, anchors: &Anchors) -> Result<Summary, Found> {
    let mut verifier = ExportVerifier::new(anchors.clone());
    for line in file.split_inclusive(|byte| *byte == b'\n') {
        verifier.take(match line.strip_suffix(b"\n") {
            Some(line) => check_line(line, trust),
            None => Err("it has no end".into()),
        })?;
    }
    verifier.finish()
}

fn checked(line: &[u8]) -> Result<Checked, Unsound> {
    match line.strip_suffix(b"\n") {
        Some(line) => check_line(line, &trust()),
        None => Err("it has no end".into()),
    }
}

fn found(lines: &[Vec<u8>]) -> Found {
    verify(&lines.concat(), &trust(), &Anchors::default()).unwrap_err()
}

/// The number of the line that holds this entry.
fn line_of(lines: &[Vec<u8>], seq: u64) -> usize {
    let number = format!("\"seq\":{seq}}}");
    let is_it = |line: &Vec<u8>| {
        let text = str::from_utf8(line).unwrap();
        text.starts_with("{\"entry\"") && text.contains(&number)
    };
    lines.iter().position(is_it).unwrap() + 1
}

#[test]
fn an_untouched_export_holds() {
    for (length, retired) in [(1, 0), (7, 0), (40, 0), (40, 12), (1_000, 0)] {
        let summary = verify(
            &export(length, 5, retired).concat(),
            &trust(),
            &Anchors::default(),
        )
        .unwrap();
        assert_eq!(summary.entries + summary.retired, length);
        assert_eq!((summary.retired, summary.redacted), (retired as u64, 1));
    }
}

/// What is found in the rest of a file, the lines before it being sound.
fn found_after(before: &ExportVerifier, rest: &[u8]) -> Option<Found> {
    let mut verifier = before.clone();
    let mut lines = rest.split_inclusive(|byte| *byte == b'\n');
    let found = lines.find_map(|line| verifier.take(checked(line)).err());
    found.or_else(|| verifier.finish().err())
}

/// Flips one bit of bytes of each line: of all where `step` is 1, of every so many otherwise.
fn flip(lines: &[Vec<u8>], step: usize, seed: usize) {
    let file = lines.concat();
    let mut verifier = ExportVerifier::new(Anchors::default());
    let mut start = 0;
    for (line, number) in lines.iter().zip(1..) {
        for at in (seed % step..line.len()).step_by(step) {
            let mut rest = file[start..].to_vec();
            // Two lines are enough: what is wrong has to show on the first.
            rest.truncate(line.len() * 3);
            rest[at] ^= 1 << ((at + seed) % 8);
            let found = found_after(&verifier, &rest).unwrap();
            assert_eq!(
                found.line, number,
                "seed {seed}, byte {at} of line {number}: {found}"
            );
        }
        verifier.take(checked(line)).unwrap();
        start += line.len();
    }
}

#[test]
fn each_flip_of_a_bit_is_found_on_its_line() {
    for bit in 0..8 {
        flip(&export(12, 5, 4), 1, bit);
    }
}

#[test]
fn what_is_wrong_with_a_checkpoint_is_told_of_the_entry_before_it() {
    let lines = export(12, 5, 0);
    let is_checkpoint = |line: &Vec<u8>| line.starts_with(b"{\"checkpoint\"");
    let mut last_entry = None;
    for index in 1..lines.len() {
        let mut flipped = lines.clone();
        let middle = lines[index].len() / 2;
        flipped[index][middle] ^= 1;
        let seen = found(&flipped);
        if is_checkpoint(&lines[index]) {
            assert_eq!(seen.seq, last_entry, "{seen}");
            assert!(seen.what.starts_with("its checkpoint: "), "{seen}");
        } else {
            last_entry = Some(last_entry.unwrap_or(0) + 1);
            assert_eq!(seen.seq, last_entry, "{seen}");
        }
    }
    // Where the line cannot even be told to be a checkpoint, the header tells that it has to be one.
    let mut flipped = lines.clone();
    let last = flipped.last_mut().unwrap();
    last[3] ^= 1;
    let seen = found(&flipped);
    assert_eq!(seen.seq, Some(12), "{seen}");
}

#[test]
fn flips_in_an_export_of_a_thousand_entries_are_found_on_their_lines() {
    let is_soak = std::env::var("SOPWITH_TEST_TIER").is_ok_and(|tier| tier == "soak");
    let seed = sopwith_fuzz::seed();
    println!("SOPWITH_TEST_SEED={seed}");
    let step = if is_soak { 1 } else { 97 };
    flip(
        &export(1_000, 256, 0),
        step,
        usize::try_from(seed % 10_000).unwrap(),
    );
}

#[test]
fn each_line_that_is_deleted_doubled_or_swapped_is_found_at_its_place() {
    let lines = export(12, 5, 4);
    for index in 0..lines.len() {
        let number = index as u64 + 1;
        let mut deleted = lines.clone();
        deleted.remove(index);
        // That a checkpoint is gone shows at the next one.
        let is_checkpoint = lines[index].starts_with(b"{\"checkpoint\"");
        let seen = found(&deleted);
        assert!(
            seen.line == number || is_checkpoint && seen.what.contains("checkpoint"),
            "{number}: {seen}"
        );
        let mut doubled = lines.clone();
        doubled.insert(index, lines[index].clone());
        assert_eq!(found(&doubled).line, number + 1);
        for other in index + 1..lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(index, other);
            let seen = found(&swapped);
            assert!(
                seen.line == number || is_checkpoint && seen.line > number,
                "{number}: {seen}"
            );
        }
    }
}

#[test]
fn an_end_that_is_cut_off_is_found_wherever_it_is_cut() {
    let lines = export(12, 5, 4);
    let file = lines.concat();
    for length in 0..file.len() {
        verify(&file[..length], &trust(), &Anchors::default()).unwrap_err();
    }
    let seen = found(&lines[..line_of(&lines, 8)]);
    assert_eq!(seen.seq, Some(9), "{seen}");
    assert_eq!(
        seen.to_string(),
        format!(
            "line {}, entry 9: the file ends before it, and has to go on to entry 12: it was cut off",
            line_of(&lines, 8) + 1
        )
    );
}

#[test]
fn lines_of_a_thousand_that_are_deleted_swapped_inserted_or_cut_off_are_found() {
    let of_day = sopwith_fuzz::seed();
    println!("SOPWITH_TEST_SEED={of_day}");
    let lines = export(1_000, 256, 0);
    let is_soak = std::env::var("SOPWITH_TEST_TIER").is_ok_and(|tier| tier == "soak");
    let step = if is_soak { 1 } else { 53 };
    let first = usize::try_from(of_day % 53).unwrap() % step;
    for index in (first..lines.len() - 1).step_by(step) {
        let number = index as u64 + 1;
        let is_checkpoint = lines[index].starts_with(b"{\"checkpoint\"");
        let check = |lines: &[Vec<u8>], expected: u64, what: &str| {
            let seen = found(lines);
            let fits = seen.line == expected || is_checkpoint && seen.line > expected;
            assert!(fits, "seed {of_day}, {what} {expected}: {seen}");
        };
        let mut deleted = lines.clone();
        deleted.remove(index);
        check(&deleted, number, "deleted");
        let mut swapped = lines.clone();
        swapped.swap(index, index + 1);
        check(&swapped, number, "swapped");
        let mut inserted = lines.clone();
        let other = (index * 7 + 3) % lines.len();
        inserted.insert(index + 1, lines[other].clone());
        // Of two equal lines it is the second that is one too many.
        let is_next = other == index + 1;
        check(&inserted, number + 1 + u64::from(is_next), "inserted");
        check(&lines[..index], index as u64 + 1, "cut off");
    }
}

#[test]
fn an_entry_that_is_forged_with_its_hash_is_found_by_the_next_one() {
    let mut lines = export(12, 5, 0);
    let mut forged = chain(12)[6].clone();
    forged.entry.object = "run:evil".to_owned();
    forged.hash = forged.entry.hash();
    let index = line_of(&lines, 7) - 1;
    lines[index] = entry_line(&forged);
    assert_eq!(found(&lines).seq, Some(8));
}

#[test]
fn only_keys_that_were_named_count() {
    let file = export(12, 5, 4).concat();
    let other = Trust::Keys([OTHER.public_key()].into());
    let seen = verify(&file, &other, &Anchors::default()).unwrap_err();
    assert_eq!((seen.line, seen.seq), (1, None));
    assert!(seen.what.contains("not a key that was named"), "{seen}");
}

#[test]
fn an_anchor_tells_of_a_log_that_was_rewritten_or_cut_off_before_it_was_exported() {
    let chain = chain(30);
    let anchor = |seq: usize| Line::Checkpoint(checkpoint(&chain[seq - 1], None, &OWN)).written();
    let anchors = |text: Vec<u8>| Anchors::read(&text, &trust()).unwrap();
    let short = export(12, 5, 4).concat();
    let agrees = verify(
        &short,
        &trust(),
        &anchors([anchor(6), anchor(10), anchor(12)].concat()),
    )
    .unwrap();
    assert_eq!(agrees.anchored, 3);
    let cut = verify(&short, &trust(), &anchors(anchor(30))).unwrap_err();
    assert_eq!(cut.seq, Some(13), "{cut}");
    let mut other = chain[9].clone();
    other.entry.at = at(99);
    other.hash = other.entry.hash();
    let rewritten = Line::Checkpoint(checkpoint(&other, None, &OWN)).written();
    let seen = verify(&short, &trust(), &anchors(rewritten.clone())).unwrap_err();
    assert_eq!(seen.seq, Some(10), "{seen}");
    let twice = Anchors::read(&[anchor(10), rewritten].concat(), &trust()).unwrap_err();
    assert_eq!(twice.line, 2, "{twice}");
    let foreign = Line::Checkpoint(checkpoint(&chain[9], None, &OTHER)).written();
    assert_eq!(Anchors::read(&foreign, &trust()).unwrap_err().line, 1);
}

proptest! {
    /// Whatever is put in the place of whatever part, the file does not verify any more.
    #[test]
    fn no_other_file_verifies(
        length in 1_u64..30,
        every in 1_u64..10,
        retired in 0_usize..20,
        from in any::<Index>(),
        to in any::<Index>(),
        with in vec(any::<u8>(), 0..4),
        copied in any::<(Index, Index)>(),
    ) {
        let retired = retired.min(usize::try_from(length).unwrap() - 1);
        let file = export(length, every, retired).concat();
        verify(&file, &trust(), &Anchors::default()).unwrap();
        let part = |(one, other): (Index, Index)| {
            let (one, other) = (one.index(file.len()), other.index(file.len()));
            one.min(other)..one.max(other)
        };
        for with in [with.as_slice(), &file[part(copied)]] {
            let mut other = file.clone();
            other.splice(part((from, to)), with.iter().copied());
            if other != file {
                prop_assert!(verify(&other, &trust(), &Anchors::default()).is_err());
            }
        }
    }
}
