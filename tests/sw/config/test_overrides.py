"""Keys that the command line sets in place of the file's."""

import pytest

from spikeloom.config import parse_config
from spikeloom.config.overrides import with_settings
from spikeloom.config.schema import Config
from spikeloom.errors import UserError

TABLES = {"training": {"epochs": 9, "seed": 1}}

SET = {
    "a key of the file": (["training.epochs=20"], {"training": {"epochs": 20, "seed": 1}}),
    "without its table": (["epochs=20"], {"training": {"epochs": 20, "seed": 1}}),
    "a new table": (["sparsity.density = 0.1"], {**TABLES, "sparsity": {"density": 0.1}}),
    "text": (["method=rigl"], {**TABLES, "sparsity": {"method": "rigl"}}),
    "text in quotes": (['sparsity.method="rigl"'], {**TABLES, "sparsity": {"method": "rigl"}}),
    "a list": (["network.hidden=[3, 4]"], {**TABLES, "network": {"hidden": [3, 4]}}),
    "true": (["bias=true"], {**TABLES, "network": {"bias": True}}),
    "deeper": (["network.leak.shift=2"], {**TABLES, "network": {"leak": {"shift": 2}}}),
    "the last of two": (["epochs=3", "epochs=4"], {"training": {"epochs": 4, "seed": 1}}),
    "a path with an equals sign": (["source=a=b"], {**TABLES, "data": {"source": "a=b"}}),
}
REFUSED = {
    "no value": ("epochs", "--set epochs: give key=value"),
    "nothing behind the sign": ("epochs=", "give key=value"),
    "no key": ("=3", "give key=value"),
    "a misspelt key": ("epoch=3", "did you mean 'epochs'?"),
    "a key within a value": ("training.epochs.many=3", "epochs is no table"),
}


@pytest.mark.parametrize(("settings", "expected"), SET.values(), ids=SET.keys())
def test_settings(settings, expected):
    assert with_settings(TABLES, settings) == expected
    assert TABLES == {"training": {"epochs": 9, "seed": 1}}


@pytest.mark.parametrize(("setting", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(setting, said):
    with pytest.raises(UserError, match=said.replace("?", r"\?")):
        with_settings(TABLES, [setting])


def test_a_key_alone_means_one_table():
    keys = [
        key
        for table in Config.__struct_fields__
        for key in getattr(Config(), table).__struct_fields__
    ]
    assert len(keys) == len(set(keys))


def test_settings_are_checked_as_the_file_is():
    config = parse_config("", source="x", settings=["density=0.3", "training.epochs=50"])
    assert (config.sparsity.density, config.training.epochs) == (0.3, 50)
    with pytest.raises(UserError, match="density is 3, but it must be"):
        parse_config("", source="x", settings=["density=3"])
    with pytest.raises(UserError, match="has no key 'epoch'"):
        parse_config("", source="x", settings=["training.epoch=3"])
