"""From a template and values to an answer: the one Jinja environment, its filters and what every page knows."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kit.settings import settings
from portal import labels
from portal.filters import FILTERS
from portal.modules import NavEntry, NavGroup, navigation_for
from portal.security.cookies import Tone, drop_flash, read_flash, set_flash
from portal.security.person import Person

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"


@dataclass(frozen=True, slots=True)
class Crumb:
    """A step of the way to a page; the last one has no path."""

    title: str
    path: str = ""


@lru_cache(maxsize=256)
def icon(name: str, size: str = "") -> Markup:
    """A Tabler icon as inline SVG, hidden from screen readers: it always stands beside a word or a label."""
    source = (STATIC / "vendor" / "tabler-icons" / f"{name}.svg").read_text(encoding="utf-8")
    inner = source.partition(">")[2].rpartition("</svg>")[0].strip()
    body = "".join(line.strip() for line in inner.splitlines())
    return Markup(  # noqa: S704 - vendored files with checked hashes
        f'<svg class="icon {size}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{body}</svg>'
    )


@lru_cache(maxsize=64)
def asset(path: str) -> str:
    """The address of a static file; it changes with its content, so browsers may keep it for ever."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
    return f"/static/{path}?v={digest}"


def address(path: str, query: dict[str, Any], **changes: Any) -> str:
    """The same list with another page or filter; empty values are left out."""
    merged = {name: value for name, value in (query | changes).items() if value not in (None, "", False)}
    return f"{path}?{urlencode(merged, doseq=True)}" if merged else path


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Everything is escaped, a missing value is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(FILTERS)
    made.filters.update(
        bezeichnung=labels.label,
        ton=labels.tone,
        rolle=labels.role,
        bezeichnung_lauf=labels.run_state,
        rechnungsart=labels.invoice_kind,
        uebergabe=labels.hand_over_state,
        vorschlag=labels.proposal_state,
        korrekturregel=labels.correction_rule,
    )
    made.globals.update(icon=icon, asset=asset, address=address)
    return made


def _navigation(request: Request, person: Person | None) -> tuple[NavGroup, ...]:
    entries: Sequence[NavEntry] = getattr(request.app.state, "navigation", ())
    return navigation_for(entries, person) if person is not None else ()


def _active(groups: Sequence[NavGroup], path: str) -> str:
    """The entry that the page belongs to: the longest path that the address begins with."""
    paths = [entry.path for group in groups for entry in group.entries]
    fitting = [p for p in paths if path == p or (p != "/" and path.startswith(p.rstrip("/") + "/"))]
    return max(fitting, key=len, default="")


def page(
    request: Request,
    template: str,
    *,
    status_code: int = 200,
    crumbs: Sequence[Crumb] = (),
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """A whole page in the layout of the house."""
    person: Person | None = getattr(request.state, "person", None)
    groups = _navigation(request, person)
    flash = read_flash(request)
    html = (
        environment()
        .get_template(template)
        .render(
            {
                "request_path": request.url.path,
                "person": person,
                "nav": groups,
                "active": _active(groups, request.url.path),
                "flash": flash,
                "privacy": settings().privacy_url if settings().privacy_url.startswith("https://") else "",
                "crumbs": crumbs,
                **values,
            }
        )
    )
    response = HTMLResponse(html, status_code, headers)
    if flash is not None:
        drop_flash(request, response)
    return response


def fragment(template: str, block: str, *, status_code: int = 200, **values: Any) -> HTMLResponse:
    """One block of a template, for htmx; the whole page renders the same block."""
    found = environment().get_template(template)
    context = found.new_context(values)
    return HTMLResponse("".join(found.blocks[block](context)), status_code)


def is_partial(request: Request) -> bool:
    """Whether htmx asks for a part of the page."""
    return request.headers.get("hx-request") == "true" and request.headers.get("hx-request-type") != "full"


def go(request: Request, path: str, message: str = "", tone: Tone = "success") -> Response:
    """To another page after a write, with a message that is shown there once."""
    response = RedirectResponse(path, 303)
    if message:
        set_flash(request, response, message, tone)
    return response
