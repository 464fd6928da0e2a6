import numpy as np
import pytest

from spikeloom.datasets import load_dataset
from spikeloom.encoding import encode
from spikeloom.evaluation import mean_spikes
from spikeloom.image import load_image
from spikeloom.image.identity import network_sha256
from spikeloom.packing import pack
from spikeloom.reference import simulate

FAST = ("--seconds", "0.3")


def test_the_same_scores_in_fewer_words(spikeloom, document, network, small_image, tmp_path):
    out = tmp_path / "placed" / "network.safetensors"
    before = network.read_bytes()
    data = document(spikeloom("place", network, "--lanes", "4,1", *FAST, "-o", out, "--json"))
    assert network.read_bytes() == before
    placed = load_image(out)
    assert data["network_sha256"] == network_sha256(placed)
    assert data["placed_from_sha256"] == network_sha256(small_image)
    for number, lanes in enumerate((4, 1)):
        layer = data["layers"][number]
        for when, image in (("before", small_image), ("after", placed)):
            packed = pack(image.layers[number], lanes)
            assert layer[when] == {"words": packed.words, "bits": packed.bits}
        assert layer["words_bound"] == small_image.layers[number].synapses / lanes
    hidden = data["layers"][0]
    assert hidden["after"]["words"] < hidden["before"]["words"]
    events = encode(small_image.encoding, load_dataset("digits").test.images[:40], 8)
    assert np.array_equal(simulate(placed, events).scores, simulate(small_image, events).scores)
    assert (out.parent / "place.json").is_file()


def test_rows_weighed_by_a_data_set(spikeloom, document, network, small_image, tmp_path):
    out = tmp_path / "out.safetensors"
    options = ("--lanes", "4,2", *FAST, "--dataset", "digits", "--json")
    data = document(spikeloom("place", network, *options, "-o", out))
    train = load_dataset("digits").train
    for when, image in (("before", small_image), ("after", load_image(out))):
        spikes = mean_spikes(image, train)
        for layer, means, made, lanes in zip(
            image.layers, spikes, data["layers"], (4, 2), strict=True
        ):
            expected = means @ pack(layer, lanes).count
            assert made[when]["words_read"] == pytest.approx(expected, rel=1e-12)
    hidden = data["layers"][0]
    assert hidden["after"]["words_read"] < hidden["before"]["words_read"]


def test_the_input_is_replaced_when_it_is_named(spikeloom, network, small_image):
    result = spikeloom("place", network.parent, "--lanes", "4,1", *FAST, "-o", network)
    assert result.exit_code == 0, result.stderr
    assert network_sha256(load_image(network)) != network_sha256(small_image)


def test_tables(spikeloom, network, tmp_path):
    options = ("--lanes", "4,1", *FAST, "--dataset", "digits")
    result = spikeloom("place", network, *options, "-o", tmp_path / "out.safetensors")
    assert result.exit_code == 0, result.stderr
    for text in ("Words", "Bits", "× entropy", "× synapses / lanes", "sample reads", "hidden"):
        assert text in result.stdout
    assert "place neurons" in result.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(["--lanes", "3"], "'3' is not a number of lanes", id="lanes"),
        pytest.param(["--lanes", "8,8,8"], "3 numbers for 2 layers", id="too many lanes"),
        pytest.param(["--seconds", "-1"], "--seconds", id="seconds"),
        pytest.param(["--seconds", "nan"], "--seconds", id="no number"),
        pytest.param(["--seed", "-1"], "--seed", id="seed"),
        pytest.param(["--dataset", "digit"], "did you mean 'digits'?", id="data set"),
    ],
)
def test_wrong_option_is_one_sentence(spikeloom, one_sentence, network, tmp_path, options, says):
    out = tmp_path / "out.safetensors"
    result = spikeloom("place", network, *options, "-o", out)
    assert result.exit_code == 2
    assert says in one_sentence(result)
    assert not out.exists()


def test_output_is_required_and_is_a_file(spikeloom, one_sentence, network, tmp_path):
    assert "--output" in one_sentence(spikeloom("place", network))
    assert "directory" in one_sentence(spikeloom("place", network, "-o", tmp_path))
