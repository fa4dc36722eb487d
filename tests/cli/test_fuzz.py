"""Whatever is typed or written into a configuration is refused in a line or two, or is a setting.

Every setting gets every odd value, and every place on the command line every odd word. None of it
runs: the data set does not exist, nor does what is named.
"""

import re
import sqlite3
from dataclasses import replace

import pytest
from pydantic import BaseModel

from db.store import SqlStore
from tests.support.command import vlga
from tests.support.records import record
from vlga.config.settings import SearchConfig

#: In TOML's form. Some are legal for some settings.
VALUES = (
    "0", "1", "-1", "3", "1.5", "-0.5", "1e300", "inf", "-inf", "nan",
    str(2**31), str(2**63 - 1), str(2**63), "1" + "0" * 30, "0x" + "f" * 5000,
    "true", "false", "1979-05-27", '""', '"a"', '"none"', '"%s"' % ("a" * 5000),
    r'"\u0000"', r'"\u001B[31mred"', r'"two\nlines"', "[]", '["a", 1]', "[[[[]]]]", "{}", "{a = 1}",
    "[" * 250 + "]" * 250,
)  # fmt: skip

#: As a shell would pass them on.
WORDS = (
    "", " ", "-", "-1", "0", "1e400", "nan", "1" + "0" * 30, "none", "a/b", "../no", "*", "'", "{}",
    "é\u202e", "\x1b[31mred", "two\nlines", "a=b", "a:1", "x" * 300, "x" * 5000, "[" * 3000,
    "\udcff", "%s", "first:7",
)  # fmt: skip

#: {} is where each word goes. `first` is a completed search without candidates in ours.db.
LINES = (
    "{}",
    "show {}",
    "show {} --db sqlite:///ours.db",
    "top {} --db sqlite:///ours.db",
    "individual {} 0 --db sqlite:///ours.db",
    "individual first {} --db sqlite:///ours.db",
    "lineage first {} --db sqlite:///ours.db",
    "report first --db sqlite:///ours.db --format {}",
    "delete {} --yes --db sqlite:///ours.db",
    "stop {} --db sqlite:///ours.db",
    "resume {} --db sqlite:///ours.db",
    "resume first --db sqlite:///ours.db --set {}",
    "resume first --db sqlite:///ours.db --data {}",
    "predict {} ours.db --db sqlite:///ours.db",
    "predict first {} --db sqlite:///ours.db",
    "predict first ours.db --top {} --db sqlite:///ours.db",
    "list --db {}",
    "list --db sqlite:///{}",
    "search --db {} --data no/such",
    "search {} --data no/such",
    "search --data {}",
    "search --data no/such --preset {}",
    "search --data no/such --seed {}",
    "search --data no/such --name {}",
    "search --data no/such --set {}",
    "search --data no/such --set seed={}",
    "search --data no/such --set {}=1",
    "search --data no/such --gpus-per-evaluation {}",
    "compare --data no/such --strategies {}",
    "compare --data no/such --budget {}",
    "compare --data no/such --budget epochs={}",
    "compare --data no/such --plot-dir {}",
    "train {} --data no/such --db sqlite:///ours.db",
    "train simple_cnn --data no/such --kind {} --amplify random",
    "train simple_cnn --data no/such --factor {} --amplify random",
    "train simple_cnn --data no/such --window {}",
    "train simple_cnn --data no/such --learning-rate {}",
    "train --grid {} --data no/such",
    "config --example --preset {}",
    "db check --db sqlite:///{}",
)

OURS = ("--db", "sqlite:///ours.db")
#: What takes too long for every word, or is of one kind of word only.
MORE = (
    ("search", "--inline", "--db", "sqlite:///:memory:"),
    ("search", "--inline", "--db", "sqlite:///"),
    ("search", "--inline", "--db", "sqlite://"),
    ("search", "--inline", "--db", "sqlite:///file:x?mode=memory&uri=true"),
    ("list", "--db", "sqlite:///ours.db?mode=ro"),
    ("list", "--db", "sqlite://host/ours.db"),
    ("list", "--db", "postgresql://" + "x" * 300),
    ("list", "--db", "postgresql://\udcff"),
    ("search", "--inline", "--name", "x" * 256),
    ("search", "--inline", "--cpus-per-evaluation", "9999", *OURS),
    ("search", "--inline", "--set", "strategy=grid"),
    ("search", "--inline", "--set", "study.seeds=2"),
    ("search", "--inline", "--set", "space.block.channels_a=9223372036854775807"),
    ("search", "--address", "ray://", *OURS),
    ("search", "--address", "nowhere", *OURS),
    ("search", "--address", "127.0.0.1:99999", *OURS),
    ("search", "--address", "127.0.0.1:1", *OURS),
    ("search", "--address", "ray://127.0.0.1:1", *OURS),
    ("compare", "--inline", "--set", "strategy=random_search"),
    ("compare", "--inline", "--set", "budget.epochs=3"),
    ("compare", "--inline", "--budget", "seconds=inf"),
    ("compare", "--inline", "--seeds", "1000000000000"),
    ("train", "simple_cnn", "--inline", "--set", "population.size=7"),
    ("train", "simple_cnn", "--inline", "--set", "strategy=random_search"),
    ("train", "simple_cnn", "--inline", "--seeds", "1000000000000"),
    ("train", "first:9999", "--db", "sqlite:///ours.db"),
    ("report", "first", "--db", "sqlite:///ours.db", "--html", "x" * 300),
    ("report", "first", "--db", "sqlite:///ours.db", "--html", "no/such/page.html"),
    ("report", "first", "--db", "sqlite:///ours.db", "--html", "ours.db"),
    ("top", "first", "--db", "sqlite:///ours.db", "-n", "1" + "0" * 25),
    ("individual", "first", "1" + "0" * 21, "--db", "sqlite:///ours.db"),
)  # fmt: skip


