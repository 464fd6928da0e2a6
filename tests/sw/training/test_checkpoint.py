import json

import pytest
import safetensors.torch
import torch

from spikeloom.errors import UserError
from spikeloom.training import Checkpoint, load_checkpoint, save_checkpoint


@pytest.fixture
def path(tmp_path, trained, config):
    file = tmp_path / "checkpoint.safetensors"
    save_checkpoint(
        file,
        Checkpoint(
            config=config, network=trained.network, epoch=trained.epoch, accuracy_validation=0.5
        ),
    )
    return file


def test_round_trip(path, trained, config):
    loaded = load_checkpoint(path)
    assert loaded.config == config
    assert (loaded.epoch, loaded.accuracy_validation) == (trained.epoch, 0.5)
    assert not loaded.network.training
    state = trained.network.state_dict()
    assert state.keys() == loaded.network.state_dict().keys()
    for name, value in loaded.network.state_dict().items():
        assert torch.equal(value, state[name])
        assert value.dtype == state[name].dtype


def truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def emptied(path):
    path.write_bytes(b"")


def removed(path):
    path.unlink()


def rewritten(without=(), **changes):
    def change(path):
        with safetensors.safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["spikeloom"])
        tensors = safetensors.torch.load_file(path)
        tensors = {name: value for name, value in tensors.items() if name not in without}
        header.update(changes)
        safetensors.torch.save_file(tensors, path, {"spikeloom": json.dumps(header)})

    return change


def foreign(path):
    safetensors.torch.save_file({"a": torch.zeros(2)}, path)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        pytest.param(removed, "there is no checkpoint", id="missing"),
        pytest.param(truncated, "is damaged", id="truncated"),
        pytest.param(emptied, "is damaged", id="empty"),
        pytest.param(foreign, "not a checkpoint of spikeloom", id="another file"),
        pytest.param(rewritten(schema=2), "damaged header", id="schema"),
        pytest.param(rewritten(zzz=2), "damaged header", id="unknown field"),
        pytest.param(rewritten(inputs=65), "does not fit its own header", id="shape"),
        pytest.param(
            rewritten(without=("chain.0.mask",)), "does not fit its own header", id="a tensor less"
        ),
        pytest.param(
            rewritten(config="[training]\nepoch = 1"), "did you mean 'epochs'", id="configuration"
        ),
    ],
)
def test_damaged_files_are_refused_by_name(path, damage, says):
    damage(path)
    with pytest.raises(UserError) as refusal:
        load_checkpoint(path)
    assert str(path) in str(refusal.value)
    assert says in str(refusal.value)
