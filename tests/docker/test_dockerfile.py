"""docker/Dockerfile: linted, derived from pyproject.toml, and made of what a checkout has."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.support import dockerfile

ROOT = dockerfile.ROOT
STAGES = dockerfile.stages()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TARGETS = ["cpu", "cuda"]
COPIED = [
    source
    for stage in STAGES.values()
    for text in stage.all("COPY")
    for source in dockerfile.copied(text)
]


def test_it_is_linted():
    """By hadolint, which finds nothing, not even to mention."""
    linted = subprocess.run(
        [str(Path(sys.executable).with_name("hadolint")), "--no-color", str(dockerfile.FILE)],
        capture_output=True,
        text=True,
    )
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_runs_the_command_line_as_a_user(target):
    """Slim and of one version of Python and Debian; as a user who owns the folder it runs in."""
    stage = STAGES[target]

    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", stage.image)
    assert stage.last("USER") == "1000"
    assert re.search(r"useradd .*--uid 1000 (\w+) .* --owner=\1 .* /data$", stage.all("RUN")[0])
    assert stage.last("WORKDIR") == "/data"
    assert (stage.all("ENTRYPOINT"), stage.all("CMD")) == (['["vlga"]'], ['["--help"]'])
    (command,) = entry_points(group="console_scripts", name="vlga")
    assert command.value == PROJECT["scripts"]["vlga"]
    assert callable(command.load())


@pytest.mark.parametrize("target", TARGETS)
def test_dependencies_come_before_the_source(target):
    """A change of the source installs no dependency anew: all are there before it is copied."""
    steps = [f"{name} {text}" for name, text in STAGES[target].steps]
    project = steps.index("COPY --from=project /project /")

    assert [step for step in steps if "pip install" in step] == [
        step for step in steps[:project] if "pip install" in step
    ]
    assert not any(dockerfile.copied(text) for text in STAGES[target].all("COPY"))


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_left_in_a_target_but_what_it_runs(target):
    """No build tools, no package lists, no cache: it is made of wheels alone."""
    for text in STAGES[target].all("RUN"):
        assert "apt" not in text
        if "pip install" in text:
            assert "--no-cache-dir" in text
            assert "--only-binary=:all:" in text


def test_the_targets_differ_in_torch_alone():
    """The CPU's comes from PyTorch's index for CPUs, CUDA's from PyPI; all else is one layer."""
    cpu, cuda = (STAGES[f"packages-{target}"] for target in TARGETS)
    shared = len(STAGES["packages"].steps)

    assert cpu.steps[:shared] == cuda.steps[:shared] == STAGES["packages"].steps
    assert cpu.all("ARG") == ["TORCH_INDEX=https://download.pytorch.org/whl/cpu"]
    assert '--index-url "$TORCH_INDEX"' in cpu.last("RUN")
    assert "index" not in cuda.last("RUN")


def test_its_dependencies_are_those_of_pyproject(tmp_path):
    """Its own command, run here, gives two lists: torch and torchvision, and all the others."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    subprocess.run(["sh", "-ec", STAGES["requirements"].last("RUN")], cwd=tmp_path, check=True)
    torch, others = (
        (tmp_path / name).read_text().splitlines() for name in ("torch.txt", "packages.txt")
    )

    assert sorted(torch + others) == sorted(PROJECT["dependencies"])
    assert [re.match(r"\w+", line)[0] for line in torch] == ["torch", "torchvision"]


def test_what_it_copies_is_in_a_clean_checkout():
    """And let through by .dockerignore, which lets nothing else through."""
    context = dockerfile.context()
    within = {source: {path for path in context if _is_in(path, source)} for source in COPIED}

    assert {source for source, paths in within.items() if not paths} == set()
    assert context == set().union(*within.values())


def _is_in(path: str, source: str) -> bool:
    return path == source or path.startswith(f"{source}/")


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("vlga/cli/main.py", False),
        ("vlga/config/presets/default.toml", False),
        ("vlga/__pycache__/main.cpython-311.pyc", True),
        ("vlga.db", True),
        ("vlga-files/1f2e/digits-1/1.pt", True),
        ("tests/vlga/genetics/test_genome.py", True),
        (".git/config", True),
    ],
)
def test_dockerignore(path, ignored):
    """The packages and nothing else."""
    assert dockerfile.is_ignored(path) is ignored


def test_the_project_installs_from_what_is_copied(tmp_path):
    """With its presets and its migrations; what is for who reads the code is left out."""
    for path in dockerfile.context():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--wheel-dir", "out", "."],
        cwd=tmp_path,
        check=True,
    )  # fmt: skip
    (wheel,) = (tmp_path / "out").iterdir()
    packed = {path for path in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in path}

    copied = {path for path in dockerfile.context() if "/" in path}
    to_read = ("README.md", ".ipynb", "page.png")
    assert packed == {path for path in copied if not path.endswith(to_read)}
