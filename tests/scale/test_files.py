"""What is laid out for several machines: read by the specifications' own readers, and every name in it exists."""

import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import compose_spec
import kubernetes_validate
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from typer.main import get_command

from actions.queues import QUEUES
from deployments.cli import application
from deployments.metrics import NAMES
from deployments.parts import ONCE, PARTS
from kit.settings import Settings
from tests.servers import REPOSITORY

SCALE = REPOSITORY / "deployments" / "scale"
MANIFESTS = sorted((SCALE / "kubernetes").glob("*.yaml"))
SETTINGS = {f"DREHKREUZ_{name.upper()}" for name in Settings.model_fields}


@cache
def compose() -> dict[str, Any]:
    return next(read(SCALE / "compose.yaml"))


def read(file: Path) -> Iterator[dict[str, Any]]:
    """The documents of a file, by the reader in C."""
    return yaml.load_all(file.read_text("utf-8"), yaml.CSafeLoader)


@cache
def documents() -> list[dict[str, Any]]:
    return [document for file in MANIFESTS for document in read(file)]


def templates() -> Iterator[tuple[str, dict[str, Any]]]:
    """Name of the workload and its pod."""
    for document in documents():
        spec = document.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield document["metadata"]["name"], spec["template"]["spec"]


@cache
def commands(name: str) -> Any:
    return get_command(application([name]))


def understood(arguments: list[str]) -> bool:
    """Whether the command line takes these arguments."""
    name, *rest = arguments
    command = commands(name)
    context = command.commands[name].make_context(name, list(rest))
    return name != "serve" or context.params["part"] in {*PARTS, *ONCE}


def test_the_compose_file_is_one() -> None:
    text = (SCALE / "compose.yaml").read_text("utf-8")
    reader = compose_spec.PyOptions(apply_merge=True)
    reader.from_yaml(text).validate()
    for right, wrong in (("image: redis:8.2.9", "imagee: redis:8.2.9"), ("restart: on-failure", "restart: perhaps")):
        with pytest.raises(ValueError, match=r"imagee|perhaps"):
            reader.from_yaml(text.replace(right, wrong))


def test_compose_names_only_settings_and_commands_that_exist() -> None:
    content = compose()
    example = {
        line.partition("=")[0]
        for line in (SCALE / "haus.env.example").read_text("utf-8").splitlines()
        if "=" in line and line[0] != "#"
    }
    text = (SCALE / "compose.yaml").read_text("utf-8")
    assert set(re.findall(r"\$\{([A-Z0-9_]+):\?", text)) <= example, "what must be said stands in the example"
    assert set(re.findall(r"\$\{([A-Z0-9_]+)", text)) <= example | SETTINGS
    parts = set()
    for name, service in content["services"].items():
        assert not service["image"].endswith(":latest"), name
        assert ":" in service["image"], name
        if service["image"].startswith("drehkreuz:"):
            assert set(service["environment"]) <= SETTINGS, name
            assert service["env_file"] == ["haus.env"], "every setting reaches every part"
            assert understood(service["command"]), name
            parts.add(service["command"][1])
        assert set(service.get("depends_on", {})) <= set(content["services"]), name
    assert parts >= {*PARTS, *ONCE}
    assert example - SETTINGS == {"POSTGRES_USER", "POSTGRES_PASSWORD"}


def stages() -> dict[str, str]:
    """The image's lines by their first word, continued lines joined."""
    text = (SCALE / "Dockerfile").read_text("utf-8").replace("\\\n", "")
    found: dict[str, str] = {}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        found[word] = f"{found.get(word, '')}\n{rest}"
    return found


def test_a_part_may_write_where_it_is_told_to() -> None:
    """A new volume is root's unless the image has the folder; a tmpfs with uid= is Docker's alone; the rest is read-only."""
    made = next(line for line in stages()["RUN"].split("&&") if "install --directory" in line).split()
    for name, service in compose()["services"].items():
        if not service["image"].startswith("drehkreuz:"):
            continue
        assert service["read_only"] is True
        places = {volume.rpartition(":")[2] for volume in service["volumes"]}
        assert places <= set(made), name
        assert not [option for mount in service["tmpfs"] for option in ("uid=", "gid=") if option in mount], name
        assert "/home/drehkreuz/heim" in places, "logs outlive a restart"
    environment = dict(pair.split("=", 1) for pair in stages()["ENV"].split())
    assert environment["DREHKREUZ_HOME"] in made
    assert environment["XDG_CACHE_HOME"].startswith("/tmp/"), "Fontconfig looks for a place of its own"
    assert "compileall" in stages()["RUN"], "nobody could write it later"
    assert " tini " in stages()["RUN"]
    assert '["tini", "--", ' in stages()["ENTRYPOINT"], "a pod has no init of its own"


