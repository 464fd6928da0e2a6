"""What `estimate` prints."""

import re


def test_ratios_have_one_format(spikeloom, network):
    result = spikeloom("estimate", network, "--lanes", "8,1")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    (head,) = (number for number, line in enumerate(lines) if "× entropy" in line)
    place = lines[head].index("× entropy")
    rows = [line[place:].split()[0] for line in lines[head + 2 : head + 4]]
    assert [bool(re.fullmatch(r"\d+\.\d\d", row)) for row in rows] == [True, True], rows


def test_cycles_are_counted_on_a_data_set(spikeloom, document, network):
    result = spikeloom("estimate", network, "--dataset", "digits", "--samples", "30", "--json")
    assert result.exit_code == 0, result.stderr
    cycles = document(result)["cycles"]
    assert cycles["samples"] == 30
    assert cycles["interval"]["mean"] <= cycles["latency"]["mean"] <= cycles["latency"]["max"]


def test_samples_need_a_data_set(spikeloom, one_sentence, network):
    assert "--dataset" in one_sentence(spikeloom("estimate", network, "--samples", "30"))


def test_a_data_set_has_so_many_samples(spikeloom, one_sentence, network):
    result = spikeloom("estimate", network, "--dataset", "digits", "--samples", "9999")
    assert "test samples" in one_sentence(result)
