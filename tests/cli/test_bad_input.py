"""Every mistake is one line on stderr with exit code 2, and leaves nothing behind."""

import re
import sqlite3
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from db.store import SqlStore
from tests.support.command import SMALL, vlga
from tests.support.records import record

URL = r"sqlite:///\S+"

#: What was typed, and what is answered after "vlga: ".
MISTAKES = [
    # commands and options
    ("serch", r"there is no command 'serch'; did you mean 'search'\?; see vlga --help"),
    ("--foo", r"No such option '?--foo'?.*; see vlga --help"),
    ("data", r"Missing command; see vlga data --help"),
    ("data lst", r"No such command 'lst'.*; see vlga data --help"),
    ("search --dta digits", r"No such option '?--dta'?.*--data.*; see vlga search --help"),
    ("search a.toml b.toml", r"Got unexpected extra argument \(b\.toml\); see vlga search --help"),
    ("search --seed", r"Option '--seed' requires an argument; see vlga search --help"),
    ("search --seed -1", r"Invalid value for '--seed': -1 is not in the range x>=0; see .*"),
    ("search --seed one", r"Invalid value for '--seed': 'one' is not a valid integer.*; see .*"),
    ("search --workers 0", r"Invalid value for '--workers': 0 is not in the range x>=1; see .*"),
    (
        "search --cpus-per-evaluation 0",
        r"\[workers\] cpus_per_evaluation must be greater than 0, but got cpus_per_evaluation=0\.0",
    ),
    (
        "search --gpus-per-evaluation -1",
        r"\[workers\] gpus_per_evaluation must be a number of at least 0, or auto, but .*=-1\.0",
    ),
    (
        "search --inline --workers 2",
        r"--inline trains in this process, one at a time: leave out --workers, or .*; see .*",
    ),
    (
        "compare --inline --address 127.0.0.1:1",
        r"--inline trains in this process, one at a time: leave out --address, or .*; see .*",
    ),
    (
        (
            "compare --inline --set limits.max_macs=1 --set training.batch_size=8 "
            "--set limits.max_activation_bytes=1000000 --set population.founders=[]"
        ),
        r"\[limits\] max_macs must admit a network of the space, but the smallest has \d+ .*",
    ),
    ("search --name a/b", r"--name must be letters, digits, '_', '\.' and '-', .* but got 'a/b'"),
    ("search --name ..", r"--name must be letters, .* but got '\.\.'"),
    ("show", r"Missing argument 'SEARCH'; see vlga show --help"),
    (
        "top first -n 0",
        r"Invalid value for '-n': 0 is not in the range 1<=x<=1000000; see vlga top --help",
    ),
    ("list --format xml", r"Invalid value for '--format': 'xml' is not one of .*; see .*"),
    ("individual first x", r"Invalid value for 'ID': 'x' is not a valid integer.*; see .*"),
    # settings
    ("search --set seed", r"--set must be key=value, but got 'seed'"),
    (
        "search --set population.sise=3",
        r"\[population\] 'sise' is not a setting; did you mean 'size'\?",
    ),
    ("search --set populaton.size=3", r"'populaton' is not a setting; did you mean 'population'\?"),
    (
        "search --set population.size=big",
        r"\[population\] size must be a valid integer.*, but got size='big'",
    ),
    (
        "search --set population.size=1000001",
        r"\[population\] size must be less than or equal to 1000000, but got size=1000001",
    ),
    (
        "search --set population.size=1",
        r"\[population\] size must be greater than or equal to 2, but got size=1",
    ),
    (
        "search --set space.block.kernel_a=2",
        r"\[space\.block\] kernel_a must be an odd number of pixels, but got 2",
    ),
    ("search --preset xiao", r"--preset must be .* but got 'xiao'; did you mean 'xiao2020'\?"),
    ("config --example --preset no", r"--preset must be a known preset, but got 'no'; known: .*"),
    (
        "search no.toml",
        r"the configuration file must be readable, but 'no\.toml' is not: No such file or.*",
    ),
    (
        "search folder",
        r"the configuration file must be readable, but 'folder' is not: Is a directory",
    ),
    ("search file.npz", r"the configuration file must be TOML, but 'file\.npz' is not: .*"),
    ("search broken.toml", r"the configuration file must be TOML, but 'broken\.toml' is not: .*"),
    (
        "search --preset xiao2020 --set strategy=random_search",
        r"\[budget\] must limit evaluations, .* never ends by itself; add --set budget\S+",
    ),
    # comparisons
    (
        "compare --strategies random_serch",
        r"--strategies must be known ones, but got 'random_serch'; did you mean 'random_search'\?",
    ),
    ("compare --strategies random_search,", r"--strategies must be known ones, but got '';.*"),
    (
        "compare --strategies random_search,variable_length,random_search",
        r"--strategies must name each once, but got 'random_search' twice",
    ),
    ("compare --strategies grid", r"--strategies must be known ones, but got 'grid'; .*"),
    ("compare --seeds 0", r"Invalid value for '--seeds': 0 is not in the range 1<=x<=1000; see .*"),
    ("compare --budget epochs", r"--budget must be key=number, but got 'epochs'"),
    ("compare --budget epochs=9,", r"--budget must be key=number, but got ''"),
    (
        "compare --budget epoch=9",
        r"--budget must be of .* seconds, but got 'epoch'; did you mean 'epochs'\?",
    ),
    ("compare --budget phases=2", r"--budget must be of .* but got 'phases'; known: .*"),
    (
        "compare --budget epochs=many",
        r"\[budget\] epochs must be a valid integer, but got epochs='many'",
    ),
    (
        "compare --budget evaluations=0",
        r"\[budget\] evaluations must be greater than or equal to 1, but got evaluations=0",
    ),
    (
        "compare --budget epochs=2,seconds=60 --set training.epochs=9",
        r"\[budget\] epochs must be at least training.epochs=9, but got epochs=2; .*",
    ),
    ("compare --name a/b", r"--name must be letters, .* but got 'a/b'"),
    ("compare --plot-dir file.npz", r"Invalid value for '--plot-dir': .* is a file; see .*"),
    ("compare --data digitz", r"\[data\] name must be .* 'digitz'; did you mean 'digits'\?"),
    (
        "compare --inline --gpus-per-evaluation 1",
        r"--gpus-per-evaluation needs a GPU that torch can use, but this machine has none; .*",
    ),
    # data
    ("search --data digitz", r"\[data\] name must be .* 'digitz'; did you mean 'digits'\?"),
    (
        "search --data no/such",
        r"\[data\] name must be an existing .* but 'no/such' does not exist.*",
    ),
    (
        "search --data no.npz",
        r"\[data\] name must be an existing .* but 'no\.npz' does not exist .*",
    ),
    ("search --data file.npz", r"'\S+/file\.npz' must be a NumPy archive.*"),
    ("search --data cut.npz", r"'\S+/cut\.npz' must be a NumPy archive of plain arrays, but .*"),
    ("search --data names.npz", r"'\S+/names\.npz' must have the arrays x_train, y_train, but .*"),
    ("search --data broken.toml", r"\[data\] name must be an \.npz file or a folder .*"),
    ("search --data folder", r"'\S+/folder' must have a folder of images for each class, .*"),
    ("search --data classes", r"class folder '\S+/classes/cat' must have at least one image.*"),
    (
        "search --data cats",
        r"data set 'cats' must have at least 2 classes, but has only \('cat',\)",
    ),
    (
        "search --set data.train_limit=10",
        r"\[data\] train_limit must leave every class at least 2 images, .* is enough",
    ),
    ("search --set data.image_size=0", r"\[data\] image_size must be a number of pixels .*=0"),
    ("search --set data.image_size=[8]", r"\[data\] image_size must be .*=\[8\]"),
    ("search --set data.image_size=8", r"\[data\] image_size must be set for a folder .*"),
    (
        "search --data no/folder --set data.image_size=8",
        r"\[data\] name must be an existing .npz file or folder, but '.*no/folder' does not .*",
    ),
    # databases
    (
        "list --db vlga.db",
        r"--db must be sqlite:///FILE or .*; for a file write sqlite:///vlga\.db",
    ),
    (
        "search --db mysql://me:secret@host/db",
        r"--db must be .*, but got 'mysql://me:\*\*\*@host/db'",
    ),
    ("list", rf"no database at {URL}; start a search first or give --db \(or VLGA_DB\)"),
    ("db check", rf"no database at {URL}; .*"),
    ("db upgrade", rf"no database at {URL}; .*"),
    ("search --db sqlite:///file.npz/my.db", rf"database {URL}: the folder must exist and be .*"),
    ("list --db sqlite:///file.npz", rf"database {URL}: the file must be an SQLite database, .*"),
    ("search --db sqlite:///file.npz", rf"database {URL}: the file must be an SQLite database, .*"),
    (
        "list --db sqlite:///other.db",
        rf"database {URL} must be empty or made by vlga, but it has other tables \(pets\); .*",
    ),
    (
        "search --db sqlite:///newer.db",
        rf"database {URL} must have schema .* but has 'from the future'; install a newer vlga, .*",
    ),
    # searches
    (
        "search --name first --db sqlite:///ours.db",
        r"--name must be new in its database, but 'first' is taken; .* vlga resume first",
    ),
    ("show frist --db sqlite:///ours.db", r".* but 'frist' is not; did you mean 'first'\?"),
    ("top frist --db sqlite:///ours.db", r".* but 'frist' is not; did you mean 'first'\?"),
    ("resume frist --db sqlite:///ours.db", r".* but 'frist' is not; did you mean 'first'\?"),
    ("resume first --db sqlite:///ours.db", r".* unfinished to be resumed, but 'first' is compl.*"),
    ("resume first", rf"no database at {URL}; .*"),
    ("individual frist 0 --db sqlite:///ours.db", r".* 'frist' is not; did you mean 'first'\?"),
    ("individual first 0 --db sqlite:///ours.db", r".* but 'first' has no 0; it has none yet"),
    # workers
    (
        "search --inline --gpus-per-evaluation 1",
        r"--gpus-per-evaluation needs a GPU that torch can use, but this machine has none; .*",
    ),
    (
        "search --set budget.seconds=0",
        r"\[budget\] seconds must be greater than 0, but got seconds=0",
    ),
]


