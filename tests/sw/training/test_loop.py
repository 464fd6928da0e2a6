"""One batch and one epoch, worked out again beside the code: every term, setting and record."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import log_softmax

from spikeloom.config import parse_config
from spikeloom.training import loop
from spikeloom.training.batches import training_batches
from spikeloom.training.loop import run_epoch, train_batch
from spikeloom.training.measure import measure
from spikeloom.training.state import Progress
from spikeloom.training.trainer import begin
from tiny import TEXT, tiny_dataset

DATASET = tiny_dataset()


def started(text=""):
    config = parse_config(TEXT + text, source="x")
    state = begin(config, DATASET)
    batches = list(training_batches(DATASET, config.data, config.training, epoch=1))
    state.network.train()
    return config, state, batches


def weights(state):
    return [layer.weight.detach().clone() for layer in state.network.layers]


def loss_by_hand(state, training, events, labels):
    """Cross-entropy with smoothed labels and the penalty of activity, from their definitions."""
    activity = state.network(events)
    classes = activity.logits.shape[1]
    target = torch.full_like(activity.logits, training.label_smoothing / classes)
    target[torch.arange(len(labels)), labels] += 1 - training.label_smoothing
    loss = -(target * log_softmax(activity.logits, dim=1)).sum(dim=1).mean()
    hidden = [spikes.sum(dim=0).mean() for spikes in activity.spikes[:-1]]
    return loss + training.activity * sum(hidden) / max(1, len(hidden)), activity


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="cross-entropy, a tenth smoothed"),
        pytest.param("label_smoothing = 0.0", id="not smoothed"),
        pytest.param("label_smoothing = 0.7", id="smoothed much"),
        pytest.param("activity = 2.0", id="activity"),
        pytest.param("activity = 2.0\nlabel_smoothing = 0.0", id="activity, not smoothed"),
    ],
)
def test_a_batch_has_this_loss_and_goes_down_its_gradient(text):
    config, state, batches = started(text)
    events, labels = batches[0]
    loss, activity = loss_by_hand(state, config.training, events, labels)
    expected = torch.autograd.grad(loss, [layer.weight for layer in state.network.layers])
    train_batch(state, config.training, events, labels)
    assert state.progress.loss == pytest.approx(float(loss.detach()) * len(labels), rel=1e-6)
    assert state.progress.correct == int((activity.predictions == labels).sum())
    for layer, gradient in zip(state.network.layers, expected, strict=True):
        assert layer.weight.grad is not None
        assert torch.allclose(layer.weight.grad, gradient * layer.mask, rtol=1e-5, atol=1e-8)
        assert (gradient != 0).any()


@pytest.mark.parametrize("hidden", [[], [6], [7, 5]])
def test_activity_is_the_mean_of_hidden_layers_whatever_their_number(hidden):
    text = TEXT.replace("hidden = [6]", f"hidden = {hidden}").replace("gain = 2.5", "gain = 8")
    text += "activity = 1.0"
    config = parse_config(text, source="x")
    state = begin(config, DATASET)
    events, labels = next(iter(training_batches(DATASET, config.data, config.training, epoch=1)))
    with torch.no_grad():
        expected, activity = loss_by_hand(state, config.training, events, labels)
    assert not hidden or activity.spikes[0].any()
    train_batch(state, config.training, events, labels)
    assert state.progress.loss == pytest.approx(float(expected) * len(labels), rel=1e-6)


def test_sums_over_batches_weigh_samples_alike():
    config, state, batches = started()
    losses, correct = 0.0, 0
    for events, labels in batches:
        with torch.no_grad():
            loss, activity = loss_by_hand(state, config.training, events, labels)
        losses += float(loss) * len(labels)
        correct += int((activity.predictions == labels).sum())
        train_batch(state, config.training, events, labels)
    assert [len(labels) for _, labels in batches] == [16, 16, 8]
    assert state.progress.loss == pytest.approx(losses, rel=1e-6)
    assert state.progress.correct == correct > 0


def adamw(weight, gradient, rate, decay):
    """The first step: the means of gradient and square are those of one batch."""
    return weight * (1 - rate * decay) - rate * gradient / (gradient.abs() + 1e-8)


def sgd(weight, gradient, rate, decay):
    """The first step with Nesterov's momentum of 0.9."""
    return weight - rate * 1.9 * (gradient + decay * weight)


@pytest.mark.parametrize(("name", "step"), [("adamw", adamw), ("sgd", sgd)])
@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_the_first_step_of_the_optimiser(name, step, decay):
    text = f"optimizer = '{name}'\nweight_decay = {decay}"
    config, state, batches = started(text)
    before = weights(state)
    events, labels = batches[0]
    train_batch(state, config.training, events, labels)
    for layer, weight in zip(state.network.layers, before, strict=True):
        expected = step(weight, layer.weight.grad, 0.02, decay) * layer.mask
        assert torch.allclose(layer.weight, expected, rtol=1e-5, atol=1e-7)
        assert not torch.equal(layer.weight, weight)


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_momentum_remembers(name):
    config, state, batches = started(f"optimizer = '{name}'")
    train_batch(state, config.training, *batches[0])
    moved = weights(state)
    for layer in state.network.layers:
        layer.weight.grad = torch.zeros_like(layer.weight)
    state.optimizer.step()
    assert not torch.equal(state.network.layers[0].weight, moved[0])


