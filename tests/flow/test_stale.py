"""After another training every verb refuses what the training before it has left."""

from dataclasses import replace
from importlib.metadata import entry_points

import msgspec
import pytest

from spikeloom.files import file_sha256
from spikeloom.image import save_image

VERBS = {
    "inspect": ("{run}",),
    "evaluate": ("{run}",),
    "place": ("{run}", "-o", "{elsewhere}/placed.safetensors"),
    "estimate": ("{run}",),
    "generate": ("{run}",),
    "verify": ("{run}",),
    "verify at the netlist": ("{run}", "--level", "netlist"),
    "verify the host": ("{run}", "--level", "host"),
    "synth": ("{run}",),
    "synth of a design": ("--design", "{run}/design/icebreaker", "-o", "{elsewhere}"),
    "flash": ("{run}", "--dry-run"),
    "run": ("--port", "sim:{run}", "--samples", 1),
    "run of a design": ("{run}", "--port", "sim:{run}/design/icebreaker", "--samples", 1),
    "monitor": ("--port", "sim:{run}", "--once"),
    "report": ("{run}",),
}
OTHERS = {
    "train": "trains",
    "export": "makes the network anew",
    "import": "makes one of another's",
    "doctor": "reads no network",
}


@pytest.fixture
def trained(spikeloom, tmp_path, small_image):
    """A run with a checkpoint, a network, a design and a bitstream of it."""
    run = tmp_path / "run"
    run.mkdir()
    checkpoint = run / "checkpoint.safetensors"
    checkpoint.write_text("trained")
    claimed = {"checkpoint_sha256": file_sha256(checkpoint)}
    provenance = msgspec.structs.replace(small_image.provenance, **claimed)
    save_image(run / "network.safetensors", replace(small_image, provenance=provenance))
    assert spikeloom("inspect", run).exit_code == 0
    assert spikeloom("generate", run).exit_code == 0
    return run


def test_every_verb_is_here():
    known = {point.name for point in entry_points(group="spikeloom.commands")}
    assert {name.split()[0] for name in VERBS} | set(OTHERS) == known


def test_every_verb_refuses_a_network_that_is_older_than_its_training(
    spikeloom, one_sentence, trained, tmp_path
):
    (trained / "checkpoint.safetensors").write_text("trained again")
    bitstream(trained)
    before = {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()}
    for name, words in VERBS.items():
        places = {"run": trained, "elsewhere": tmp_path / "elsewhere"}
        result = spikeloom(name.split()[0], *(str(word).format(**places) for word in words))
        assert result.exit_code == 2, name
        assert f"run: spikeloom export {trained}" in one_sentence(result), name
    assert {path: path.read_bytes() for path in trained.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "elsewhere").exists()


def test_after_the_export_what_was_made_of_the_network_before_is_refused(
    spikeloom, one_sentence, trained, tmp_path, small_image
):
    bitstream(trained)
    save_image(trained / "network.safetensors", replace(small_image, time_steps=5))
    for name, says in (
        ("synth of a design", "spikeloom generate"),
        ("flash", "spikeloom synth"),
        ("run of a design", "spikeloom generate"),
    ):
        places = {"run": trained, "elsewhere": tmp_path / "elsewhere"}
        result = spikeloom(name.split()[0], *(str(word).format(**places) for word in VERBS[name]))
        assert result.exit_code == 2, name
        assert f"run: {says} {trained}/network.safetensors --target icebreaker" in one_sentence(
            result
        ), name


def bitstream(run):
    """What `synth` would have left, as far as `flash` reads it."""
    folder = run / "synth" / "icebreaker"
    folder.mkdir(parents=True)
    (folder / "top.bin").write_bytes(b"\x7e\xaa\x99\x7e")
    record = {
        "target": "icebreaker",
        "sha256": file_sha256(folder / "top.bin"),
        "network_sha256": "ab" * 32,
    }
    (folder / "synth.json").write_bytes(msgspec.json.encode(record))
