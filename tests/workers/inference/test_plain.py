"""The network that is written is the network that is built."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from tests.support import generators
from tests.support.readmes import ROOT
from tests.support.records import genome
from tests.vlga.networks.test_named import plan as named_plan
from vlga.genetics.genome import Genome
from vlga.networks.named import MODELS
from vlga.networks.phenotype import Plan, decode
from vlga.networks.source import model_source
from vlga.networks.written import renamed
from workers.inference.plain import Reference, plain_network, run_source
from workers.networks.build import build


def trained(plan: Plan, seed: int = 0) -> dict[str, torch.Tensor]:
    """Give a state in which every entry counts: nothing is 0 or 1 as it is before a training."""
    network = build(plan, seed)
    generator = torch.Generator().manual_seed(seed)
    for name, entry in network.state_dict().items():
        if entry.is_floating_point() and entry.ndim <= 1:
            entry.copy_(torch.rand(entry.shape, generator=generator) + 0.5)
        elif name.startswith(("classifier", "fc")):
            nn.init.normal_(entry, std=0.1, generator=generator)
    return network.state_dict()


def reference_of(
    plan: Plan, state: dict[str, torch.Tensor], statistics: tuple[torch.Tensor, torch.Tensor]
) -> Reference:
    """Give what the built network says."""
    network = build(plan, 0).eval()
    network.load_state_dict(state)
    return Reference(network, plan.input_shape, statistics)


def agrees(plan: Plan, seed: int = 0) -> bool:
    """Tell whether the written network with the built one's weights gives its logits."""
    state = trained(plan, seed)
    mean = torch.linspace(0.3, 0.6, plan.input_shape[0])
    reference = reference_of(plan, state, (mean, mean / 2))
    source = model_source(
        [(plan, False)], "x", [*map(str, range(plan.n_classes))], *_lists(mean, mean / 2)
    )
    with torch.inference_mode():
        logits = plain_network(source, renamed(plan, state))(reference.images)
    assert logits.shape == (8, plan.n_classes)
    assert not torch.equal(logits, torch.zeros_like(logits))
    return reference.agrees(logits)


def _lists(*tensors: torch.Tensor) -> list[list[float]]:
    return [one.tolist() for one in tensors]


def plans() -> st.SearchStrategy[Plan]:
    """Networks of up to four blocks for small images, odd sizes included."""
    shapes = st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))
    return st.builds(decode, generators.genomes(max_blocks=4), shapes, st.integers(2, 10))


@settings(max_examples=20)
@given(plans(), st.integers(0, 9))
@example(decode(genome(3), (1, 7, 5), 3), 0)  # pool and skip on odd sizes
def test_a_searched_network_gives_the_same_logits(plan: Plan, seed: int):
    """Any network, with weights that all count."""
    assert agrees(plan, seed)


@pytest.mark.parametrize("model", ["simple_cnn", "small_vgg_plain", "small_resnet_16", "resnet18"])
def test_a_known_network_gives_the_same_logits(model: str):
    """With and without batch normalization, of three stages and of torchvision's four."""
    assert agrees(named_plan(model, (1, 9, 7), n_classes=7))


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_known_network_has_the_same_layers(model: str):
    """Every entry of its state, in its shape, by a name of its own."""
    plan = named_plan(model, (3, 37, 33), n_classes=7)
    module = run_source(
        model_source([(plan, False)], "x", "abcdefg", [0.5] * 3, [0.2] * 3), Path("model.py")
    )
    with torch.device("meta"):
        built, written = build(plan, 0).state_dict(), module["Network"]().state_dict()

    assert {name: one.shape for name, one in renamed(plan, built).items()} == {
        name: one.shape for name, one in written.items()
    }


def test_a_wrong_network_does_not_agree():
    """One weight that differs is seen."""
    plan = decode(genome(), (1, 8, 8), 2)
    state = trained(plan)
    reference = reference_of(plan, state, (torch.tensor([0.5]), torch.tensor([0.25])))
    source = model_source([(plan, False)], "x", "ab", [0.5], [0.25])
    changed = {name: one.clone() for name, one in renamed(plan, state).items()}
    changed["classifier.bias"][0] += 0.01

    assert reference.agrees(plain_network(source, renamed(plan, state))(reference.images[:1]))
    assert not reference.agrees(plain_network(source, changed)(reference.images[:1]))


def test_names_are_text_and_never_code():
    """Quotes, line ends, backslashes and what no terminal shows come back as they were."""
    classes = ['"""', "a\nb\r", "\\", "\\n", "{x}", 'é"', "\u202e", "\udc80", "🙂"]
    plan = decode(genome(), (1, 8, 8), len(classes))
    source = model_source([(plan, False)], '"""\nimport nothing\n"""\\', classes, [0.5], [0.25])
    module = run_source(source, Path("model.py"))

    assert module["CLASSES"] == tuple(classes)
    assert module["__doc__"] == '"""\nimport nothing\n"""\\'
    assert source.encode()
    assert all(len(line) <= 100 for line in source.splitlines())


SMALL_RESNET = named_plan("small_resnet_16", (3, 32, 32), n_classes=2)


@pytest.mark.parametrize(
    ("members", "classes", "levels"),
    [
        ([(decode(genome(4), (1, 8, 8), 60), False)], ["a b", 'x"y', "it's", "\t"] * 15, (0, 4095)),
        ([(SMALL_RESNET, False)], ["a", "b"], (-1.5, 20)),
        ([(named_plan("vgg19", (4, 32, 32), n_classes=2), False)], ["a", "b"], None),
        ([(SMALL_RESNET, True), (SMALL_RESNET, False)], ["a", "b"], None),
    ],
    ids=["searched", "residual", "chain", "committee"],
)
def test_the_text_is_as_ruff_would_have_it(members, classes: list[str], levels):
    """Linted by the project's rules, but that it lies in no package, and formatted."""
    ones = [1.0] * members[0][0].input_shape[0]
    source = model_source(members, "A network.", classes, ones, ones, levels=levels)
    for words in (
        ["check", "--config", str(ROOT / "pyproject.toml"), "--ignore", "INP001"],
        ["format", "--isolated", "--check"],
    ):
        run = subprocess.run(
            [Path(sys.executable).parent / "ruff", *words, "-"],
            input=source,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("gene", ["channels_a", "kernel_a"])
def test_alleles_that_are_no_numbers_do_not_get_into_the_text(gene):
    """A row of a database that somebody else has written cannot become code."""
    block = replace(genome().blocks[0], **{gene: "3); print("})
    with pytest.raises((ValueError, TypeError)):
        model_source(
            [(decode(Genome(genome().network, (block,)), (1, 8, 8), 2), False)],
            "x",
            "ab",
            [0.5],
            [0.25],
        )
