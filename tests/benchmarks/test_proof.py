"""The proof's parts: which there are, and how they become one file."""

import json

import pytest
from click.testing import CliRunner

import proof
from spikeloom.errors import UserError
from spikeloom.stamp import stamp

COMMIT = stamp().commit.removesuffix("-dirty")


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """A folder with every part in it."""
    monkeypatch.setattr(proof, "RESULTS", tmp_path)
    monkeypatch.setattr(proof, "PARTS", tmp_path / "proof")
    (tmp_path / "proof").mkdir()
    for name in [case.name for case in proof.CASES] + list(proof.OTHERS):
        content = {
            "schema": 1,
            "exit": 0,
            "result": {"samples": 3, "layers": [1]},
            "runs": [2],
            "commit": COMMIT,
        }
        (tmp_path / "proof" / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def test_all_parts_become_one_file(parts):
    done = CliRunner().invoke(proof.main, ["collect"], catch_exceptions=False)
    assert done.exit_code == 0
    document = json.loads((parts / "proof.json").read_text())
    assert set(document["parts"]) == {case.name for case in proof.CASES} | set(proof.OTHERS)
    assert document["parts"]["soak"] == {"exit": 0, "samples": 3, "commit": COMMIT}


@pytest.mark.parametrize("commit", [f"{COMMIT}-dirty", "unknown", "0" * 12])
def test_a_part_of_code_that_is_nowhere_is_not_collected(parts, commit):
    part = parts / "proof" / "soak.json"
    part.write_text(part.read_text().replace(COMMIT, commit))
    with pytest.raises(UserError, match=f"soak was made with {commit}, which is no commit"):
        CliRunner().invoke(proof.main, ["collect"], catch_exceptions=False, standalone_mode=False)


@pytest.mark.parametrize("name", ["soak", "rtl-digits-icebreaker"])
def test_nothing_is_collected_while_a_part_is_missing(parts, name):
    (parts / "proof" / f"{name}.json").unlink()
    with pytest.raises(UserError, match=name):
        CliRunner().invoke(proof.main, ["collect"], catch_exceptions=False, standalone_mode=False)
    assert not (parts / "proof.json").exists()


def test_every_case_is_of_a_build(pytestconfig):
    names = [case.name for case in proof.CASES]
    assert len(set(names)) == len(names)
    for case in proof.CASES:
        assert (pytestconfig.rootpath / "bitstreams" / case.build / "manifest.json").is_file()


@pytest.mark.usefixtures("parts")
def test_a_case_that_fails_is_told(monkeypatch):
    monkeypatch.setattr(proof, "_verify", lambda _case, _data_dir: {"exit": 1})
    with pytest.raises(UserError, match="rtl-digits-icebreaker failed"):
        CliRunner().invoke(
            proof.main,
            ["run", "rtl-digits", "--again"],
            catch_exceptions=False,
            standalone_mode=False,
        )
