import torch

from sparse_layer import Sparse
from spikeloom.sparsity import keep_nonzero


def test_active_weights_do_not_quantise_to_zero():
    layer = Sparse((1, 6), 0, scale=0.5)
    values = torch.tensor([[0.2, -0.01, 0.25, 0.0, 0.3, 0.9]])
    with torch.no_grad():
        layer.weight.copy_(values)
    layer.set_mask(torch.tensor([[True, True, True, True, True, False]]))
    assert layer.integers().weight.tolist() == [[0, 0, 0, 0, 1, 0]]
    keep_nonzero(layer)
    # Half a step rounds to even; a weight that was never trained and a pruned one stay 0.
    assert layer.integers().weight.tolist() == [[1, -1, 1, 0, 1, 0]]
    assert float(layer.weight.detach()[0, 4]) == float(values[0, 4])
    before = layer.weight.detach().clone()
    keep_nonzero(layer)
    assert torch.equal(layer.weight.detach(), before)


def test_each_neuron_may_have_its_scale():
    layer = Sparse((2, 1), 0, scale=torch.tensor([[0.5], [4.0]]))
    with torch.no_grad():
        layer.weight.fill_(0.2)
    keep_nonzero(layer)
    assert layer.integers().weight.tolist() == [[1], [1]]
    assert 2 < float(layer.weight.detach()[1, 0]) < 2.1
