"""What a file leaves open: given, read from it, assumed, or refused with the likely value."""

import numpy as np
import pytest

from nir_files import chain, end, entry, linear, neurons, one_lif
from spikeloom.errors import UserError
from spikeloom.importers.nir import read_nir
from spikeloom.importers.profile import CHOICES, FRAMEWORKS, MEANING, resolve


@pytest.fixture
def lif(nir_file):
    return read_nir(nir_file(*one_lif()))


def entries(profile):
    return {entry.name: (entry.value, entry.origin) for entry in profile.entries}


def test_each_entry_has_an_origin(lif):
    found = entries(resolve(lif, "norse", {"dt": 1e-4, "compare": ">="}))
    assert set(found) == {"dt", *CHOICES} == set(MEANING)
    assert found["dt"] == ("0.0001", "given")
    assert found["compare"] == (">=", "given")
    assert found["decay"] == ("euler", "assumed")
    assert all(entry.why for entry in resolve(lif, "norse", {"dt": 1.0}).entries[1:])


@pytest.mark.parametrize(
    ("framework", "given", "expected"),
    [
        pytest.param("norse", {}, "pass --dt 1e-4, or --dt 1e-3", id="norse, dt"),
        pytest.param("rockpool", {}, "pass --dt 1e-4", id="rockpool, dt"),
        pytest.param(
            "snntorch", {"dt": 1e-4}, "pass --reset subtract-late, which", id="snntorch, reset"
        ),
        pytest.param("snntorch", {"reset": "zero"}, "lost a gain", id="snntorch, gains"),
        pytest.param("spikingjelly", {}, "pass --reset value, which", id="spikingjelly, reset"),
        pytest.param("tensorflow", {}, "no profile 'tensorflow'", id="unknown framework"),
        pytest.param("norze", {}, "did you mean 'norse'?", id="misspelt framework"),
        pytest.param("norse", {"dt": -1.0}, "dt is -1.0: a positive number", id="negative dt"),
        pytest.param("norse", {"dt": 1.0, "reset": "never"}, "reset is 'never'", id="no choice"),
    ],
)
def test_refused_with_the_likely_value(lif, framework, given, expected):
    with pytest.raises(UserError) as error:
        resolve(lif, framework, given)
    assert expected in str(error.value)


def two_gains(nir_file, **fields):
    """CUBA neurons as snnTorch writes them, for dt = 1e-4."""
    plain = {"tau_mem": 1e-3, "r": 10.0, "tau_syn": 2e-4, "w_in": 2.0}
    return read_nir(
        nir_file(
            *chain(
                entry(2), linear(np.ones((3, 2))), neurons("CubaLIF", 3, **plain | fields), end(3)
            )
        )
    )


def test_dt_is_read_back_from_snntorchs_gains(nir_file):
    profile = resolve(two_gains(nir_file), "snntorch", {"reset": "zero"})
    assert profile.dt == 1e-4
    assert entries(profile)["dt"] == ("0.0001", "from the file")


def test_a_lost_gain_is_named(nir_file):
    with pytest.raises(UserError, match="tau/r differs from node to node"):
        resolve(two_gains(nir_file, w_in=1.0), "snntorch", {"reset": "zero"})


def test_the_gains_are_a_hint_for_others(nir_file):
    with pytest.raises(UserError, match=r"pass --dt 0\.0001, since tau/r is that in all nodes"):
        resolve(two_gains(nir_file), "norse", {})


def test_no_dt_without_a_time_constant(nir_file):
    graph = read_nir(nir_file(*chain(entry(1), linear([[1.0]]), neurons("IF", 1), end(1))))
    assert resolve(graph, "sinabs", {}).dt is None
    assert "dt" not in entries(resolve(graph, "norse", {}))
    # SpikingJelly writes 1/dt into the gain of IF neurons.
    assert resolve(graph, "spikingjelly", {"reset": "value"}).dt == 1e-4


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_habits_are_choices(framework):
    habits = FRAMEWORKS[framework]
    assert set(habits.entries) | set(habits.likely) == set(CHOICES)
    assert all(value in CHOICES[name] and why for name, (value, why) in habits.entries.items())