@pytest.fixture
def litter(home):
    """A folder with everything that one should not use."""
    (home / "file.npz").write_bytes(b"\x80 no archive, no text")
    (home / "broken.toml").write_text("seed = = 1\n")
    (home / "folder").mkdir()
    for folder in ("classes/cat", "classes/dog", "cats/cat"):
        (home / folder).mkdir(parents=True)
    for number in range(9):
        Image.new("L", (4, 4)).save(home / "cats" / "cat" / f"{number}.png")
    np.savez(home / "names.npz", images=np.zeros(3))
    np.savez(home / "cut.npz", x_train=np.zeros((50, 4, 4)), y_train=np.zeros(50))
    (home / "cut.npz").write_bytes((home / "cut.npz").read_bytes()[:900])
    with sqlite3.connect(home / "other.db") as connection:
        connection.execute("CREATE TABLE pets (name TEXT)")
    connection.close()
    for name in ("ours", "newer"):
        store = SqlStore(f"sqlite:///{name}.db")
        store.create_search(replace(record("first"), status="completed"))
        store.close()
    with sqlite3.connect(home / "newer.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from the future'")
    connection.close()
    return home


def contents(folder):
    """Give what is in a folder: files with their contents but for databases, whose rows count."""
    return {
        str(path.relative_to(folder)): None if ".db" in path.name else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def searches(file):
    """Give the names of all searches in a database."""
    connection = sqlite3.connect(file)
    try:
        return [name for (name,) in connection.execute("SELECT name FROM searches")]
    finally:
        connection.close()


@pytest.mark.parametrize(("typed", "answer"), MISTAKES, ids=[typed for typed, _ in MISTAKES])
def test_a_mistake_is_answered_in_one_line(litter, typed, answer):
    """Where, the rule, the value and the way out; no traceback, no output, no half-made search."""
    before = contents(litter)
    told = vlga(*typed.split())

    assert re.fullmatch(f"vlga: {answer}\n", told.err), told.err
    assert (told.code, told.out) == (2, "")
    after = contents(litter)
    after.pop("vlga.db", None)
    assert after == before
    assert searches(litter / "ours.db") == searches(litter / "newer.db") == ["first"]
    if (litter / "vlga.db").exists():
        assert searches(litter / "vlga.db") == []


@pytest.mark.usefixtures("no_cluster")
def test_a_gpu_that_no_node_has_is_refused(home):
    """Ray would wait for it for ever."""
    told = vlga("search", *SMALL[1:], "--workers", "1", "--gpus-per-evaluation", "1")

    assert told.code == 2
    begun, mistake = told.err.splitlines()
    assert begun == "starting Ray on this machine ..."
    assert mistake.startswith("vlga: --gpus-per-evaluation ")
    assert searches(home / "vlga.db") == []


def test_a_cluster_comes_from_the_environment_too(home, monkeypatch):
    """RAY_ADDRESS, as for all that runs on Ray; an option goes before it."""
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")

    assert "the Ray cluster at '127.0.0.1:1' must be reachable" in vlga("search").err
    given = vlga("search", "--address", "127.0.0.1:2")
    assert "the Ray cluster at '127.0.0.1:2' must be reachable" in given.err
    assert vlga("list").out == ""
