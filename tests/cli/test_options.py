"""Options that several commands share."""

import pytest

from vlga.cli.options import db_hint


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("sqlite:///vlga.db", ""),
        ("sqlite:///my searches.db", " --db 'sqlite:///my searches.db'"),
        ("postgresql://ada@host/x", " --db postgresql://ada@host/x"),
        ("postgresql://ada:secret@host/x", ' --db "$VLGA_DB"'),
        ("postgresql://ada@host/x?password=secret", ' --db "$VLGA_DB"'),
    ],
)
def test_a_command_to_type_next_names_the_database(url, hint):
    """As it was given, so that it can be pasted; one with a password is to be in VLGA_DB."""
    assert db_hint(url) == hint


def test_a_database_from_the_environment_is_not_repeated(monkeypatch):
    """Nor is the usual one where the variable is empty."""
    monkeypatch.setenv("VLGA_DB", "postgresql://ada:secret@host/x")
    assert db_hint("postgresql://ada:secret@host/x") == ""
    assert db_hint("sqlite:///vlga.db") == " --db sqlite:///vlga.db"

    monkeypatch.setenv("VLGA_DB", "")
    assert db_hint("sqlite:///vlga.db") == ""
