"""Named methods: what they expand to, and who overrides whom."""

import pytest

from spikeloom.config import METHODS, SparsityConfig, dump_config, load_config, parse_config
from spikeloom.config.methods import expand
from spikeloom.errors import UserError


def sparsity(text, method=None):
    return parse_config(f"[sparsity]\n{text}", source="run.toml", method=method).sparsity


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_its_keys_and_the_resolved_file_says_them(method):
    config = parse_config(f"[sparsity]\nmethod = '{method}'", source="run.toml")
    written = dump_config(config).splitlines()
    for key, value in expand(method, SparsityConfig().density).items():
        assert getattr(config.sparsity, key) == value
        assert any(line.startswith(f"{key} = ") for line in written)
    assert f'method = "{method}"' in written
    assert parse_config(dump_config(config), source="again") == config


def test_the_schema_takes_each_of_them():
    with pytest.raises(UserError) as refusal:
        sparsity("method = 'lottery'")
    for method in METHODS:
        assert f"'{method}'" in str(refusal.value)


def test_no_two_methods_are_the_same():
    expanded = [tuple(sorted(expand(method, 0.1).items())) for method in METHODS]
    assert len(set(expanded)) == len(METHODS)


def test_without_a_method_the_keys_speak():
    assert sparsity("ratio = 'constant'") == SparsityConfig(ratio="constant")
    assert sparsity("").method == "custom"


def test_keys_beside_a_method_override_it():
    made = sparsity("method = 'rigl'\nfraction = 0.1\nregrow = 'momentum'")
    assert (made.fraction, made.regrow, made.decay) == (0.1, "momentum", "cosine")


def test_a_method_from_outside_overrides_the_file_but_not_its_budget():
    text = """
        method = "set"
        density = 0.05
        ratio = "pq-layer"
        every_epochs = 7
        banks = 8
    """
    made = sparsity(text, method="rigl")
    assert (made.method, made.ratio, made.regrow) == ("rigl", "constant", "gradient")
    assert (made.density, made.initial_density) == (0.05, 0.05)
    assert (made.every_epochs, made.banks) == (7, 8)


@pytest.mark.parametrize(
    ("method", "density", "initial"),
    [
        ("static", 0.1, 0.1),
        ("set", 0.1, 0.1),
        ("rigl", 0.1, 0.1),
        ("esl", 0.1, 0.1),
        ("dense", 1.0, 1.0),
        ("sap", 0.1, 1.0),
        ("one-shot", 0.1, 1.0),
        ("iterative", 0.1, 1.0),
        ("pq-layer", 0.1, 0.5),
        ("pq-spike", 0.1, 0.5),
    ],
)
def test_where_they_start_and_end(method, density, initial):
    made = sparsity("density = 0.1", method=method)
    assert (made.density, made.initial_density) == (density, initial)


def test_a_target_above_the_paper_s_start_is_the_start():
    assert sparsity("method = 'pq-layer'\ndensity = 0.7").initial_density == 0.7


def test_a_mistake_beside_a_method_is_still_named(tmp_path):
    for text, says in (
        ("method = 'rigl'\ndensity = 'a'", "density is 'a', but it must be a number"),
        ("method = 3", "method is 3, but it must be one of"),
        ("method = 'rigl'\ndensty = 0.3", "did you mean 'density'?"),
    ):
        with pytest.raises(UserError, match=r"^run\.toml: ") as refusal:
            sparsity(text)
        assert says in str(refusal.value)
    (tmp_path / "run.toml").write_text("[sparsity]\ndensity = 0.3")
    assert load_config(tmp_path / "run.toml", method="static").sparsity.ratio == "none"
