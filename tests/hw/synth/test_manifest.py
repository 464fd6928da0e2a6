"""What a reference bitstream's manifest says to build, and what its design is made of."""

import json
from dataclasses import replace

import pytest

from spikeloom.errors import UserError
from spikeloom_hw.synth.manifest import Recipe, read_manifest, sources_sha256
from spikeloom_hw.targets import TARGETS

MANIFEST = {
    "target": "ulx3s-25f",
    "clock_mhz": 50,
    "lanes": [4, 2],
    "seed": 9,
    "loadable": True,
    "sha256": {"bitstream": "ab", "verilog": "cd"},
}


def written(folder, **changes):
    (folder / "manifest.json").write_text(json.dumps({**MANIFEST, **changes}))
    return folder


def test_every_field_of_a_recipe(tmp_path):
    recorded, recipe = read_manifest(written(tmp_path))
    assert recorded == MANIFEST
    assert recipe == Recipe(target="ulx3s-25f", clock_mhz=50, lanes=(4, 2), seed=9, loadable=True)
    for field, value in (
        ("target", "upduino"),
        ("clock_mhz", 24),
        ("lanes", [8, 2]),
        ("seed", 0),
        ("loadable", False),
    ):
        _, other = read_manifest(written(tmp_path, **{field: value}))
        seen = getattr(other, field)
        assert (list(seen) if field == "lanes" else seen) == value
        assert other != recipe


@pytest.mark.parametrize("clock", [50, 80])
def test_the_board_runs_at_the_recipe_s_clock(tmp_path, clock):
    _, recipe = read_manifest(written(tmp_path, clock_mhz=clock))
    assert recipe.board == replace(TARGETS["ulx3s-25f"], core_clock_mhz=clock)


@pytest.mark.parametrize("field", Recipe.__struct_fields__)
def test_every_field_has_to_be_there(tmp_path, field):
    lacking = {name: value for name, value in MANIFEST.items() if name != field}
    (tmp_path / "manifest.json").write_text(json.dumps(lacking))
    with pytest.raises(UserError, match=rf"manifest\.json is damaged \('{field}'\)"):
        read_manifest(tmp_path)
    with pytest.raises(UserError, match="is damaged"):
        read_manifest(written(tmp_path, **{field: ["no such value"]}))


def test_no_manifest(tmp_path):
    with pytest.raises(UserError, match=r"has no manifest\.json"):
        read_manifest(tmp_path)


@pytest.fixture
def design(tmp_path):
    folder = tmp_path / "design"
    folder.mkdir()
    for name in ("core.v", "top.v", "weights.mem", "top.pcf", "design.json"):
        (folder / name).write_text(f"of {name}")
    return folder


@pytest.mark.parametrize("name", ["core.v", "top.v", "weights.mem", "top.pcf"])
@pytest.mark.parametrize("change", ["contents", "name", "gone"])
def test_every_file_is_part_of_a_design(design, name, change):
    before = sources_sha256(design)
    assert sources_sha256(design) == before
    if change == "contents":
        (design / name).write_text("other")
    elif change == "name":
        (design / name).rename(design / f"z{name}")
    else:
        (design / name).unlink()
    assert sources_sha256(design) != before


def test_its_description_is_not(design):
    before = sources_sha256(design)
    (design / "design.json").write_text("other")
    assert sources_sha256(design) == before
    (design / "extra.v").write_text("")
    assert sources_sha256(design) != before


def test_a_name_does_not_run_into_its_contents(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, name, text in ((one, "a", "bc"), (two, "ab", "c")):
        folder.mkdir()
        (folder / name).write_text(text)
    assert sources_sha256(one) != sources_sha256(two)