def test_the_image_holds_what_is_named_and_no_secret_of_the_builder() -> None:
    """What the build is shown, and what it copies, are one list."""
    lines = [line for line in (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    shown = {line[1:] for line in lines if line[0] == "!"}
    copied = {place for line in stages()["COPY"].split("\n") if line for place in line.split()[:-1]}
    assert shown == copied
    assert {"**/.env", "**/*.env", "deployments/scale"} <= set(lines)
    packages = {file.parent.name for file in REPOSITORY.glob("*/__init__.py")} - {"tests", "benchmarks", "examples"}
    assert packages <= copied


def test_the_web_server_finds_every_portal() -> None:
    site = (SCALE / "nginx.conf").read_text("utf-8")
    (variable,) = re.findall(r"proxy_pass http://(\$\w+);", site)
    for name in ("nginx-portal.conf", "nginx-compose.conf"):
        assert f"map $host {variable} {{" in (SCALE / name).read_text("utf-8")
    content = compose()
    (network,) = content["networks"]["default"]["ipam"]["config"]
    assert network["subnet"] in content["services"]["portal"]["environment"]["DREHKREUZ_PORTAL_PROXIES"]
    assert f"default portal:{content['services']['portal']['expose'][0]};" in (SCALE / "nginx-compose.conf").read_text("utf-8")
    mounted = {volume.partition(":")[0] for volume in content["services"]["webserver"]["volumes"]}
    assert all((SCALE / file).exists() for file in mounted - {"./tls"})
    assert {"haus.env", "/deployments/scale/tls/"} <= set((REPOSITORY / ".gitignore").read_text("utf-8").splitlines())


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_kubernetes_accepts_every_manifest(file: Path) -> None:
    for document in read(file):
        kubernetes_validate.validate(document, "1.33", strict=True)


def test_pods_are_held_short_and_name_what_exists() -> None:
    config = next(d for d in documents() if d["kind"] == "ConfigMap")
    assert set(config["data"]) <= SETTINGS
    claims = {d["metadata"]["name"] for d in documents() if d["kind"] == "PersistentVolumeClaim"}
    for name, pod in templates():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert {v["persistentVolumeClaim"]["claimName"] for v in pod["volumes"] if "persistentVolumeClaim" in v} <= claims
        (container,) = pod["containers"]
        assert re.fullmatch(r"drehkreuz:\d+\.\d+\.\d+", container["image"])
        assert set(container["resources"]) == {"requests", "limits"}
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["envFrom"] == [{"configMapRef": {"name": "drehkreuz"}}, {"secretRef": {"name": "drehkreuz"}}], name
        assert understood(container["args"]), name


def test_what_lives_long_is_probed_and_kept_while_nodes_are_drained() -> None:
    budgets = {d["metadata"]["name"] for d in documents() if d["kind"] == "PodDisruptionBudget"}
    for document in documents():
        if document["kind"] != "Deployment":
            continue
        name, container = document["metadata"]["name"], document["spec"]["template"]["spec"]["containers"][0]
        if name == "prefect-services":  # has no door of its own and ends when it fails; one is enough
            continue
        assert {"livenessProbe", "readinessProbe", "startupProbe"} <= set(container), name
        assert document["spec"]["replicas"] >= 2
        assert name in budgets
    secrets = {name for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)}
    config = next(d for d in documents() if d["kind"] == "ConfigMap")
    assert not {f"DREHKREUZ_{name.upper()}" for name in secrets - {"redis_url"}} & set(config["data"])


@pytest.mark.parametrize("unit", sorted((SCALE / "systemd").glob("*.service")), ids=lambda unit: unit.name)
def test_units_start_what_exists(unit: Path) -> None:
    lines = dict(line.split("=", 1) for line in unit.read_text("utf-8").splitlines() if "=" in line and line[0] != "#")
    program, *arguments = shlex.split(lines["ExecStart"].replace("%i", "abrechnung"))
    assert program.endswith("/drehkreuz")
    assert understood(arguments)


def test_queues_of_workers_are_those_of_the_deployments() -> None:
    content = next(read(REPOSITORY / "prefect.yaml"))
    queues = {d["work_pool"]["work_queue_name"] for d in content["deployments"]}
    served = {
        s["command"][s["command"].index("--queue") + 1]
        for s in compose()["services"].values()
        if "--queue" in s.get("command", [])
    }
    assert served == queues
    pods = [pod["containers"][0]["args"] for _, pod in templates()]
    assert {args[args.index("--queue") + 1] for args in pods if "--queue" in args} == queues


def expressions() -> list[str]:
    rules = next(read(SCALE / "monitoring" / "alarme.yaml"))
    board = json.loads((SCALE / "monitoring" / "dashboard.json").read_text("utf-8"))
    return [rule["expr"] for group in rules["groups"] for rule in group["rules"]] + [
        target["expr"] for panel in board["panels"] for target in panel["targets"]
    ]


def test_rules_and_dashboard_ask_for_metrics_that_exist() -> None:
    used = {name for expression in expressions() for name in re.findall(r"drehkreuz_[a-z_]+", expression)}
    assert used == NAMES, "every metric is watched, none is invented"


def test_every_queue_is_told_of_and_has_an_alarm() -> None:
    """The runbook names each queue; some alarm asks for its lateness or for what waits for somebody."""
    runbook = (REPOSITORY / "docs" / "runbooks" / "betrieb.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([a-z_]+)` \|", runbook, re.MULTILINE)) == set(QUEUES)
    rules = next(read(SCALE / "monitoring" / "alarme.yaml"))
    asked = "|".join(re.findall(r'queue=~?"([a-z_|]+)"', " ".join(rule["expr"] for rule in rules["groups"][0]["rules"])))
    assert set(asked.split("|")) == set(QUEUES)


def test_alarms_say_what_to_do() -> None:
    rules = next(read(SCALE / "monitoring" / "alarme.yaml"))
    for rule in rules["groups"][0]["rules"]:
        assert (REPOSITORY / rule["annotations"]["runbook"]).exists(), rule["alert"]


def test_metrics_are_readable_by_prometheus(home: Path) -> None:
    """Without a Prefect server its part is down, the database's part is all there."""
    from deployments.instance import instance
    from deployments.metrics import page

    found = {family.name: family for family in text_string_to_metric_families(page(instance()).decode())}
    assert set(found) == NAMES - {"drehkreuz_runs", "drehkreuz_workers_online"}
    up = {sample.labels["part"]: sample.value for sample in found["drehkreuz_up"].samples}
    assert up == {"database": 1.0, "prefect": 0.0}
