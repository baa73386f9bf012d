"""A downloaded copy of an advisory database (OSV format) for houses without a way out to the network.

Read are the forms in which advisories are published: PyPA's `advisory-database` (YAML) and OSV's `all.zip` of an ecosystem
(JSON), as a folder or as a zip. Nothing in such a copy is trusted: a file is read up to a size and a depth, without references,
scalars stay text. A file that cannot be read is named; what it would have said is then unknown.
Source: the OSV schema (ossf.github.io/osv-schema), chapter "Evaluation".
"""

import datetime as dt
import json
import re
import zipfile
import zlib
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from kit.errors import DrehkreuzError

FILE_BYTES = 8 * 1024 * 1024
"""Most of one file that is read; the largest published ones have less than one MiB."""
TOTAL_BYTES = 4 * 1024**3
"""Most that is unpacked from one copy; a zip that was built to swell ends here."""
FILES = 500_000
"""Most files of one copy."""
DEPTH = 24
"""Deepest nesting that is read; the schema needs seven."""
_BEGINNING = Version("0.dev0")
"""Before every version that a lock can name: what OSV writes as `introduced: "0"`."""
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._/-]{0,99}")
SUFFIXES = frozenset({".json", ".yaml", ".yml"})
PYPI, BITNAMI = "PyPI", "Bitnami"
"""The ecosystems that are read: Python packages, and programs that a package of ours carries with it (Bitnami calls PostgreSQL
`postgresql` and keeps the versions of its makers)."""


class AdvisoriesError(DrehkreuzError):
    """The copy as a whole cannot be used."""


class _BrokenError(Exception):
    """One file is not what it should be; the text says what, in German."""


@dataclass(frozen=True, slots=True)
class Affected:
    """What one advisory says of one package. `ranges` holds the events of each range, each a word (`introduced`, `fixed`,
    `last_affected`, `limit`) and a version.
    """

    advisory: str
    aliases: frozenset[str]
    versions: frozenset[str]
    ranges: tuple[tuple[tuple[str, str], ...], ...]

    @property
    def fixed(self) -> frozenset[str]:
        """The versions that end a range."""
        return frozenset(version for events in self.ranges for word, version in events if word == "fixed")


@dataclass(slots=True)
class Copy:
    """A read copy: advisories by ecosystem and name, what could not be read, and how new it is.

    `read` counts the advisories of our ecosystems, the withdrawn ones among them; `newest` is the latest instant at which one
    was published or changed.
    """

    source: Path
    read: int = 0
    withdrawn: int = 0
    newest: dt.datetime | None = None
    newest_id: str = ""
    packages: dict[tuple[str, str], list[Affected]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


def read(source: Path, now: dt.datetime, wanted: Container[tuple[str, str]]) -> Copy:
    """Read a folder or a zip. `now` (aware) is the clock against which dates are checked; kept is what names `wanted` packages.

    Raises: AdvisoriesError when it is neither, or holds no advisory for our ecosystems.
    """
    copy = Copy(source)
    total = 0
    for found, (path, raw) in enumerate(_files(source), 1):
        name = "".join(sign if sign.isprintable() else "?" for sign in path)
        total += len(raw) if isinstance(raw, bytes) else FILE_BYTES
        if found > FILES or total > TOTAL_BYTES:
            raise AdvisoriesError(
                f"Meldungen {source}: mehr als {FILES} Dateien oder {TOTAL_BYTES // 1024**3} GiB. Das ist keine Sammlung von "
                "Meldungen; prüfen Sie, woher sie stammt."
            )
        try:
            _take(copy, _document(name, raw), now, wanted)
        except _BrokenError as fault:
            copy.broken.append(f"{name}: {fault}")
    if not copy.read and not copy.broken:
        raise AdvisoriesError(
            f"Meldungen {source}: Darin ist keine Meldung zu unseren Paketen (OSV-Format, YAML oder JSON, »ecosystem: PyPI«). "
            "Gebraucht wird der Ordner »vulns« der PyPA advisory-database oder die Datei all.zip von OSV für PyPI."
        )
    return copy


def _files(source: Path) -> Iterator[tuple[str, bytes | _BrokenError]]:
    try:
        if source.is_dir():
            yield from _from_folder(source)
        elif zipfile.is_zipfile(source):
            yield from _from_zip(source)
        elif source.exists():
            raise AdvisoriesError(
                f"Meldungen {source}: Das ist weder ein Ordner noch ein lesbares Zip. Laden Sie die Datei noch einmal herunter."
            )
        else:
            raise AdvisoriesError(f"Meldungen {source}: Diesen Ordner oder dieses Zip gibt es nicht. Prüfen Sie den Pfad.")
    except (OSError, zipfile.BadZipFile) as fault:
        raise AdvisoriesError(
            f"Meldungen {source}: nicht lesbar ({type(fault).__name__}). Prüfen Sie die Rechte oder laden Sie die Datei noch "
            "einmal herunter."
        ) from fault


def _wanted(path: PurePath) -> bool:
    return path.suffix.lower() in SUFFIXES and not any(part.startswith(".") for part in path.parts)


def _from_folder(source: Path) -> Iterator[tuple[str, bytes | _BrokenError]]:
    for path in sorted(source.rglob("*")):
        within = path.relative_to(source)
        if not _wanted(within) or not path.is_file():
            continue
        name = str(within)
        try:
            with path.open("rb") as content:
                yield name, _limited(content.read(FILE_BYTES + 1))
        except OSError as fault:
            yield name, _BrokenError(f"nicht lesbar ({type(fault).__name__})")


def _from_zip(source: Path) -> Iterator[tuple[str, bytes | _BrokenError]]:
    with zipfile.ZipFile(source) as archive:
        for entry in archive.infolist():
            if entry.is_dir() or not _wanted(PurePath(entry.filename)):
                continue
            try:
                with archive.open(entry) as content:
                    yield entry.filename, _limited(content.read(FILE_BYTES + 1))
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, zlib.error) as fault:
                yield entry.filename, _BrokenError(f"im Zip nicht lesbar ({type(fault).__name__})")


