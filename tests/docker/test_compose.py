"""docker-compose.yml: valid, with no secret in it, nothing open, and made to be scaled."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import compose, dockerfile
from vlga.cli.main import _COMMANDS

SECRETS = {
    "POSTGRES_PASSWORD": "a password",
    "RAY_AUTH_TOKEN": "a token",
    "VLGA_TOKEN": "another token",
}
SERVICES = compose.services(SECRETS)
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
RAY = ["ray-head", "ray-worker", "ray-worker-gpu"]


def test_it_is_valid():
    """By the schema of the Compose specification."""
    checked = subprocess.run(
        [
            str(Path(sys.executable).with_name("check-jsonschema")),
            "--builtin-schema",
            "vendor.compose-spec",
            str(compose.FILE),
        ],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("missing", SECRETS)
@pytest.mark.parametrize("value", [None, ""])
def test_nothing_starts_without_a_secret(missing, value):
    """A password or a token that is not set, or empty, is refused by name with the way out."""
    environment = {name: secret for name, secret in SECRETS.items() if name != missing}
    if value is not None:
        environment[missing] = value
    with pytest.raises(compose.MissingVariable, match=rf"{missing}: must be .*; put it in \.env"):
        compose.services(environment)


def test_no_secret_stands_in_it():
    """Every password and every token is a variable that must be given, and there is no other."""
    environments = [service["environment"] for service in compose.read()["services"].values()]
    kept = {
        value
        for environment in environments
        for name, value in environment.items()
        if re.search("PASS|TOKEN|SECRET|KEY", name)
    }
    assert {value.partition(":?")[0] for value in kept} == {"${" + name for name in SECRETS}
    assert set(re.findall(r"\$\{(\w+)", compose.FILE.read_text())) == set(SECRETS)


def test_a_file_with_the_secrets_stays_out_of_git_and_of_the_image():
    """The file .env, where Compose looks for them."""
    ignored = subprocess.run(["git", "check-ignore", "-q", ".env"], cwd=compose.ROOT)
    assert ignored.returncode == 0
    assert dockerfile.is_ignored(".env")


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_open_to_the_world(name):
    """One port is published, to this machine; none is given more of its host than its GPUs."""
    service = SERVICES[name]

    assert service.get("ports", []) == (["127.0.0.1:8642:8642"] if name == "serve" else [])
    assert not {"network_mode", "privileged", "pid", "cap_add", "devices"} & set(service)


def test_the_service_is_what_commands_are_with_a_token_and_time_to_end():
    """It alone has the token; on SIGTERM, as first process, it ends its searches in 20 s."""
    serve, commands = SERVICES["serve"], SERVICES["vlga"]
    environment = {**serve["environment"]}

    assert environment.pop("VLGA_TOKEN") == "another token"
    assert environment == commands["environment"]
    assert compose.command(serve)[:2] == ["vlga", "serve"]
    assert (serve["init"], serve["stop_grace_period"]) == (False, "40s")
    assert "8642/readyz" in serve["healthcheck"]["test"][-1]
    assert serve["profiles"] == []


@pytest.mark.parametrize("name", OURS)
def test_every_role_has_the_cluster_s_token(name):
    """Head, workers and commands alike: Ray is never without authentication."""
    environment = SERVICES[name]["environment"]

    assert (environment["RAY_AUTH_MODE"], environment["RAY_AUTH_TOKEN"]) == ("token", "a token")


@pytest.mark.parametrize("name", RAY)
def test_workers_hold_no_credentials_of_the_database(name):
    """Only commands write to it; and Ray's object store has shared memory."""
    service = SERVICES[name]

    assert set(service["environment"]) - {"GRPC_ENABLE_FORK_SUPPORT"} == {
        "RAY_AUTH_MODE",
        "RAY_AUTH_TOKEN",
    }
    assert service["shm_size"] == "2gb"


def test_each_finds_the_others():
    """Under their services' names, on the ports that they listen on, as the user that there is."""
    vlga, database = SERVICES["vlga"]["environment"], SERVICES["postgres"]["environment"]
    user = database["POSTGRES_USER"]  # and the name of its database, as none is given
    head = compose.command(SERVICES["ray-head"])

    assert vlga["VLGA_DB"] == f"postgresql+psycopg://{user}@postgres/{user}"
    assert vlga["PGPASSWORD"] == database["POSTGRES_PASSWORD"]
    assert vlga["RAY_ADDRESS"] == "ray://ray-head:10001"
    assert {"--port=6379", "--ray-client-server-port=10001"} <= set(head)
    assert "--address=ray-head:6379" in compose.command(SERVICES["ray-worker"])


