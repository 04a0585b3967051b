"""Says which instants cron lines name around changes of clocks, by code that is not ours.

croniter says which dates and times a line names, the zoneinfo module what clocks show; the rules for what
clocks leave out and repeat are stated here anew. host/core/src/schedule/oracle.rs compares. Prints the
golden file; `schedules.py ZONE CLASS INSTANT` prints the instants around one change.
"""

import hashlib
import sys
import zoneinfo
from datetime import datetime, timedelta, timezone
from functools import cache
from importlib.metadata import version

import tzdata
from croniter import croniter

zoneinfo.reset_tzpath([])  # The pinned package, and never the operating system's files.

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
YEARS = range(2000, 2038)

# Class, line as croniter reads it, hours before and after a change.
CLASSES = [
    ("every-minute", "* * * * *", 3),
    ("hourly", "17 * * * *", 36),
    ("fixed-time", "30 2 * * *", 36),
    ("at-word", "@daily", 36),
    ("list", "15,45 1,2,3 * * *", 36),
    ("range", "0 0-4 * * *", 36),
    ("step", "*/20 */2 * * *", 36),
    ("either-day", "30 2 1,15 * SUN", 36),
    ("month-end", "30 2 L * *", 36),
    ("nth-weekday", "30 1 * * SUN#2,L7", 36),
    ("names", "15 0,3 * MAR,OCT-NOV SUN", 36),
    ("leap-day", "30 23 29 2 *", 36),
]

# Where croniter's own reading of time zones is looked at.
SAMPLE = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Pacific/Apia",
]


def offset(zone, instant):
    return instant.replace(tzinfo=timezone.utc).astimezone(zone).utcoffset()


def shown(zone, instant):
    return instant + offset(zone, instant)


@cache
def named_times(line, day):
    """All dates and times that a line names on a day, by croniter and without a zone."""
    start = datetime(day.year, day.month, day.day)
    found, names = [], croniter(line, start - MINUTE)
    while (at := names.get_next(datetime)) < start + DAY:
        found.append(at)
    return found


def changes(zone):
    """All changes of clocks: instant, offset before, offset after; instants are naive and in UTC."""
    found, step = [], 12 * HOUR
    low = datetime(YEARS[0], 1, 1)
    before = offset(zone, low)
    while low < datetime(YEARS[-1] + 1, 1, 1):
        after = offset(zone, low + step)
        if after != before:
            first, last = low, low + step
            while last - first > timedelta(seconds=1):
                middle = first + (last - first) // 2
                middle = middle.replace(microsecond=0)
                first, last = (middle, last) if offset(zone, middle) == before else (first, middle)
            found.append((last, before, after))
        low, before = low + step, after
    return [change for change in found if change[0].year in YEARS]


def showing(zone, wanted):
    """The instants at which clocks show this date and time, oldest first."""
    folds = (wanted.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return sorted({wanted - by for by in folds if shown(zone, wanted - by) == wanted})


def exists(zone, day):
    midnight = datetime(day.year, day.month, day.day)
    return any(showing(zone, midnight + part * 30 * MINUTE) for part in range(48))


def instants(zone, all_changes, line, after, until):
    """The instants of a line later than `after` up to and with `until`, by the documented rules."""
    clock_fields = "0 0" if line == "@daily" else " ".join(line.split()[:2])
    interval = any(sign in clock_fields for sign in "*/?")
    offsets = [offset(zone, after), offset(zone, until)]
    first, last = after + min(offsets), until + max(offsets)
    days = range((last.date() - first.date()).days + 1)
    found = set()
    for wanted in (at for n in days for at in named_times(line, first.date() + n * DAY)):
        if not first - HOUR <= wanted <= last + HOUR:
            continue
        at = showing(zone, wanted)
        if interval:
            found.update(at)  # Real spacing: what is repeated counts twice, what is left out not at all.
        elif at:
            found.add(at[0])  # Once a local day: the first occurrence.
        elif exists(zone, wanted.date()):
            # Left out: the first instant after the gap.
            found.update(
                change
                for change, before, after_it in all_changes
                if change + before <= wanted < change + after_it
            )
    return sorted(at for at in found if after < at <= until)


def themselves(name, line, after, until):
    """What croniter makes of a line in a zone by its own rules."""
    zone = zoneinfo.ZoneInfo(name)
    names = croniter(line, after.replace(tzinfo=timezone.utc).astimezone(zone))
    found = []
    while True:
        at = names.get_next(datetime).astimezone(timezone.utc).replace(tzinfo=None)
        if at > until:
            return found
        found.append(at)


def windows(all_changes):
    """Where is looked: at each change of clocks and at each leap day."""
    leap_days = [datetime(year, 2, 29, 12) for year in YEARS if year % 4 == 0]
    return sorted(set(leap_days) | {change for change, _, _ in all_changes})


def check(found):
    """The first two bytes of the SHA-256 of the instants, each as eight bytes: seconds since 1970."""
    epoch = datetime(1970, 1, 1)
    seconds = b"".join(((at - epoch) // timedelta(seconds=1)).to_bytes(8, "big") for at in found)
    return hashlib.sha256(seconds).hexdigest()[:4]


def rows(zone, all_changes):
    """One row a class: how many instants, and the check of each window."""
    yield "changes", len(all_changes), "".join(check([change]) for change, _, _ in all_changes)
    for kind, line, hours in CLASSES:
        looked = [
            instants(zone, all_changes, line, at - hours * HOUR, at + hours * HOUR)
            for at in windows(all_changes)
        ]
        yield kind, sum(map(len, looked)), "".join(map(check, looked))


def golden():
    print(f"tzdata\t{tzdata.IANA_VERSION}\ncroniter\t{version('croniter')}")
    for kind, line, hours in CLASSES:
        differ = total = 0
        for name in SAMPLE:
            zone = zoneinfo.ZoneInfo(name)
            all_changes = changes(zone)
            for at in windows(all_changes):
                window = (at - hours * HOUR, at + hours * HOUR)
                ours = instants(zone, all_changes, line, *window)
                differ += ours != themselves(name, line, *window)
                total += 1
        print(f"class\t{kind}\t{line}\t{hours}\t{differ}\t{total}")
    known = {}
    for name in sorted(zoneinfo.available_timezones()):
        zone = zoneinfo.ZoneInfo(name)
        all_changes = changes(zone)
        # Zones of the same changes name the same instants.
        key = (offset(zone, datetime(YEARS[0], 1, 1)), *all_changes)
        if key not in known:
            known[key] = list(rows(zone, all_changes))
        for row in known[key]:
            print(name, *row, sep="\t")


def explain(name, kind, text):
    zone = zoneinfo.ZoneInfo(name)
    line, hours = next((line, hours) for known, line, hours in CLASSES if known == kind)
    at = datetime.fromisoformat(text.removesuffix("Z"))
    for found in instants(zone, changes(zone), line, at - hours * HOUR, at + hours * HOUR):
        print(f"{found.isoformat()}Z", shown(zone, found).isoformat(), sep="\t")


if len(sys.argv) == 4:
    explain(*sys.argv[1:])
else:
    golden()
