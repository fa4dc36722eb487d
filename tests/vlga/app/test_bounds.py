"""What a network costs as it is exported."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch

from tests.support.trainings import network, plan
from vlga.app import bounds
from vlga.app.bounds import fittest_under, parse_bound
from vlga.errors import ConfigError
from workers.networks.weights import Normalization, pack_weights


@pytest.mark.parametrize(("mirrored", "n_looks"), [(False, 1), (True, 2)])
def test_a_look_at_mirror_images_counts(monkeypatch, mirrored, n_looks):
    """A network that makes it computes twice what its layers do."""
    n_macs = plan().n_macs
    weights = pack_weights(network(), Normalization(torch.zeros(1), torch.ones(1), None, mirrored))
    row = {"id": 7, "fitness": 0.5, "parameters": plan().n_parameters, "macs": n_macs}
    trained = SimpleNamespace(plan=plan(), weights=weights, must_fit=nullcontext)
    monkeypatch.setattr(bounds, "networks_with_weights", lambda *_: [row])
    monkeypatch.setattr(bounds, "find_trained", lambda *_: trained)
    store = SimpleNamespace(engine=None)

    assert fittest_under(store, "mine", parse_bound(f"macs={n_looks * n_macs}")) == "mine:7"
    with pytest.raises(ConfigError, match="none has at most"):
        fittest_under(store, "mine", parse_bound(f"macs={n_looks * n_macs - 1}"))