def _limited(raw: bytes) -> bytes | _BrokenError:
    return raw if len(raw) <= FILE_BYTES else _BrokenError(f"größer als {FILE_BYTES // 1024 // 1024} MiB")


# --- one file ------------------------------------------------------------------------------------------------------------


def _document(name: str, raw: bytes | _BrokenError) -> Any:
    if isinstance(raw, _BrokenError):
        raise raw
    try:
        text = raw.decode("utf-8-sig")
        return json.loads(text, parse_int=str, parse_float=str) if name.lower().endswith(".json") else _yaml(text)
    except UnicodeDecodeError:
        raise _BrokenError("kein UTF-8") from None
    except json.JSONDecodeError as fault:
        raise _BrokenError(f"kein JSON (Zeile {fault.lineno})") from None
    except yaml.MarkedYAMLError as fault:
        line = f" (Zeile {fault.problem_mark.line + 1})" if fault.problem_mark else ""
        raise _BrokenError(f"kein YAML{line}") from None
    except yaml.YAMLError:
        raise _BrokenError("kein YAML") from None
    except RecursionError:
        raise _BrokenError("zu tief verschachtelt") from None


def _yaml(text: str) -> Any:
    """One YAML document as dicts, lists, text and None, built from its events.

    PyYAML's own constructors are not used: libyaml's recursion ends the process on a deep document, merge keys multiply, and a
    version written 1.10 would be read as the number 1.1.
    """
    open_nodes: list[Any] = [[]]  # the last one is being filled; a mapping is first filled as a list of keys and values
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.AliasEvent):
            raise _BrokenError("Verweise (»*«) sind in Meldungen nicht vorgesehen")
        if isinstance(event, yaml.ScalarEvent):
            plain = event.style is None or event.style == ""
            open_nodes[-1].append(None if plain and event.value in {"", "~", "null"} else event.value)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(open_nodes) > DEPTH:
                raise _BrokenError("zu tief verschachtelt")
            open_nodes.append([])
        elif isinstance(event, yaml.MappingEndEvent):
            flat = open_nodes.pop()
            keys = [key for key in flat[::2] if isinstance(key, str)]
            if len(keys) * 2 != len(flat):
                raise _BrokenError("ein Schlüssel ist kein Text")
            open_nodes[-1].append(dict(zip(keys, flat[1::2], strict=True)))
        elif isinstance(event, yaml.SequenceEndEvent):
            node = open_nodes.pop()
            open_nodes[-1].append(node)
    documents = open_nodes[0]
    if len(documents) != 1:
        raise _BrokenError(f"{len(documents)} Dokumente statt eines")
    return documents[0]


