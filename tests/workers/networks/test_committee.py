import torch
from torch import nn

from tests.support.trainings import network, plan
from workers.networks.committee import Committee, trained_network
from workers.networks.weights import Normalization, pack_weights


class Says(nn.Module):
    """A network whose logits are the same for every image."""

    def __init__(self, *logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, images):
        return self.logits.expand(len(images), -1)


def test_the_softmax_of_its_logits_is_the_mean_of_the_members_probabilities():
    """Not the mean of logits: how sure a member is counts."""
    members = [Says(0.0, 0.0, 9.0), Says(5.0, 0.0, 0.0), Says(1.0, 2.0, 3.0)]
    images = torch.zeros(2, 1, 4, 4)
    mean = torch.stack([one(images).softmax(1) for one in members]).mean(0)

    assert torch.allclose(Committee(members)(images).softmax(1), mean)


def test_one_alone_answers_as_it_is():
    """The very logits."""
    assert torch.equal(
        Committee([Says(1.0, 2.0)])(torch.zeros(3, 1, 4, 4))[0], torch.tensor([1.0, 2.0])
    )


def test_probabilities_too_small_for_a_float_are_no_nan():
    """A member that is quite sure says nothing infinite."""
    logits = Committee([Says(0.0, 1e4), Says(1e4, 0.0)])(torch.zeros(1, 1, 4, 4))

    assert torch.allclose(logits.softmax(1), torch.tensor([[0.5, 0.5]]))


def test_a_trained_network_is_ready_to_answer():
    """In evaluation mode, with its weights and what its images are normalized by."""
    trained, normalization = network(), Normalization(torch.ones(1), torch.full((1,), 2.0))
    for parameter in trained.parameters():
        nn.init.constant_(parameter, 0.25)
    found, normalized = trained_network(plan(), pack_weights(trained, normalization))

    assert not found.training
    pairs = zip(found.parameters(), trained.parameters(), strict=True)
    assert all(torch.equal(own, theirs) for own, theirs in pairs)
    assert torch.equal(normalized.std, normalization.std)