class Watched:
    """Stands in for a part and tells in which order it is called."""

    def __init__(self, part, calls, names):
        self._part, self._calls, self._names = part, calls, names

    def __getattr__(self, name):
        found = getattr(self._part, name)
        if name not in self._names:
            return found

        def called(*arguments, **options):
            self._calls.append((name, *arguments))
            return found(*arguments, **options)

        return called


def test_the_rewirer_sees_each_batch_in_order():
    config, state, batches = started()
    calls = []
    names = ("after_backward", "after_step", "step", "zero_grad")
    object.__setattr__(state, "rewirer", Watched(state.rewirer, calls, names))
    object.__setattr__(state, "optimizer", Watched(state.optimizer, calls, names))
    events, labels = batches[0]
    train_batch(state, config.training, events, labels)
    assert [call[0] for call in calls] == ["zero_grad", "after_backward", "step", "after_step"]


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        pytest.param("", [0.5 * (1 + math.cos(math.pi * at / 4)) for at in range(4)], id="cosine"),
        pytest.param("schedule = 'constant'", [1.0] * 4, id="constant"),
    ],
)
def test_the_rate_of_each_epoch_is_used_and_recorded(text, rates):
    config, state, _ = started(text)
    for factor in rates:
        used = []
        step = state.optimizer.step
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                state.optimizer,
                "step",
                lambda step=step, used=used: (
                    used.extend(group["lr"] for group in state.optimizer.param_groups),
                    step(),
                ),
            )
            record = run_epoch(state, config, DATASET)
        assert used == [record["learning_rate"]] * 3
        assert used[0] == pytest.approx(0.02 * factor)


def test_a_record_says_what_was_measured():
    config, state, _ = started("[quantization]\nscale = 'max'")
    before = [layer.mask.clone() for layer in state.network.layers]
    seen = []
    record = run_epoch(
        state,
        config,
        DATASET,
        lambda state: seen.append((state.progress.batch, state.progress.loss)),
    )
    layers = state.network.layers
    result = measure(state.network, DATASET.validation, encoding=config.data.encoding, time_steps=3)
    assert [batch for batch, _ in seen] == [1, 2, 3]
    places = [layer.mask.numel() for layer in layers]
    active = [int(layer.mask.sum()) for layer in layers]
    synapses = [int((layer.integers().weight != 0).sum()) for layer in layers]
    assert record.pop("seconds") > 0
    rows = record.pop("layers")
    accuracy = record.pop("accuracy")
    assert accuracy * 40 == pytest.approx(round(accuracy * 40))
    assert record == {
        "epoch": 1,
        "learning_rate": 0.02,
        "loss": seen[-1][1] / 40,
        "loss_validation": result.loss,
        "accuracy_validation": result.accuracy,
        "density": sum(active) / sum(places),
        "synapses": sum(synapses),
    }
    for at, (row, mask, layer) in enumerate(zip(rows, before, layers, strict=True)):
        assert row["density"] == active[at] / places[at]
        assert row["synapses"] == synapses[at]
        assert row["spikes"] == result.spikes[at]
        assert row["operations"] == result.operations[at]
        assert row["pq_index"] == state.rewirer.indices()[at]
        assert row["pruned"] >= int((mask & ~layer.mask).sum())
        assert row["pruned"] - row["regrown"] == int(mask.sum()) - int(layer.mask.sum())
    assert sum(row["pruned"] for row in rows) > sum(row["regrown"] for row in rows) > 0
    assert vars(state.progress) | {"history": [], "best_state": {}} == vars(
        Progress(epoch=2, best=state.progress.best, best_epoch=1)
    )


def test_an_epoch_goes_on_after_the_batches_that_are_done():
    config, whole, _ = started()
    record = run_epoch(whole, config, DATASET)
    config, halved, batches = started()
    for group in halved.optimizer.param_groups:
        group["lr"] = 0.02
    train_batch(halved, config.training, *batches[0])
    halved.progress.batch = 1
    again = run_epoch(halved, config, DATASET)
    assert {**again, "seconds": 0} == {**record, "seconds": 0}


def test_the_best_epoch_is_chosen_by_accuracy_then_loss(monkeypatch):
    """A made-up measurement an epoch: a tie in accuracy goes to the lower loss, the first first."""
    told = [(0.5, 2.0), (0.7, 1.5), (0.7, 1.4), (0.7, 1.4), (0.6, 0.1)]
    real = loop.measure
    results = iter(told)

    def measured(*arguments, **options):
        accuracy, loss = next(results)
        return replace(real(*arguments, **options), accuracy=accuracy, loss=loss)

    monkeypatch.setattr(loop, "measure", measured)
    text = TEXT.replace("epochs = 4", "epochs = 5") + "[quantization]\nlimit = 0.5"
    config = parse_config(text.replace("start_epoch = 1", "ratio = 'none'"), source="x")
    state = begin(config, DATASET)
    chosen, states = [], []
    for _ in told:
        run_epoch(state, config, DATASET)
        chosen.append(state.progress.best_epoch)
        states.append(state.network.state_dict()["chain.0.linear.weight"].clone())
    assert chosen == [1, 2, 3, 3, 3]
    assert state.progress.best == (0.7, -1.4)
    kept = state.progress.best_state["chain.0.linear.weight"]
    assert torch.equal(kept, states[2])
    assert not torch.equal(kept, states[4])
