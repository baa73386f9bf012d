"""The report of a crash test: Markdown for people, plain values for machines."""

from collections import Counter
from typing import Any

from deployments.crash.episodes import FLOW
from deployments.crash.result import Result


def as_json(result: Result) -> dict[str, Any]:
    """Everything as plain values."""
    return {
        "seed": result.seed,
        "rounds": result.rounds,
        "killed": result.killed,
        "command": result.command,
        "equal": not result.faults,
        "interrupted": result.interrupted,
        "seconds": round(result.seconds, 1),
        "archive": result.archive,
        "kills": [
            {"scenario": kill.scenario, "victim": kill.victim, "place": kill.place, "count": count}
            for kill, count in sorted(result.kills.items(), key=lambda item: str(item[0]))
        ],
        "boundaries": {
            title: {"known": count, "hit": len(result.hit.get(title, ()))} for title, count in result.boundaries.items()
        },
        "episodes": dict(result.episodes),
        "counted": {title: dict(counts) for title, counts in result.counted.items()},
        "expected": {title: dict(counts) for title, counts in result.expected.items()},
        "unclear": result.unclear,
        "kills_with_a_mail_in_hand": result.in_hand,
        "recoveries": [{"victims": victims, "seconds": round(seconds, 1)} for victims, seconds in result.recoveries],
        "notes": result.notes,
        "faults": result.faults,
    }


def verdict(result: Result) -> str:
    """One sentence."""
    if result.faults:
        return f"{len(result.faults)} Abweichungen nach {result.killed} Kills."
    if result.interrupted:
        return f"Abgebrochen nach {result.killed} Kills; bis dahin war jeder Endstand gleich."
    return f"{result.killed} Kills, jeder Endstand gleich dem ungestörten Lauf."


def markdown(result: Result) -> str:
    """The whole report."""
    lines = [
        "# Absturztest",
        "",
        f"**{verdict(result)}** {result.unclear} unklare Mails, keine doppelt zugestellt."
        if not result.faults
        else f"**{verdict(result)}**",
        "",
        f"- Wiederholen: `{result.command}`",
        f"- Dauer {result.seconds:.0f} s, Archiv: {result.archive}, Mailserver: SMTP-Senke auf diesem Rechner",
        f"- {result.in_hand} Kills trafen einen Flow-Prozess, der eine Mail übergab; nur dabei darf ein Zweifel bleiben.",
        "",
    ]
    parts = [_faults(result), _victims(result), _places(result), _ends(result), _recoveries(result)]
    return "\n".join([*lines, *(line for part in parts for line in part)]).rstrip() + "\n"


def _table(title: str, headings: tuple[str, ...], rows: list[tuple[object, ...]]) -> list[str]:
    if not rows:
        return []
    shown = [" | ".join(map(str, row)) for row in rows]
    return [
        f"## {title}",
        "",
        f"| {' | '.join(headings)} |",
        f"|{'---|' * len(headings)}",
        *(f"| {row} |" for row in shown),
        "",
    ]


def _faults(result: Result) -> list[str]:
    return ["## Abweichungen", "", *(f"- {fault}" for fault in result.faults), ""] if result.faults else []


def _victims(result: Result) -> list[str]:
    found: Counter[tuple[str, str]] = Counter()
    for kill, count in result.kills.items():
        found[kill.scenario, kill.victim] += count
    rows: list[tuple[object, ...]] = []
    for (scenario, victim), count in sorted(found.items()):
        known, hit = result.boundaries.get(scenario), len(result.hit.get(scenario, ()))
        covered = f"{hit} von {known}" if known and victim == FLOW else "–"
        rows.append((scenario, victim, count, covered, result.episodes[scenario]))
    return _table("Wer getötet wurde", ("Szenario", "Opfer", "Kills", "Schrittgrenzen", "Durchläufe"), rows)


def _places(result: Result) -> list[str]:
    found: Counter[tuple[str, str]] = Counter()
    for kill, count in result.kills.items():
        found[kill.victim, "Zeitpunkt" if kill.place.startswith("Zeitpunkt") else kill.place] += count
    return _table("Wo", ("Opfer", "Stelle", "Kills"), [(*where, count) for where, count in found.most_common()])


def _ends(result: Result) -> list[str]:
    rows: list[tuple[object, ...]] = []
    for title, counts in result.counted.items():
        for word, count in counts.items():
            expected = result.expected[title][word]
            if count or expected:
                rows.append((title, word, count, expected))
    return _table("Was am Ende da war (alle Durchläufe)", ("Szenario", "Was", "gezählt", "ungestört"), rows)


def _recoveries(result: Result) -> list[str]:
    rows: list[tuple[object, ...]] = [(victims, f"{seconds:.0f} s") for victims, seconds in result.recoveries]
    lines = _table("Dienste: vom letzten Kill, bis alles getan war", ("getötet", "Dauer"), rows)
    return [*lines, *(f"- {note}" for note in result.notes), ""] if result.notes else lines