@pytest.fixture
def settled(home):
    """A folder with a database that has one completed search."""
    store = SqlStore("sqlite:///ours.db")
    store.create_search(replace(record("first"), status="completed"))
    store.close()
    return home


def left(folder):
    """Give the files in a folder and the searches of its database."""
    with sqlite3.connect(folder / "ours.db") as connection:
        searches = connection.execute("SELECT name, status FROM searches").fetchall()
    connection.close()
    return searches, {path for path in folder.rglob("*") if not path.name.startswith("ours.db-")}


def require_short(told, what):
    """Exit code 2, at most three lines, and nothing that a terminal would obey."""
    assert told.code == 2, (what, told)
    assert told.out == "", what
    assert 1 <= told.err.count("\n") <= 3, (what, told.err)
    assert "Traceback" not in told.err, (what, told.err)
    assert not told.err.startswith("vlga: [Errno"), (what, told.err)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", told.err), (what, told.err)


def settings(model=SearchConfig, path=()):
    """Give the dotted name of every setting, and of some genes and items of lists."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from settings(field.annotation, (*path, name))
        yield ".".join((*path, name))
    if not path:
        yield from ("space.block.channels_a", "space.block.kernel_b", "space.block.skip")
        yield from ("space.network.momentum", "space.network.amplify_window", "unknown")


@pytest.mark.parametrize("setting", [*settings()])
def test_every_setting_refuses_what_is_none(setting, home):
    """In one line that names it; what it takes comes as far as the images, which do not exist."""
    *tables, name = setting.split(".")
    header = f"[{'.'.join(tables)}]\n" if tables else ""
    data = () if setting == "data.name" else ("--data", "no/such")
    for value in VALUES:
        (home / "c.toml").write_text(f"{header}{name} = {value}\n")
        told = vlga("search", "c.toml", *data)

        require_short(told, f"{setting} = {value[:40]}")
        assert re.search(rf"\b{name}\b|no/such|digits", told.err), (setting, value[:40], told.err)
        assert [path.name for path in home.iterdir()] == ["c.toml"]


@pytest.mark.parametrize("line", LINES)
def test_every_place_refuses_what_is_not_for_it(line, settled):
    """No traceback, and nothing left behind."""
    before = left(settled)
    for word in WORDS:
        told = vlga(*(part.replace("{}", word) for part in line.split(" ")))

        require_short(told, (line, word[:40]))
        assert left(settled) == before


@pytest.mark.parametrize("arguments", MORE, ids=lambda one: " ".join(one)[:60])
def test_what_would_be_ignored_or_lost_is_refused(arguments, settled):
    """At once, and before anything is started."""
    before = left(settled)
    told = vlga(*arguments)

    require_short(told, arguments)
    assert left(settled) == before


def test_a_file_of_nested_brackets_is_no_toml(home):
    """Python's parser gives up on it in three thousand lines."""
    (home / "c.toml").write_text(f"seed = {'[' * 3000}")
    told = vlga("search", "c.toml")

    require_short(told, "brackets")
    assert told.err == (
        "vlga: the configuration file must be TOML, but 'c.toml' is nested too deeply\n"
    )


@pytest.mark.parametrize("name", ["VLGA_DB", "VLGA_DATA", "RAY_ADDRESS"])
def test_the_environment_is_no_better(name, settled, monkeypatch):
    """What is set there is refused as if it were typed."""
    for word in ("", " ", "nowhere", "x" * 300, "\x1b[31mred", "sqlite:///:memory:"):
        monkeypatch.setenv(name, word)
        require_short(vlga("search", "--data", "no/such"), (name, word))
