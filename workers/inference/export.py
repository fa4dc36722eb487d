"""Files of a trained network that need no vlga, each checked against it before anybody has it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from vlga.errors import ExportError
from vlga.networks.phenotype import Plan
from vlga.networks.source import PREDICT, model_source
from vlga.networks.written import renamed
from workers.inference.plain import Reference, plain_network, run_source
from workers.networks.committee import Committee
from workers.networks.mirrored import Mirrored
from workers.networks.weights import Normalization

__all__ = ["FILES", "Exporter"]

#: What is written in each format.
FILES = {
    "source": ("model.py", "weights.safetensors", "predict.py"),
    "onnx": ("model.onnx",),
    "program": ("model.pt2",),
}

#: Any number of images.
_SHAPES = {"images": {0: torch.export.Dim("n")}}


class Exporter:
    """A trained network on the CPU, ready to be written in several formats.

    Args:
        members: of each network its plan and what `trained_network` gave for it; of several,
            which must be for the same images, the mean of their probabilities is written.
        classes: names in the order of the logits.
        title: the first sentence of what is written.
    """

    def __init__(
        self,
        members: Sequence[tuple[Plan, nn.Module, Normalization]],
        classes: tuple[str, ...],
        title: str,
    ) -> None:
        plan, _, normalization = members[0]
        mean, std = normalization.mean, normalization.std
        together = _together([network for _, network, _ in members])
        self._reference = Reference(together, plan.input_shape, (mean, std))
        self._text = model_source(
            [(plan, one.mirrored) for plan, _, one in members],
            title,
            classes,
            mean.tolist(),
            std.tolist(),
            levels=normalization.levels,
            padded=normalization.padded,
        )
        self._state = _written_state(members)
        #: Plain PyTorch, in evaluation mode: images (n, channels, height, width) float32 in [0, 1]
        #: in, logits (n, n_classes) out.
        self.network = plain_network(self._text, self._state)
        #: Whether it looks at each image and at its mirror image.
        self.is_mirrored = any(one.mirrored for _, _, one in members)
        self._classes = json.dumps(classes)

    def write(self, kind: str, folder: Path) -> None:
        """Write the `FILES` of a format, read them back, and compare their logits.

        Args:
            kind: a key of `FILES`.
            folder: that exists.

        Raises:
            ExportError: torch cannot write the network, or what was written is another one.
            OSError: the folder cannot be written.
        """
        write = {"source": self._source, "onnx": self._onnx, "program": self._program}[kind]
        images = self._reference.images
        try:
            run = write(folder)
            with torch.inference_mode():
                agrees = all(self._reference.agrees(run(images[:n])) for n in (1, len(images)))
        except OSError:
            raise
        except Exception as error:  # exporters fail in ways of their own
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            raise ExportError(
                f"--format {kind} must be possible for this network, but writing it failed: "
                f"{reason}; choose another format"
            ) from error
        if not agrees:
            raise ExportError(
                f"--format {kind} must give the logits of the trained network, but "
                f"{FILES[kind][0]} gives others; choose another format"
            )

    def _source(self, folder: Path) -> Callable[[Tensor], Tensor]:
        model, weights, predict = (folder / name for name in FILES["source"])
        model.write_text(self._text, encoding="utf-8")
        weights.write_bytes(save(self._state))
        predict.write_text(PREDICT, encoding="utf-8")
        network: Callable[[Tensor], Tensor] = run_source(self._text, model)["load_network"]()
        return network

    def _onnx(self, folder: Path) -> Callable[[Tensor], Tensor]:
        import onnxruntime

        file = str(folder / FILES["onnx"][0])
        program = torch.onnx.export(
            self.network,
            (self._reference.images,),
            dynamo=True,
            dynamic_shapes=_SHAPES,
            input_names=["images"],
            output_names=["logits"],
            verbose=False,
        )
        assert program is not None
        program.model.metadata_props["classes"] = self._classes
        program.save(file)
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        return lambda images: torch.from_numpy(session.run(None, {"images": images.numpy()})[0])

    def _program(self, folder: Path) -> Callable[[Tensor], Tensor]:
        file = folder / FILES["program"][0]
        images = self._reference.images
        program = torch.export.export(self.network, (images,), dynamic_shapes=_SHAPES)
        torch.export.save(program, file, extra_files={"classes.json": self._classes})
        network: Callable[[Tensor], Tensor] = torch.export.load(file).module()
        return network


def _written_state(
    members: Sequence[tuple[Plan, nn.Module, Normalization]],
) -> dict[str, Tensor]:
    """Give all weights by the names that the written module has for them."""
    state: dict[str, Tensor] = {}
    for number, (plan, network, _) in enumerate(members):
        bare = network.network if isinstance(network, Mirrored) else network
        prefix = f"members.{number}." if len(members) > 1 else ""
        own = renamed(plan, bare.state_dict())
        state |= {f"{prefix}{name}": one.contiguous() for name, one in own.items()}
    return state


def _together(networks: Sequence[nn.Module]) -> nn.Module:
    return networks[0] if len(networks) == 1 else Committee(networks).eval()
