"""A home on a machine that others use as well: files, environment, what is printed."""

import os
import stat
from pathlib import Path

import pytest

from deployments import children
from deployments.commands.up import addresses
from deployments.instance import Instance, instance
from kit.process import keep_private
from kit.settings import Settings, secret_names


@pytest.fixture
def target(home: Path) -> Instance:
    assert home
    return instance()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_home_is_for_its_own_account_alone(tmp_path: Path) -> None:
    """A home that was open to everybody is closed; what is none of ours, and what root's database needs, stays."""
    folder = tmp_path / "home"
    for name in ("archive", "mail", "log", "secrets", "postgres", "goods-inbox", "anderes"):
        (folder / name).mkdir(parents=True)
        (folder / name).chmod(0o755)
    folder.chmod(0o755)
    (folder / ".env").write_text("DREHKREUZ_SMTP_PORT=25", "utf-8")
    (folder / ".env").chmod(0o644)
    (folder / "postgres.json").symlink_to("/etc/hostname")
    keep_private(folder)
    assert {name: oct(mode(folder / name)) for name in ("archive", "mail", "log", "secrets", ".env")} == {
        "archive": "0o700", "mail": "0o700", "log": "0o700", "secrets": "0o700", ".env": "0o600",
    }  # fmt: skip
    assert oct(mode(folder)) == "0o711"
    assert {mode(folder / name) for name in ("postgres", "goods-inbox", "anderes")} == {0o755}
    assert mode(Path("/etc/hostname")) & 0o044


def test_a_new_home_is_closed_from_the_start(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        keep_private(tmp_path / "neu")
    finally:
        os.umask(before)
    assert mode(tmp_path / "neu") == 0o700


def test_secrets_and_address_of_the_database_are_closed(home: Path, target: Instance) -> None:
    assert target.credential
    assert mode(home / "postgres.json") == 0o600
    assert mode(home / "secrets") == 0o700
    assert {mode(file) for file in (home / "secrets").iterdir()} == {0o600}


def test_no_process_is_given_secrets_that_it_does_not_need(target: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in secret_names():
        monkeypatch.setenv(name, "postgresql://x:geheim@db.example/x" if name.endswith("DATABASE_URL") else "geheim")
    given = {
        child.name: child.needed(target.environment("m")) | child.environment
        for child in (children.portal(target), children.sink(target), children.server(target), children.worker(target))
    }
    assert not any(name.startswith("PREFECT_") for child in ("portal", "sink") for name in given[child])
    for child in ("sink", "prefect"):
        assert not set(secret_names()) & set(given[child]), child
    assert {"DREHKREUZ_SMTP_PASSWORD", "PREFECT_API_AUTH_STRING"} <= set(given["worker"])


def test_every_setting_that_is_secret_says_so() -> None:
    """What is named like a secret is a SecretStr: it is never printed with its settings."""
    named = {name for name in Settings.model_fields if any(word in name for word in ("password", "secret", "key", "token"))}
    assert {f"DREHKREUZ_{name.upper()}" for name in named} <= set(secret_names())


def test_no_command_line_carries_a_secret(target: Instance) -> None:
    user, _, password = target.credential.partition(":")
    for make in (children.portal, children.sink, children.server, children.worker, children.background, children.doorbell):
        assert password not in " ".join(make(target).command)
    assert user == "drehkreuz"


def test_the_journal_of_a_service_does_not_hold_the_password(target: Instance) -> None:
    assert target.credential.partition(":")[2] not in "\n".join(addresses(target))


def test_prefect_answers_pages_of_its_own_only(target: Instance) -> None:
    server = target.prefect_server()
    assert server["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"] == target.prefect_url
    assert server["PREFECT_SERVER_API_AUTH_STRING"] == target.credential
    assert "127.0.0.1" in children.server(target).command
    assert "127.0.0.1" in children.portal(target).command


def test_no_deployment_runs_a_shell_or_takes_a_command() -> None:
    """prefect.yaml names files of ours; nothing in it is built from a parameter, and no step is a shell."""
    import yaml

    content = yaml.safe_load((Path(__file__).resolve().parents[2] / "prefect.yaml").read_text("utf-8"))
    assert list(content["pull"][0]) == ["prefect.deployments.steps.set_working_directory"]
    assert len(content["pull"]) == 1
    assert not {"build", "push"} & set(content)
    for deployment in content["deployments"]:
        path, _, function = deployment["entrypoint"].partition(":")
        assert path.startswith("flows/")
        assert function.isidentifier()
        for trigger in deployment.get("triggers", ()):
            for value in trigger.get("parameters", {}).values():
                assert value.startswith("{{ event.payload.")
