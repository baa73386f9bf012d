"""The watched folder `goods-inbox/` of the home: each file that lies still goes into the basket, then to `erledigt/`.

A folder below it that is named like a supplier's code tells the supplier. Killed between basket and move: the file is met
again, its key is known, and only the move is left.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from actions.goods import inbox
from kit import clock
from kit.database import unit_of_work
from kit.errors import DrehkreuzError
from kit.settings import exchange

DONE, REFUSED = "erledigt", "abgelehnt"
FRESH_NS = 2_000_000_000
"""Files as young as that may still be written to; their times are the file system's, not our clock's."""
UNFINISHED = (".tmp", ".part", ".filepart", ".crdownload", ".swp")


def folder() -> Path:
    """The folder that is watched, made on first use."""
    path = exchange() / "goods-inbox"
    path.mkdir(parents=True, exist_ok=True)
    return path


@dataclass
class Watch:
    """What the last look saw: a file counts as whole when two looks see the same size and time."""

    _seen: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def look(self) -> list[str]:
        """Take what has not changed since the last look. Returns the names of the files taken."""
        now = {path: _mark(path) for path in candidates()}
        still = [path for path, mark in now.items() if mark is not None and self._seen.get(path) == mark]
        self._seen = {path: mark for path, mark in now.items() if mark is not None}
        return [path.name for path in still if take(path)]


def _mark(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        found = path.stat()
        return found.st_size, found.st_mtime_ns
    return None


def candidates() -> Iterator[Path]:
    """Files that lie there, of the folder itself and of the suppliers' folders."""
    root = folder()
    places = [root, *(p for p in sorted(root.iterdir()) if p.is_dir() and p.name not in (DONE, REFUSED))]
    for place in places:
        for path in sorted(place.iterdir()):
            if not path.name.startswith(".") and path.suffix not in UNFINISHED and not path.is_symlink() and path.is_file():
                yield path


def take(path: Path) -> bool:
    """Put one file into the basket and move it away; what cannot be a despatch advice is moved aside with its reason."""
    supplier = "" if path.parent == folder() else path.parent.name
    try:
        if path.stat().st_size > inbox.SIZE_LIMIT:
            raise inbox.TooLargeError(f"{path.name}: Die Datei ist zu groß für ein Lieferavis.")
        raw = path.read_bytes()
    except FileNotFoundError:
        return False
    except inbox.TooLargeError as fault:
        _move(path, REFUSED, str(fault))
        return False
    try:
        with unit_of_work("goods-inbox") as session:
            inbox.receive(session, raw, file_name=path.name, supplier_code=supplier)
    except DrehkreuzError as fault:
        _move(path, REFUSED, str(fault))
        return False
    _move(path, DONE)
    return True


def _move(path: Path, place: str, reason: str = "") -> None:
    target = folder() / place
    target.mkdir(exist_ok=True)
    name = f"{clock.local(clock.now()):%Y%m%d-%H%M%S-%f}_{path.name}"
    if reason:
        (target / f"{name}.grund.txt").write_text(f"{reason}\n", encoding="utf-8")
    with contextlib.suppress(FileNotFoundError):  # another way was faster
        path.replace(target / name)


def take_all() -> int:
    """Take everything that lies there and was not written to in the last seconds (sweep)."""
    count = 0
    for path in list(candidates()):
        mark = _mark(path)
        if mark is not None and time.time_ns() - mark[1] > FRESH_NS:
            count += take(path)
    return count
