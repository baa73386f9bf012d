"""The web application: `portal.app:app` for uvicorn, `create_app()` for tests.

uvicorn portal.app:app --host 127.0.0.1 --port $PORT
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware

from kit import log as logs
from kit import passwords
from models import guard
from portal import errors
from portal.edge import Edge
from portal.modules import all_modules, navigation
from portal.pages import STATIC
from portal.security.cookies import is_secure

GUARD = guard.narrow
"""Named here so that the row guard cannot be left out by a tidy import."""


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    logs.configure("portal")
    passwords.warm_up()
    yield


def create_app() -> FastAPI:
    """Routes of all modules, error pages, and the edge around everything. No description of the API is published."""
    # no redirects to the other spelling of a path: they would name the host that the request names
    app = FastAPI(
        title="Drehkreuz", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=_lifespan
    )
    modules = all_modules()
    for module in modules:
        app.include_router(module.router)
    app.state.navigation = navigation(modules)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    errors.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=1500, compresslevel=5)
    app.add_middleware(Edge, error_page=errors.error_page, is_secure=is_secure)
    return app


app = create_app()
