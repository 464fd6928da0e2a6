"""Stands in for snnTorch in tests of the documents: its Leaky cell, with its default gradient."""

import torch
from torch import Tensor, nn

RESETS = {"subtract": 0, "zero": 1, "none": 2}


class _Spike(torch.autograd.Function):
    """1 above 0; the gradient of an arctangent."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x > 0).to(x)

    @staticmethod
    def backward(ctx, *grad_outputs):
        (x,) = ctx.saved_tensors
        return grad_outputs[0] / (1 + (torch.pi * x) ** 2)


class Leaky(nn.Module):
    """`mem = beta·mem + x`, with the reset one step late."""

    beta: Tensor
    threshold: Tensor
    reset_mechanism_val: Tensor

    def __init__(self, beta, threshold=1.0, reset_mechanism="subtract", init_hidden=False):
        super().__init__()
        assert init_hidden
        self.register_buffer("beta", torch.as_tensor(beta))
        self.register_buffer("threshold", torch.as_tensor(threshold))
        self.register_buffer("reset_mechanism_val", torch.as_tensor(RESETS[reset_mechanism]))
        self.mem = None

    def reset_mem(self):
        self.mem = None

    def forward(self, x):
        mem = torch.zeros_like(x) if self.mem is None else self.mem
        before = (mem > self.threshold).to(x)
        if int(self.reset_mechanism_val) == 1:
            mem = mem * (1 - before)
        mem = self.beta.clamp(0, 1) * mem + x
        if int(self.reset_mechanism_val) == 0:
            mem = mem - before * self.threshold
        self.mem = mem
        return _Spike.apply(mem - self.threshold)
