import logging
import subprocess
import sys
import tomllib

import click
import pytest
from PIL import Image

from tests.support.command import vlga
from tests.support.readmes import ROOT
from vlga.cli.main import _COMMANDS, cli, run


def walk(group, path=()):
    """Give every command with the words that lead to it."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from walk(command, (*path, name))


class TestHelp:
    def test_lists_every_command(self):
        """One line for each."""
        shown = vlga("--help")

        for name, (_, text) in _COMMANDS.items():
            assert f"  {name} " in shown.out
            assert text in shown.out

    @pytest.mark.parametrize(("path", "command"), [*walk(cli)], ids=str)
    def test_of_every_command_exists(self, path, command, monkeypatch):
        """Every command and every option says what it does; nothing is wider than 80 columns."""
        monkeypatch.setenv("COLUMNS", "80")
        shown = vlga(*path, "--help")

        assert (shown.code, shown.err) == (0, "")
        assert shown.out.startswith(f"Usage: vlga {' '.join(path)}")
        assert max(map(len, shown.out.splitlines())) <= 80
        assert command.help
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, option.name

    def test_is_what_a_newcomer_gets(self):
        """`vlga` alone helps, and names the command to start with."""
        shown = vlga()

        assert shown == vlga("--help") == vlga("-h")
        assert shown.code == 0
        assert "Start with: vlga search" in shown.out

    def test_the_version_is_known(self):
        """For reports of mistakes; it is that of pyproject.toml."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

        assert vlga("--version").out == f"vlga, version {project['version']}\n"


class TestFailures:
    @pytest.mark.parametrize("arguments", [("--debug", "list"), ("list", "--debug")])
    def test_debug_shows_where_they_come_from(self, arguments):
        """Wherever it is given; the line that explains comes last."""
        failed = vlga(*arguments)

        assert failed.code == 2
        assert failed.err.startswith("Traceback (most recent call last):\n")
        assert failed.err.splitlines()[-1] == vlga("list").err.strip()

    def test_of_the_system_are_one_line_too(self):
        """What the operating system refuses is no traceback either."""
        failed = vlga("search", "--data", "x" * 5000)

        assert failed.code == 2
        assert failed.err.endswith(" cannot: File name too long\n")
        assert failed.err.count("\n") == 1


class TestMessages:
    @pytest.mark.parametrize("level", [logging.INFO, logging.WARNING])
    @pytest.mark.parametrize("package", ["vlga", "workers", "db"])
    def test_are_one_line_on_stderr(self, package, level, capsys):
        """However many commands this process has run; standard output belongs to tables."""
        for _ in range(2):
            vlga("data")
        logging.getLogger(f"{package}.part").log(level, "%d %% of [red]it[/] is :here:", 5)

        assert capsys.readouterr() == ("", "5 % of [red]it[/] is :here:\n")

    def test_of_others_are_their_own_matter(self, capsys):
        """Of a library only what Python itself would show."""
        vlga("data")
        logging.getLogger("alembic").info("not for a person")

        assert capsys.readouterr() == ("", "")

    def test_are_written_once_by_a_real_process(self, tmp_path):
        """Not by Python's own rules as well."""
        (tmp_path / "images" / "cat").mkdir(parents=True)
        (tmp_path / "images" / "cat" / "notes.txt").touch()
        Image.new("L", (4, 4)).save(tmp_path / "images" / "cat" / "one.png")
        command = [sys.executable, "-m", "vlga", "search", "--data", "images", "--inline"]
        run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        skipped, failed = run.stderr.splitlines()

        assert run.stdout == ""
        assert skipped.startswith(f"{tmp_path}/images: skipped 1 .txt, which are no images")
        assert failed.startswith("vlga: data set 'images' must have at least 2 classes")


def test_a_reader_that_has_gone_is_no_failure(tmp_path):
    """As with `| head -1`: nothing is said about it."""
    command = [sys.executable, "-m", "vlga", "config", "--example"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    ) as process:
        process.stdout.close()

        assert process.stderr.read() == ""


def test_it_is_also_a_module(tmp_path):
    """`python -m vlga` is the command, also from a folder with a `db` of its own."""
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "__init__.py").write_text("raise ImportError('not ours')")
    command = [sys.executable, "-m", "vlga", "list"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    assert run.returncode == 2
    assert run.stderr.startswith("vlga: no database at sqlite:///vlga.db; start a search first")


def test_a_process_of_its_own_ends_without_looking_for_garbage(monkeypatch):
    """With the command's exit code; in what torch has made the search would take seconds."""
    called = []
    monkeypatch.setattr("vlga.cli.main.gc.freeze", lambda: called.append("freeze"))
    monkeypatch.setattr("sys.argv", ["vlga", "list"])

    with pytest.raises(SystemExit) as end:
        run()

    assert (end.value.code, called) == (2, ["freeze"])
