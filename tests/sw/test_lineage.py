"""What is older than what it was made from is refused, by hash: in the run folder and beside it."""

import hashlib
from dataclasses import replace

import msgspec
import pytest

from spikeloom.errors import UserError
from spikeloom.image import save_image
from spikeloom.image.identity import network_sha256
from spikeloom.lineage import check_built_from, check_made_from, load_network


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "checkpoint.safetensors").write_text("one")
    return folder


@pytest.fixture
def keep(run, small_image):
    """`keep(name, …)`: a network in the run, with other words about where it comes from."""

    def save(name="network.safetensors", image=small_image, **claimed):
        provenance = msgspec.structs.replace(image.provenance, **claimed)
        save_image(run / name, replace(image, provenance=provenance))
        return run / name

    return save


ONE = hashlib.sha256(b"one").hexdigest()
CONFIG = "[training]\nseed = 7\n"


def test_a_network_of_the_training_beside_it(keep, small_image):
    assert network_sha256(load_network(keep(checkpoint_sha256=ONE))) == network_sha256(small_image)


def test_training_since_then(run, keep):
    path = keep(checkpoint_sha256=ONE)
    (run / "checkpoint.safetensors").write_text("two")
    with pytest.raises(UserError) as refused:
        load_network(path)
    assert str(refused.value) == (
        f"{path} is older than the training in {run}; run: spikeloom export {run}"
    )


def test_a_network_made_of_an_older_one(run, keep):
    path = keep("placed.safetensors", checkpoint_sha256="0" * 64)
    with pytest.raises(UserError, match=rf"spikeloom export {run}, and then make placed\S+ again"):
        load_network(path)


def test_a_training_that_is_not_finished(run, keep):
    path = keep(checkpoint_sha256=ONE)
    (run / "checkpoint.safetensors").rename(run / "progress.safetensors")
    with pytest.raises(UserError, match=f"is not finished; go on with it: spikeloom train .*{run}"):
        load_network(path)


@pytest.mark.parametrize(
    ("claimed", "there", "older"),
    [
        pytest.param(CONFIG, CONFIG, False, id="the same"),
        pytest.param(CONFIG, "[training]\nseed = 8\n", True, id="another"),
        pytest.param("", CONFIG, False, id="a network that does not say"),
        pytest.param(CONFIG, None, False, id="a folder that does not say"),
    ],
)
def test_before_checkpoints_were_remembered_the_configuration_tells(
    run, keep, claimed, there, older
):
    path = keep(config=claimed)
    if there is not None:
        (run / "config.toml").write_text(there)
    if older:
        with pytest.raises(UserError, match="is older than the training"):
            load_network(path)
    else:
        load_network(path)


def test_times_of_files_do_not_count(run, keep):
    path = keep(checkpoint_sha256=ONE)
    (run / "checkpoint.safetensors").write_text("one")
    load_network(path)


def test_a_folder_that_is_no_run(tmp_path, small_image):
    save_image(tmp_path / "network.safetensors", small_image)
    load_network(tmp_path / "network.safetensors")


@pytest.mark.parametrize(("verb", "kind"), [("generate", "design"), ("synth", "synth")])
def test_what_is_made_of_the_network(run, keep, small_image, verb, kind):
    path = keep(checkpoint_sha256=ONE)
    place = run / kind / "icebreaker"
    check_made_from(place, network_sha256(small_image), verb=verb)
    with pytest.raises(UserError) as refused:
        check_made_from(place, "0" * 64, verb=verb)
    assert str(refused.value) == (
        f"{place} is older than {path}; run: spikeloom {verb} {path} --target icebreaker"
    )
    with pytest.raises(UserError, match="--top core"):
        check_made_from(run / kind / "core", "0" * 64, verb=verb)
    # The network itself may be the one that is older.
    (run / "checkpoint.safetensors").write_text("two")
    with pytest.raises(UserError, match="run: spikeloom export"):
        check_made_from(place, network_sha256(small_image), verb=verb)


def test_what_is_made_of_another_network_in_the_folder(run, keep, small_image):
    keep(checkpoint_sha256=ONE)
    other = replace(small_image, time_steps=5)
    keep("placed.safetensors", image=other, checkpoint_sha256=ONE)
    check_made_from(run / "synth" / "icebreaker", network_sha256(other), verb="synth")


def test_of_other_folders_nothing_is_known(run, keep, tmp_path):
    keep(checkpoint_sha256=ONE)
    check_made_from(tmp_path / "elsewhere", "0" * 64, verb="synth")
    check_made_from(tmp_path / "a" / "synth" / "icebreaker", "0" * 64, verb="synth")


def test_a_reference_build(tmp_path, small_image):
    save_image(tmp_path / "network.safetensors", small_image)
    check_built_from(tmp_path, network_sha256(small_image))
    check_built_from(tmp_path, None)
    check_built_from(tmp_path / "nowhere", "0" * 64)
    with pytest.raises(UserError, match=r"older than .*build it again: bitstreams/build\.py"):
        check_built_from(tmp_path, "0" * 64)
