"""What the verbs leave in a run's folder."""

import json

import pytest

from spikeloom.image.identity import network_sha256


@pytest.mark.parametrize("verb", ["estimate", "generate"])
def test_a_record_names_the_network(spikeloom, run_folder, small_image, verb):
    assert spikeloom(verb, run_folder).exit_code == 0
    record = json.loads((run_folder / f"{verb}.json").read_text())
    assert record["network_sha256"] == network_sha256(small_image)
