import pytest
import torch

from spikeloom.sparsity import InputRates, Layers
from spikeloom.sparsity.score import SCORES

LAYERS = Layers(
    weights=[torch.tensor([[1.0, -4.0, 2.0]])],
    masks=[torch.ones(1, 3, dtype=torch.bool)],
    rates=[torch.tensor([0.5, 0.0, 0.25], dtype=torch.float64)],
)


@pytest.mark.parametrize(
    ("score", "worth"),
    [
        pytest.param("magnitude", [1.0, 4.0, 2.0], id="magnitude"),
        pytest.param("drive", [0.5, 0.0, 0.5], id="drive"),
    ],
)
def test_worth(score, worth):
    assert SCORES[score](LAYERS)[0].tolist() == [worth]


def test_rates_are_means_over_batches_steps_and_samples():
    rates = InputRates()
    with pytest.raises(RuntimeError, match="observe at least one batch"):
        rates.means(torch.device("cpu"))
    first = torch.zeros(2, 5, 3, dtype=torch.bool)
    first[..., 0] = True
    second = torch.zeros(2, 5, 3)
    second[0, :, 1] = 1
    rates.observe([first, first[..., :1]])
    rates.observe([second, second[..., :1]])
    assert [mean.tolist() for mean in rates.means(torch.device("cpu"))] == [[0.5, 0.25, 0.0], [0.5]]
    rates.reset()
    rates.observe([second, second])
    assert rates.means(torch.device("cpu"))[0].tolist() == [0.0, 0.5, 0.0]
