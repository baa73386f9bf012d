"""What several processes of the suite get as one piece of work: a file, or all files that share what is dear to make."""

from typing import Any

import pytest

TOGETHER = ("tests/documents/",)
"""Papers of every kind, rendered and judged by the official tools: made once per process, so one process has them all."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """xdist's distribution by files, with these folders kept together."""
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))

    return Together(config, log) if config.getoption("dist") == "loadfile" else None
