"""The fittest network of a search within a bound of what it may cost."""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass
from typing import Any

from db.read.weights import networks_with_weights
from db.store import SqlStore
from vlga.app.trained import find_trained
from vlga.errors import ConfigError, shown
from vlga.report.formats import count_text

__all__ = ["Bound", "fittest_under", "parse_bound"]

logger = logging.getLogger(__name__)

#: What each cost may be given in.
_UNITS: dict[str, dict[str, float]] = {
    "parameters": {"": 1, "k": 1e3, "M": 1e6, "G": 1e9},
    "macs": {"": 1, "k": 1e3, "M": 1e6, "G": 1e9},
    "latency": {"us": 1e-6, "ms": 1e-3, "s": 1},
}


@dataclass(frozen=True, slots=True)
class Bound:
    """What a network may cost.

    Attributes:
        cost: ``parameters``, ``macs`` or ``latency``.
        most: that it may have, above 0; seconds of latency.
    """

    cost: str
    most: float


def parse_bound(text: str) -> Bound:
    """Read a bound such as ``parameters=100k``, ``macs=5M`` or ``latency=5ms``.

    Raises:
        ConfigError: it is none.
    """
    cost, _, amount = text.partition("=")
    units = _UNITS.get(cost, {})
    found = re.fullmatch(r"\s*([0-9_.]+)\s*([a-zA-Z]*)\s*", amount)
    if found and found[2] in units:
        try:
            most = float(found[1]) * units[found[2]]
        except ValueError:
            most = 0.0
        if 0 < most < math.inf:
            return Bound(cost, most)
    raise ConfigError(
        "--under must be parameters or macs with a number, such as parameters=100k or macs=5M, or "
        f"latency with a time, such as latency=5ms, but got {shown(text)}"
    )


def fittest_under(store: SqlStore, search: str, bound: Bound) -> str:
    """Give the fittest network of a search within a bound, as ``SEARCH:ID``, and log what it costs.

    Only networks whose weights were kept are looked at. A latency is measured now, on this machine.

    Raises:
        SearchNotFound: there is no such search.
        ConfigError: no network is within the bound; the search is given with an ID.
        StoreError: as `find_trained`, for a latency.
    """
    if ":" in search:
        raise ConfigError(
            f"--under must be given with a search, whose network it chooses, but got {search!r}"
        )
    least = math.inf
    for row in networks_with_weights(store.engine, search):
        name = f"{search}:{row['id']}"
        cost = _cost(store, name, row, bound.cost)
        if cost <= bound.most:
            logger.info(_words(name, row, bound.cost, cost))
            return name
        least = min(least, cost)
    known = f"the least that one has is {_amount(bound.cost, least)}"
    raise ConfigError(
        f"--under must leave a network of {search!r} whose weights were kept, but none has at most "
        f"{_amount(bound.cost, bound.most)}; " + ("none was kept" if least == math.inf else known)
    )


def _cost(store: SqlStore, name: str, row: dict[str, Any], cost: str) -> float:
    """Give what a network costs as it is written; a look at mirror images costs as much again."""
    if cost == "parameters":
        return float(row[cost])
    from workers.networks.committee import trained_network
    from workers.training.latency import measured_latency

    one = find_trained(store, name)
    with one.must_fit():
        network, normalization = trained_network(one.plan, one.weights)
    if cost == "macs":
        return float(row[cost]) * (2 if normalization.mirrored else 1)
    return measured_latency(network, one.data.input_shape)


def _words(name: str, row: dict[str, Any], cost: str, amount: float) -> str:
    """Say which network was chosen."""
    costs = {"parameters": row["parameters"], "macs": row["macs"]} | {cost: amount}
    words = ", ".join(_amount(one, value) for one, value in costs.items())
    return f"{name} is the fittest within the bound: fitness {row['fitness']:.4f}, {words}"


def _amount(cost: str, amount: float) -> str:
    if cost == "latency":
        return f"{1000 * amount:.3g} ms an image on one CPU thread of this machine"
    return f"{count_text(amount)} {'MACs' if cost == 'macs' else cost}"
