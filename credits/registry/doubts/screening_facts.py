"""What the visits of others say of a mine site, topic by topic, with the day on which it was seen. Pure.

Each topic takes the newest visit that answered it: an empty cell means not asked or not known, never no. Where an
older visit said yes and a newer one no, both are told. Flags are questions for a reviewer, not verdicts.

Source of the data: IPIS, ODC-BY 1.0.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from credits.registry.mines.observed import ObservedSite, SiteObservation

Cells = Mapping[str, str]

# As IPIS writes them, to the codes of the registry.
MINERALS = {
    "or": "AU",
    "cobalt": "CO",
    "cuivre": "CU",
    "lithium": "LI",
    "cassitérite": "SN",
    "coltan": "TA",
    "wolframite": "W",
    "monazite": "REE",
}
COLOURS = {"vert": "green", "jaune": "yellow", "rouge": "red", "not class": "unclassified", "no class": "unclassified"}
SCHEME = {"actif": "active", "suspendu": "suspended"}
_ACTS = "taxation commerce_taxation entrance_taxation monopoly buying_minerals digging forced_labour pillaging"
ACTS = tuple(f"{act}_armed_group{number}" for number in (1, 2) for act in _ACTS.split())


class Topic(StrEnum):
    ARMED_PRESENCE = "armed_presence"
    ARMED_INTERFERENCE = "armed_interference"
    FORCED_LABOUR = "forced_labour"
    CHILDREN = "children_under_15"
    MERCURY = "mercury"
    QUALIFICATION = "qualification"
    ITSCI = "itsci"
    WOMEN = "women"
    WORKERS = "workers"


# Yes to one of these is a flag; to the first three of zero tolerance also where a newer visit says no.
RISKS = (Topic.ARMED_INTERFERENCE, Topic.FORCED_LABOUR, Topic.CHILDREN, Topic.ARMED_PRESENCE, Topic.MERCURY)
NEVER_FORGOTTEN = RISKS[:3]
OLD_DATA = "old_data"


@dataclass(frozen=True)
class Seen:
    """What is known of one topic. value: "yes", "no", "unknown", a colour, a status, or a number of workers.

    on: the day of the visit that says so. old: whether that is longer ago than the policy allows.
    detail: what else was written down, in the source's language. before: the last day on which an older visit said
    yes, where the newest answer is no.
    """

    topic: Topic
    value: str
    on: date | None = None
    old: bool = False
    detail: str = ""
    before: date | None = None


@dataclass(frozen=True)
class Flag:
    """A question that the data raise. code: the topic and, where needed, the answer: "qualification_red"."""

    code: str
    on: date | None
    detail: str = ""


def seen_at(site: ObservedSite, *, old_before: date) -> list[Seen]:
    """All topics in the order of `Topic`. old_before: what was seen earlier is old."""
    visits = [(visit.visited_on, visit.recorded) for visit in reversed(site.observations)]
    return [_newest(topic, visits, old_before) for topic in Topic]


def flags_of(site: ObservedSite, *, old_before: date) -> list[Flag]:
    """What a reviewer has to ask about, gravest first."""
    seen = {each.topic: each for each in seen_at(site, old_before=old_before)}
    flags = [Flag(topic.value, seen[topic].on, seen[topic].detail) for topic in RISKS if seen[topic].value == "yes"]
    flags += [Flag(f"{topic.value}_earlier", seen[topic].before) for topic in NEVER_FORGOTTEN if seen[topic].before]
    colour, scheme = seen[Topic.QUALIFICATION], seen[Topic.ITSCI]
    if colour.value in ("red", "yellow"):
        flags.append(Flag(f"qualification_{colour.value}", colour.on))
    if scheme.value == "suspended":
        flags.append(Flag("itsci_suspended", scheme.on))
    if site.observations and site.observations[-1].visited_on < old_before:
        flags.append(Flag(OLD_DATA, site.observations[-1].visited_on))
    return flags


def minerals_of(cells: Cells) -> list[str]:
    """The codes of the minerals that a visit names and the registry knows, the main one first."""
    named = (cells.get(f"mineral{number}", "").strip().casefold() for number in (1, 2, 3))
    return list(dict.fromkeys(MINERALS[name] for name in named if name in MINERALS))


def minerals_seen(visits: Sequence[SiteObservation]) -> list[str]:
    """The codes of all minerals that were seen, of the newest visit first."""
    return list(dict.fromkeys(code for visit in reversed(visits) for code in minerals_of(visit.recorded)))


def _newest(topic: Topic, visits: Sequence[tuple[date, Cells]], old_before: date) -> Seen:
    """The newest answer to one topic. visits: newest first."""
    answers = [(day, value, cells) for day, cells in visits if (value := ANSWERS[topic](cells))]
    if not answers:
        return Seen(topic, "unknown")
    day, value, cells = answers[0]
    before = next((earlier for earlier, said, _ in answers if said == "yes"), None) if value == "no" else None
    return Seen(topic, value, day, day < old_before, DETAILS.get(topic, _nothing)(cells), before)


def _yes_or_no(*columns: str) -> Callable[[Cells], str]:
    """Yes if one of these columns says so, no if at least one says no, nothing otherwise."""

    def answer(cells: Cells) -> str:
        said = {cells.get(column, "").strip() for column in columns}
        return "yes" if "1" in said else "no" if "0" in said else ""

    return answer


def _interference(cells: Cells) -> str:
    said = cells.get("interference", "").strip()
    if said == "1" or any(cells.get(act, "").strip() == "1" for act in ACTS):
        return "yes"
    return "no" if said == "0" else ""


def _word(column: str, words: Mapping[str, str]) -> Callable[[Cells], str]:
    return lambda cells: words.get(cells.get(column, "").strip().casefold(), "")


def _workers(cells: Cells) -> str:
    counted = cells.get("workers_numb", "").strip()
    return str(int(counted)) if counted.isascii() and counted.isdigit() else ""


def _groups(cells: Cells) -> str:
    named = []
    for number in (1, 2):
        group, kind = (cells.get(f"{name}{number}", "").strip() for name in ("armed_group", "type_armed_group"))
        kind = "" if kind == "0" else kind
        named += [f"{group} ({kind})" if group and kind else group or kind]
    return ", ".join(filter(None, named))


def _cell(column: str) -> Callable[[Cells], str]:
    return lambda cells: " ".join(cells.get(column, "").split())


def _nothing(cells: Cells) -> str:
    return ""


ANSWERS: dict[Topic, Callable[[Cells], str]] = {
    Topic.ARMED_PRESENCE: _yes_or_no("presence"),
    Topic.ARMED_INTERFERENCE: _interference,
    Topic.FORCED_LABOUR: _yes_or_no("forced_labour_armed_group1", "forced_labour_armed_group2"),
    Topic.CHILDREN: _yes_or_no("childunder15"),
    Topic.MERCURY: _yes_or_no("mercury"),
    Topic.QUALIFICATION: _word("qualification", COLOURS),
    Topic.ITSCI: _word("itsci", SCHEME),
    Topic.WOMEN: _yes_or_no("women"),
    Topic.WORKERS: _workers,
}
DETAILS: dict[Topic, Callable[[Cells], str]] = {
    Topic.ARMED_PRESENCE: _groups,
    Topic.ARMED_INTERFERENCE: _groups,
    Topic.FORCED_LABOUR: _groups,
    Topic.CHILDREN: _cell("childunder15work"),
    Topic.WOMEN: _cell("womenwork"),
}