def test_each_waits_for_what_it_needs():
    """Until it is healthy; a command does not wait for workers, as it would scale them back."""
    waits = {name: service.get("depends_on", {}) for name, service in SERVICES.items()}

    assert {name: list(needed) for name, needed in waits.items()} == {
        "postgres": [],
        "ray-head": [],
        "ray-worker": ["ray-head"],
        "ray-worker-gpu": ["ray-head"],
        "vlga": ["postgres", "ray-head"],
        "serve": ["postgres", "ray-head"],
    }
    for needed in waits.values():
        for name, rule in needed.items():
            assert rule == {"condition": "service_healthy"}
            assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


def test_the_worker_can_be_scaled():
    """It has no name and no port of its own, and one CPU, so that N of them run N trainings."""
    worker = SERVICES["ray-worker"]

    assert not {"container_name", "hostname", "profiles"} & set(worker)
    assert "--num-cpus=1" in compose.command(worker)


def test_the_gpu_profile_asks_for_nvidia_s_devices():
    """Its worker is the CPU's but for the image, the devices, and that it has the whole machine."""
    gpu, cpu = SERVICES["ray-worker-gpu"], SERVICES["ray-worker"]
    (device,) = gpu["deploy"]["resources"]["reservations"]["devices"]

    assert device == {"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}
    assert (gpu["profiles"], gpu["build"]["target"]) == (["gpu"], "cuda")
    assert compose.command(gpu) == cpu["entrypoint"]
    own = {"profiles", "image", "build", "command", "deploy"}
    assert {key: gpu[key] for key in gpu.keys() - own} == {
        key: cpu[key] for key in cpu.keys() - own
    }


def test_what_is_to_last_is_in_volumes():
    """The database's folder, and the folder that commands run in."""
    declared = compose.read()["volumes"]
    mounted = {name: service.get("volumes", []) for name, service in SERVICES.items()}
    workdir = dockerfile.stages()["cpu"].last("WORKDIR")

    assert mounted["postgres"] == ["database:/var/lib/postgresql/data"]
    assert mounted["vlga"] == mounted["serve"] == [f"data:{workdir}"]
    assert SERVICES["vlga"]["environment"]["VLGA_DATA"].startswith(f"{workdir}/")
    assert set(declared) == {"database", "data"}


@pytest.mark.parametrize("service", OURS.values(), ids=OURS)
def test_what_it_builds_is_there(service):
    """The file and the target; `docker compose run` finds the command line as entry point."""
    build = service["build"]

    assert compose.ROOT / build["context"] / build["dockerfile"] == dockerfile.FILE
    assert build["target"] in dockerfile.stages()
    assert service["image"] == f"vlga:{build['target']}"
    assert compose.command(SERVICES["vlga"], "list") == ["vlga", "list"]


def test_what_the_readme_types_is_there():
    """The services, the profile and the commands of its lines with `docker compose`."""
    readme = (compose.ROOT / "docker/README.md").read_text()
    lines = re.findall(r"^docker compose (.*)", readme, re.MULTILINE)
    typed = "\n".join(lines)

    assert len(lines) > 5
    assert set(re.findall(r"--scale ([\w-]+)=", typed)) == {"ray-worker"}
    assert set(re.findall(r"--profile (\w+)", typed)) == {"gpu"}
    assert set(re.findall(r" vlga (\w+)", typed)) <= set(_COMMANDS)
    assert set(re.findall(r"exec ([\w-]+) ray", typed)) <= set(SERVICES)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${A}-$$-${B:-b}-${E-e}-${E:-e}", "1-$-b--e"),
        ("${A:?why}${A?why}${E?why}", "11"),
        ("${NOT_THERE}", ""),
    ],
)
def test_variables_are_filled_in_as_compose_does(text, filled):
    """By the examples of its specification: a colon counts an empty value as missing."""
    assert compose.interpolate([{"x": text}], {"A": "1", "E": ""}) == [{"x": filled}]