def _take(copy: Copy, content: Any, now: dt.datetime, wanted: Container[tuple[str, str]]) -> None:
    """Add one advisory to the copy. Raises: _BrokenError, with nothing added."""
    if not isinstance(content, dict) or "affected" not in content:
        return  # a file of the repository that is no advisory, or one that names no package
    named = [(_package(one), one) for one in _maps(content, "affected")]
    parts = [(package, one) for package, one in named if package is not None]
    if not parts:
        return  # another ecosystem
    name = _identifier(content.get("id"), "id")
    if content.get("withdrawn"):
        copy.withdrawn += 1
        copy.read += 1
        return
    changed = _instant(content, "modified")
    told = max(changed, _instant(content, "published", changed))
    if told > now + dt.timedelta(days=1):
        raise _BrokenError(f"Datum in der Zukunft ({told:%d.%m.%Y})")
    aliases = frozenset({name, *(_identifier(alias, "aliases") for alias in _texts(content, "aliases"))})
    found = [(package, _affected(name, aliases, one)) for package, one in parts]
    for package, one in found:
        if package in wanted:
            copy.packages.setdefault(package, []).append(one)
    copy.read += 1
    if copy.newest is None or told > copy.newest:
        copy.newest, copy.newest_id = told, name


def _package(affected: dict[str, Any]) -> tuple[str, str] | None:
    """Ecosystem and normalised name, if it is an ecosystem of ours."""
    package = affected.get("package")
    if not isinstance(package, dict) or not isinstance(package.get("name"), str):
        return None
    ecosystem = str(package.get("ecosystem")).partition(":")[0]
    return (ecosystem, canonicalize_name(package["name"])) if ecosystem in {PYPI, BITNAMI} else None


def _affected(advisory: str, aliases: frozenset[str], one: dict[str, Any]) -> Affected:
    ranges = tuple(_events(part) for part in _maps(one, "ranges") if part.get("type") in {"ECOSYSTEM", "SEMVER"})
    versions = frozenset(_texts(one, "versions"))
    return Affected(advisory, aliases, versions, ranges)


def _events(part: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for event in _maps(part, "events"):
        for word, value in event.items():
            if word not in {"introduced", "fixed", "last_affected", "limit"} or not isinstance(value, str):
                raise _BrokenError(f"unbekanntes Ereignis »{word[:40]}« in »ranges«")
            found.append((word, value))
    return tuple(found)


def _maps(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = holder.get(key) or []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise _BrokenError(f"»{key}« ist keine Liste von Einträgen")
    return value


def _texts(holder: dict[str, Any], key: str) -> list[str]:
    value = holder.get(key) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _BrokenError(f"»{key}« ist keine Liste von Texten")
    return value


def _instant(holder: dict[str, Any], key: str, instead: dt.datetime | None = None) -> dt.datetime:
    value = holder.get(key)
    if value is None and instead is not None:
        return instead
    try:
        found = dt.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(value)))
    except ValueError:
        raise _BrokenError(f"»{key}« ist kein Zeitpunkt") from None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _identifier(value: Any, key: str) -> str:
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise _BrokenError(f"»{key}« ist keine Kennung einer Meldung")
    return value


# --- does it reach a version ---------------------------------------------------------------------------------------------


class UnclearError(Exception):
    """The advisory names the package but not in a way that can be compared; the text says why, in German."""


def reaches(affected: Affected, version: Version) -> bool:
    """Whether a version is named, or lies in a range. Raises: UnclearError."""
    if not affected.versions and not affected.ranges:
        raise UnclearError("nennt weder Versionen noch Bereiche")
    if any(_same(named, version) for named in affected.versions):
        return True
    return any(_within(events, version) for events in affected.ranges)


def _same(named: str, version: Version) -> bool:
    try:
        return Version(named) == version
    except InvalidVersion:  # an old name that Python's rules do not know; a locked version is never one
        return False


def _within(events: tuple[tuple[str, str], ...], version: Version) -> bool:
    """OSV's evaluation: the events in the order of their versions; where one ends and another begins, the beginning counts."""
    limits = [_parsed(value) for word, value in events if word == "limit" and value != "*"]
    if limits and not any(version < limit for limit in limits):
        return False
    inside = False
    for at, word in sorted((_parsed(value), word) for word, value in events if word != "limit"):
        if word == "introduced" and version >= at:
            inside = True
        elif (word == "fixed" and version >= at) or (word == "last_affected" and version > at):
            inside = False
    return inside


def _parsed(value: str) -> Version:
    try:
        return _BEGINNING if value == "0" else Version(value)
    except InvalidVersion:
        raise UnclearError(f"»{value[:40]}« ist keine Version") from None
