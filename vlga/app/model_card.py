"""The README of an exported network: where it comes from, how good it is, how to use it."""

from __future__ import annotations

from collections.abc import Sequence

from vlga import __version__
from vlga.app.trained import TrainedNetwork
from vlga.config.fitness import fitness_words
from vlga.errors import plain
from vlga.report.formats import count_text, number_of
from vlga.report.rivals import accuracy_text, scores_text

__all__ = ["model_card", "title_of"]

_USES = {
    "source": """\
## In PyTorch

`model.py` is the network with its preprocessing, `weights.safetensors` has its weights. They need
torch, Pillow and safetensors.

```
python predict.py photo.jpg more.png
```""",
    "onnx": """\
## As ONNX

`model.onnx` runs in any ONNX runtime. Its metadata has the names of the classes, as `classes`.

```
session = onnxruntime.InferenceSession("model.onnx")
(logits,) = session.run(None, {"images": images})
```""",
    "program": """\
## As a program of torch.export

`model.pt2` needs torch alone. The names of the classes are in it, as `classes.json`.

```
network = torch.export.load("model.pt2").module()
logits = network(images)
```""",
}


def title_of(networks: Sequence[TrainedNetwork]) -> str:
    """Name a search's network, or the committee that several are, without a full stop."""
    numbers = [str(one.candidate_id) for one in networks]
    if len(numbers) == 1:
        return f"Network {numbers[0]} of the search {networks[0].search}"
    return f"Committee of {', '.join(numbers[:-1])} and {numbers[-1]} of {networks[0].search}"


def model_card(
    networks: Sequence[TrainedNetwork], formats: Sequence[str], *, mirrored: bool = False
) -> str:
    """Give the text, in Markdown.

    Args:
        networks: one, or the members of a committee.
        formats: in which it is written, keys of `vlga.app.exports.FORMATS`.
        mirrored: whether it looks at each image and at its mirror image.
    """
    data, plans = networks[0].data, [one.plan for one in networks]
    channels, height, width = data.input_shape
    n_classes = len(data.classes)
    size = (
        f"{number_of(sum(one.depth for one in plans), 'convolution')}, "
        f"{count_text(sum(one.n_parameters for one in plans))} parameters, "
        f"{count_text(sum(one.n_macs for one in plans))} MACs an image"
    )
    takes = (
        f"It takes `images`, (n, {channels}, {height}, {width}) float32 in [0, 1], normalizes "
        f"them itself,\nand gives `logits`, (n, {n_classes}) float32. Their softmax is the "
        "probability of each class."
    )
    if mirrored:
        takes += " They are the mean\nfor an image and for its mirror image: twice these MACs."
    rows = {
        "network": size if len(plans) == 1 else f"the mean of {len(plans)} networks: {size}",
        "images": f"{plain(data.name)}, {n_classes} classes, fingerprint `{data.fingerprint}`",
        **(_accuracies(networks[0]) if len(networks) == 1 else _accuracies_of_all(networks)),
    }
    head = [
        f"# {title_of(networks)}",
        f"Found and trained by vlga {__version__}.",
        "\n".join(["| | |", "| --- | --- |", *(f"| {key} | {rows[key]} |" for key in rows)]),
        takes,
    ]
    return "\n\n".join([*head, *(_USES[kind] for kind in formats)]) + "\n"


def _accuracies(trained: TrainedNetwork) -> dict[str, str]:
    data, epochs = trained.data, number_of(trained.epochs, "epoch")
    validates = data.fitness_on == "validation"
    name, fitness = trained.fitness_name, f"{trained.fitness:.4f}"
    if name == "accuracy":
        fitness = accuracy_text(trained.fitness, data.n_validation)
    chosen = (
        f"{fitness} on {data.n_validation:,} "
        f"{'validation' if validates else 'TEST'} images, by which the search chose it"
    )
    test, n_trained = "not measured", data.n_train
    if trained.test_accuracy is not None:
        tested = {"test_accuracy": trained.test_accuracy, "test_fitness": trained.test_fitness}
        test = f"{scores_text(tested, data.n_test, name)} on {data.n_test:,} images"
        test += " never used before" if validates else ""
        n_trained += data.n_validation if validates else 0
    return {
        f"validation {fitness_words(name)}": chosen,
        "test accuracy": test,
        "training": f"{epochs} on {n_trained:,} images",
    }


def _accuracies_of_all(networks: Sequence[TrainedNetwork]) -> dict[str, str]:
    """Give a row for the committee, and one for each member alone."""
    (n_test,) = {one.data.n_test for one in networks}
    together = networks[0].committee_accuracy
    assert together is not None
    rows = {"test accuracy": f"{accuracy_text(together, n_test)} on {n_test:,} images"}
    for one in networks:
        if one.test_accuracy is not None:
            alone = accuracy_text(one.test_accuracy, n_test)
            rows[f"{one.candidate_id} alone"] = f"{alone}, {number_of(one.epochs, 'epoch')}"
    return rows
