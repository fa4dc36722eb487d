import inspect

import pytest

from vlga import errors
from vlga.errors import VlgaError, nearest

BUILTINS_AND_CODES = {
    "ConfigError": (ValueError, 2),
    "DataError": (ValueError, 2),
    "GenomeError": (ValueError, 1),
    "ProtocolError": (RuntimeError, 1),
    "TooManyFailures": (RuntimeError, 1),
    "SoftwareChanged": (RuntimeError, 2),
    "SearchStopped": (RuntimeError, 130),
    "AccessDenied": (Exception, 2),
    "EvaluatorError": (RuntimeError, 2),
    "ExportError": (RuntimeError, 1),
    "StoreError": (Exception, 2),
    "NoIndividual": (LookupError, 2),
    "SearchNotFound": (LookupError, 2),
    "SearchExists": (Exception, 2),
    "SearchDone": (Exception, 2),
    "QueueFull": (Exception, 2),
    "SearchHeld": (Exception, 2),
    "LeaseLost": (Exception, 1),
    "StoreUnavailable": (Exception, 2),
    "StoreFailed": (Exception, 1),
    "SchemaVersionError": (Exception, 2),
}


@pytest.mark.parametrize("name", BUILTINS_AND_CODES)
def test_an_error_is_the_builtin_that_a_caller_expects_and_has_its_exit_code(name):
    """Every error is a VlgaError, its builtin kin, and carries the command line's exit code."""
    error = getattr(errors, name)
    builtin, exit_code = BUILTINS_AND_CODES[name]

    assert issubclass(error, VlgaError)
    assert issubclass(error, builtin)
    assert error.exit_code == exit_code


def test_every_public_error_is_in_the_table_above_and_in_the_module_s_drawing():
    """No error is exported without being drawn and tested."""
    classes = {name for name in errors.__all__ if inspect.isclass(getattr(errors, name))} - {
        "VlgaError"
    }

    assert classes == set(BUILTINS_AND_CODES)
    assert all(name in errors.__doc__ for name in classes)


def test_a_typo_is_answered_with_the_nearest_known_word():
    """One near word is suggested."""
    assert nearest("popullation", ["seed", "population"]) == "; did you mean 'population'?"


def test_a_word_like_no_other_is_answered_with_all_known_words():
    """Without a near word the known ones are listed, sorted."""
    assert nearest("x", {"seed", "budget"}) == "; known: budget, seed"
