"""Folded batch norm against batch norm."""

import pytest
import torch

from spikeloom.nn.norm import EPSILON, FoldedNorm


def batch_norm(sums, log_gain, offset):
    mean = sums.mean(dim=(0, 1, 3, 4), keepdim=True)
    variance = sums.var(dim=(0, 1, 3, 4), correction=0, keepdim=True)
    shape = (-1, 1, 1)
    normal = (sums - mean) / (variance + EPSILON).sqrt()
    return normal * log_gain.exp().reshape(shape) + offset.reshape(shape)


def test_a_comparison_is_that_of_batch_norm_and_so_are_its_gradients():
    generator = torch.Generator().manual_seed(1)
    sums = torch.randint(-40, 90, (3, 4, 5, 6, 6), generator=generator).double()
    norm = FoldedNorm(5, 1.0).double()
    with torch.no_grad():
        norm.log_gain.normal_(generator=generator).mul_(0.3)
        norm.offset.normal_(generator=generator)
    found = []
    for folded in (True, False):
        leaf = sums.clone().requires_grad_()
        norm.zero_grad()
        if folded:
            threshold, bias = (each.reshape(-1, 1, 1) for each in norm(leaf, torch.ones(5)))
            # How far a neuron that keeps nothing is above its threshold, in thresholds.
            ahead = (leaf + bias) / threshold - 1
        else:
            ahead = batch_norm(leaf, norm.log_gain, norm.offset) - 1
        ahead.square().sum().backward()
        found.append((ahead.detach(), leaf.grad, norm.log_gain.grad, norm.offset.grad))
    for mine, theirs in zip(*found, strict=True):
        assert theirs.abs().max() > 0
        assert torch.allclose(mine, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("unit", [0.01, 3.0])
def test_statistics_are_kept_in_real_units(unit):
    """Weights twice as fine make sums twice as large, of the same network."""
    norm = FoldedNorm(2, 1.0)
    sums = torch.randint(0, 50, (2, 8, 2), generator=torch.Generator().manual_seed(2)).float()
    for _ in range(200):
        norm(sums, torch.tensor(unit))
    norm.eval()
    threshold, bias = norm(torch.empty(0), torch.tensor(unit))
    fine, fine_bias = norm(torch.empty(0), torch.tensor(unit / 2))
    variance, mean = torch.var_mean(sums, (0, 1), correction=0)
    assert torch.allclose(threshold, (variance + EPSILON).sqrt(), rtol=1e-3)
    assert torch.allclose(bias, -mean, rtol=1e-3)
    assert torch.allclose(fine, 2 * threshold, rtol=1e-3)
    assert torch.allclose(fine_bias, 2 * bias, rtol=1e-3)
