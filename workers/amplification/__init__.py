"""Gradient amplification: during some epochs the gradient through some layers is made larger.

The idea is from Basodi, Ji, Zhang, Pan: "Gradient amplification: An efficient way to train deep
neural networks" (2020, https://arxiv.org/abs/2006.10560), which draws the layers at random, and
Basodi, Pusuluri, Xiao, Pan: "Intelligent gradient amplification for deep neural networks" (2023,
https://arxiv.org/abs/2305.18445), which chooses them by how much their gradients fluctuate. We
could read only the papers' abstracts and introductions: every definition here is OURS, and every
quantity is a field of `vlga.AmplificationPlan`, so that a published value can be filled in.

    layers.py     which layers of a model may be amplified
    choice.py     which of them are, and in which epochs: pure functions
    measure.py    how steady a layer's gradients are
    hooks.py      multiplying and measuring, in eager and in compiled code
    amplifier.py  `Amplifier`, which does all of it in any training loop
"""

from workers.amplification.amplifier import Amplifier
from workers.amplification.layers import eligible_layers

__all__ = ["Amplifier", "eligible_layers"]
