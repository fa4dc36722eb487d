"""`vlga token`: made once shown, listed, revoked."""

from __future__ import annotations

from contextlib import closing

import pytest

from db.service.access import Access
from db.store import SqlStore
from tests.support.command import vlga
from vlga.errors import AccessDenied


def test_a_token_is_made_listed_and_revoked(tmp_path):
    """What is printed lets in until it is revoked; the list never shows it."""
    db = ("--db", f"sqlite:///{tmp_path}/vlga.db")
    empty = vlga("token", "list", *db)
    made = vlga("token", "create", "anna", "--read", "--days", "7", *db)
    rows = vlga("token", "list", "--format", "json", *db).json

    assert (empty.code, "no database" in empty.err) == (2, True)
    assert (made.code, made.out.count("\n")) == (0, 1)
    (row,) = rows
    assert (row["name"], row["scope"], row["state"]) == ("anna", "read", "good")
    assert made.out.strip() not in str(rows)
    with closing(SqlStore(db[1])) as store:
        assert Access(store.engine).token(made.out.strip()).name == "anna"
        assert vlga("token", "revoke", "anna", *db).err == "revoked anna\n"
        with pytest.raises(AccessDenied):
            Access(store.engine).token(made.out.strip())
    assert vlga("token", "list", *db).out.splitlines()[-1].split()[:3] == [
        "anna",
        "read",
        "revoked",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "a b"), "a token's name must be"),
        (("create", "a", "--days", "0"), "--days must be from 1"),
        (("revoke", "anna"), "a token must exist to be revoked, but 'anna' does not"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, arguments, said):
    """With exit code 2."""
    db = ("--db", f"sqlite:///{tmp_path}/vlga.db")
    vlga("token", "create", "other", *db)
    ran = vlga("token", *arguments, *db)

    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert said in ran.err
