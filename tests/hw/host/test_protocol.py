"""The words on the line, as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloom_hw.host import protocol
from spikeloom_hw.host.protocol import Answer, Identity


@pytest.mark.parametrize(
    ("steps", "encoded"),
    [
        pytest.param([[]], "0180", id="one empty step"),
        pytest.param([[], []], "0080 0180", id="two empty steps"),
        pytest.param([[0x1234, 5], [0x7FFF]], "3412 0500 0080 ff7f 0180", id="spikes"),
    ],
)
def test_sample(steps, encoded):
    assert protocol.encode_sample(steps) == bytes.fromhex(encoded)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        pytest.param([], "at least one time step", id="no step"),
        pytest.param([[0x8000]], "not 32768", id="address is a command"),
        pytest.param([[-1]], "not -1", id="negative address"),
    ],
)
def test_sample_refused(steps, message):
    with pytest.raises(ValueError, match=message):
        protocol.encode_sample(steps)


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=20), st.data())
def test_answer_round_trip(scores, data):
    label = data.draw(st.integers(0, len(scores) - 1))
    encoded = protocol.encode_answer(scores, label)
    assert len(encoded) == protocol.answer_bytes(len(scores))
    assert protocol.decode_answer(encoded, len(scores)) == Answer(scores=tuple(scores), label=label)


def test_answer_on_the_wire():
    assert protocol.encode_answer([-2, 256], 1) == bytes.fromhex("feffffff 00010000 01")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param("00000000", "5 bytes, not 4", id="too short"),
        pytest.param("0000000001", "Class 1 is none of 1", id="class out of range"),
    ],
)
def test_answer_refused(data, message):
    with pytest.raises(ValueError, match=message):
        protocol.decode_answer(bytes.fromhex(data), 1)


@given(st.integers(0, 255), st.binary(min_size=4, max_size=4))
def test_identity_round_trip(version, design_hash):
    identity = Identity(version=version, design_hash=design_hash)
    assert protocol.decode_identity(protocol.encode_identity(identity)) == identity


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"SPKL\x01abc", id="too short"),
        pytest.param(b"SPKM\x01abcd", id="other magic"),
    ],
)
def test_identity_refused(data):
    with pytest.raises(ValueError, match="Not a Spikeloom device"):
        protocol.decode_identity(data)


def test_design_hash_has_four_bytes():
    with pytest.raises(ValueError, match="must be 4 bytes, not b'abc'"):
        protocol.encode_identity(Identity(version=1, design_hash=b"abc"))


def test_loads_that_follow_each_other_travel_together():
    loads = [(0, 1, 7, 0x1234), (0, 1, 8, 5), (1, 1, 9, 6), (1, 2, 0, 40)]
    expected = "01a0 0700 0100 3412 0500  05a0 0900 0000 0600  06a0 0000 0000 2800"
    assert protocol.encode_load(loads) == bytes.fromhex(expected)


def test_a_memory_of_the_largest_size_travels_in_pieces():
    loads = [(0, 0, at & 0xFFFF, 1) for at in range(0x10000)]
    assert len(protocol.encode_load(loads)) == 2 * (3 + 0x10000)


def test_counters():
    assert protocol.decode_counters(bytes.fromhex("01000000 ffffffff")) == (1, 0xFFFFFFFF)
