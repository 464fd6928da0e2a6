"""Sources that cannot be trained on: each is refused in one sentence, and no pickle is loaded."""

import io
import pickle
import shutil
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

import samples_of_my_own as own
from spikeloom.datasets import load
from spikeloom.datasets.checks import check_splits
from spikeloom.datasets.request import Request
from spikeloom.errors import UserError
from spikeloom.provenance import DataSource, EventSettings, SplitSettings

X = np.random.default_rng(0).random((12, 4))
Y = np.arange(12) % 3


def npz(**arrays):
    def make(path):
        np.savez(path / "a.npz", **arrays)
        return path / "a.npz"

    return make


def member(content, *, name="x.npy", compression=zipfile.ZIP_STORED):
    """An npz whose `x` is made of these bytes."""

    def make(path):
        with zipfile.ZipFile(path / "a.npz", "w", compression) as archive:
            archive.writestr(name, content)
            out = io.BytesIO()
            np.save(out, Y)
            archive.writestr("y.npy", out.getvalue())
        return path / "a.npz"

    return make


def header(shape):
    """The header of an array of bytes that has this shape, and no values."""
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        out, {"descr": "|u1", "fortran_order": False, "shape": shape}
    )
    return out.getvalue()


def zip_bomb(path):
    with zipfile.ZipFile(path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("x.npy", "w", force_zip64=True) as file:
            file.write(header((12, 1 << 24)))
            for _ in range(12):
                file.write(bytes(1 << 24))
        archive.writestr("y.npy", b"")
    return path / "a.npz"


def lying_zip(path):
    """A file of a few hundred bytes whose stored member claims gigabytes."""
    made = member(header((12, 1 << 28)))(path)
    raw = bytearray(made.read_bytes())
    size = len(header((1,))) + 12 * (1 << 28)
    at = raw.index(b"PK\x01\x02")
    for place in (at + 20, at + 24):
        raw[place : place + 4] = struct.pack("<I", size)
    made.write_bytes(raw)
    return made


class Trap:
    """Leaves a mark when it is unpickled."""

    def __reduce__(self):
        return Path.touch, (Path("unpickled"),)


def pickled(path):
    (path / "a.npz").write_bytes(pickle.dumps(Trap()))
    return path / "a.npz"


def objects(path):
    trap = np.empty(12, dtype=object)
    trap[:] = [Trap() for _ in trap]
    np.savez(path / "a.npz", x=X, y=trap)
    return path / "a.npz"


def text(content, name="t.csv"):
    def make(path):
        (path / name).write_text(content)
        return path / name

    return make


def changed(make, change):
    """A good source, and something done to it."""

    def bad(path):
        source = make(path)
        change(source)
        return source

    return bad


def tone(path, rate=8000, channels=1, count=900):
    soundfile.write(path, np.full((count, channels), 0.1), rate, subtype="PCM_16")


def events(t=(0, 1, 2), x=(0, 1, 2), y=(0, 1, 2)):
    kinds = [("t", "<i8"), ("x", "<i8"), ("y", "<i8"), ("p", "<i8")]
    found = np.zeros(len(t), dtype=kinds)
    found["t"], found["x"], found["y"] = t, x, y
    return found


def lying_array(path):
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        out, {"descr": events().dtype.descr, "fortran_order": False, "shape": (1 << 40,)}
    )
    (path / "Train" / "ash" / "z.npy").write_bytes(out.getvalue())


def huge_image(path):
    """A PNG of a few bytes that claims 60,000 x 60,000 pixels."""
    out = io.BytesIO()
    Image.new("L", (1, 1)).save(out, "PNG")
    raw = bytearray(out.getvalue())
    raw[16:24] = struct.pack(">II", 60_000, 60_000)
    import zlib

    raw[29:33] = struct.pack(">I", zlib.crc32(bytes(raw[12:29])))
    (path / "ash" / "z.png").write_bytes(raw)


CASES = {
    "ragged samples": (objects, "holds Python objects, which are never loaded"),
    "samples of text": (npz(x=np.full((12, 4), "a"), y=Y), "must be numbers"),
    "complex samples": (npz(x=X * 1j, y=Y), "must be numbers"),
    "not a number": (npz(x=np.where(0.99 * X.max() < X, np.nan, X), y=Y), "finite number"),
    "infinity": (npz(x=np.where(X.max() == X, np.inf, X), y=Y), "has inf at"),
    "one value a sample, no axis": (npz(x=X[:, 0], y=Y), r"must be \[samples, ...\]"),
    "no samples": (npz(x=X[:0], y=Y[:0]), "at least one value"),
    "no labels": (npz(x=X), "no array y"),
    "no array x": (npz(y=Y), "no array x"),
    "an array of another name": (npz(x=X, y=Y, z=X), "has an array 'z'"),
    "fewer labels": (npz(x=X, y=Y[:5]), "one label a sample"),
    "labels in fractions": (npz(x=X, y=Y / 2), "must be integers or text"),
    "parts of two shapes": (
        npz(x_train=X, y_train=Y, x_test=X[:, :3], y_test=Y),
        "give them one shape",
    ),
    "labels without a name": (npz(x=X, y=Y, class_names=np.array(["a", "b"])), "0 to 1"),
    "one class": (npz(x=X, y=np.zeros(12, dtype=int)), "all of one class"),
    "one sample a class": (npz(x=X, y=np.arange(12)), "no validation sample"),
    "a pickle called npz": (pickled, "a Python pickle, which is never loaded"),
    "a picture called npz": (
        lambda path: (Image.new("L", (3, 3)).save(path / "a.npz", "PNG"), path / "a.npz")[1],
        "a PNG image",
    ),
    "an npz cut in half": (
        changed(npz(x=X, y=Y), lambda a: a.write_bytes(a.read_bytes()[:300])),
        "no npz file that can be read",
    ),
    "more claimed than there is": (member(header((1 << 40, 4)) + b"1234"), "claims the shape"),
    "gigabytes in a small file": (lying_zip, "more than the file has|can be read"),
    "a zip bomb": (zip_bomb, "would grow from"),
    "a member outside": (member(b"x", name="../x.npy"), "is no array"),
    "a row too short": (text("a,label\n1,p\n2\n"), "row 2 has 1 cells"),
    "a cell that is text": (text("a,label\n1,p\nred,q\n"), "row 2: the column 'a' is 'red'"),
    "a missing label": (text("a,label\n1,p\n2,\n"), "row 2: the column 'label' is empty"),
    "no column of labels": (text("a,class\n1,p\n"), "no column 'label'"),
    "two columns of a name": (text("a,a,label\n1,2,p\n"), "two columns 'a'"),
    "an empty table": (text(""), "has no rows"),
    "a table of bytes": (
        lambda path: ((path / "t.csv").write_bytes(b"\xff\xfe\0a"), path / "t.csv")[1],
        "no text in UTF-8",
    ),
    "no parquet": (text("PAR1", "t.parquet"), "no Parquet table"),
    "nothing there": (lambda path: path / "absent", "there is no data source"),
    "a file of another kind": (text("a", "t.docx"), "no data source that is known"),
    "an empty folder": (lambda path: path, "has no samples"),
    "an empty class": (
        changed(own.images, lambda root: (root / "aaa").mkdir()),
        "is empty: put samples",
    ),
    "text among images": (
        changed(own.images, lambda root: (root / "ash" / "notes.txt").write_text("a")),
        "notes.txt is not one of",
    ),
    "no image": (
        changed(own.images, lambda root: (root / "ash" / "000.jpg").write_bytes(b"a")),
        "no image that can be read",
    ),
    "half an image": (
        changed(
            own.images,
            lambda root: (root / "ash" / "001.png").write_bytes(
                (root / "ash" / "001.png").read_bytes()[:60]
            ),
        ),
        "no image that can be read",
    ),
    "an image that claims gigabytes": (
        changed(own.images, huge_image),
        "no image that can be read.*bomb",
    ),
    "images of two sizes": (
        changed(own.images, lambda root: Image.new("RGB", (9, 9)).save(root / "ash" / "z.png")),
        "set \\[data.images\\] size",
    ),
    "a name twice": (
        changed(
            own.images,
            lambda root: shutil.copy(root / "ash" / "000.jpg", root / "ash" / "000.jpeg"),
        ),
        "have one name",
    ),
    "a link that leads out": (
        changed(own.images, lambda root: (root / "ash" / "z.png").symlink_to("/etc/hostname")),
        "leads out of",
    ),
    "sounds of two rates": (
        changed(own.sounds, lambda root: tone(root / "ash" / "z.wav", rate=16000)),
        "bring all sounds to one rate",
    ),
    "sounds of two channels": (
        changed(own.sounds, lambda root: tone(root / "ash" / "z.wav", channels=2)),
        "has 2 channels",
    ),
    "a sound of nothing": (
        changed(own.sounds, lambda root: tone(root / "ash" / "z.wav", count=0)),
        "has no samples",
    ),
    "no sound": (
        changed(own.sounds, lambda root: (root / "ash" / "z.wav").write_bytes(b"RIFFabcd")),
        "no sound that can be read",
    ),
    "events out of order": (
        changed(
            own.recordings,
            lambda root: np.save(root / "Train" / "ash" / "z.npy", events(t=(5, 4, 6))),
        ),
        "event 1 is earlier",
    ),
    "events outside the sensor": (
        changed(
            own.recordings,
            lambda root: np.save(root / "Train" / "ash" / "z.npy", events(x=(0, 10, 1))),
        ),
        "event 1 has x = 10, outside the sensor of 10 x 10",
    ),
    "events without a field": (
        changed(own.recordings, lambda root: np.save(root / "Train" / "ash" / "z.npy", np.ones(3))),
        "no field 't'",
    ),
    "pickled events": (
        changed(
            own.recordings,
            lambda root: (root / "Train" / "ash" / "z.npy").write_bytes(pickle.dumps(Trap())),
        ),
        "no array of events",
    ),
    "events that claim terabytes": (changed(own.recordings, lying_array), "no array of events"),
    "half an event": (
        changed(
            own.recordings, lambda root: (root / "Train" / "ash" / "z.bin").write_bytes(b"1234567")
        ),
        "has 7 bytes, not 5 for each event",
    ),
    "no event": (
        changed(own.recordings, lambda root: (root / "Train" / "ash" / "z.bin").write_bytes(b"")),
        "has 0 bytes",
    ),
}


@pytest.mark.parametrize(("make", "says"), CASES.values(), ids=CASES)
def test_a_bad_source_is_one_sentence(tmp_path, monkeypatch, make, says):
    monkeypatch.chdir(tmp_path)
    source = make(tmp_path)
    request = Request(
        source=DataSource(name="bad", source=str(source), events=EventSettings(sensor=[10, 10])),
        time_steps=4,
    )
    with pytest.raises(UserError, match=says) as refusal:
        check_splits(load(request))
    assert "\n" not in str(refusal.value)
    assert not Path("unpickled").exists()


def test_the_sentence_reaches_the_user(tmp_path, spikeloom, one_sentence):
    (tmp_path / "a.npz").write_bytes(pickle.dumps(Trap()))
    (tmp_path / "run.toml").write_text("[data]\ntime_steps = 4\n")
    command = ["train", tmp_path / "run.toml", "-o", tmp_path / "R", "--data", tmp_path / "a.npz"]
    result = spikeloom(*command)
    assert result.exit_code == 2
    assert "a Python pickle, which is never loaded" in one_sentence(result)
    assert not (tmp_path / "R").exists()


@pytest.mark.parametrize(
    ("split", "says"),
    [
        (SplitSettings(test_groups=["a"]), "nothing says which sample is in which"),
        (SplitSettings(test=0.0), "has no test samples: set"),
        (SplitSettings(validation=0.0), "has no validation samples: set"),
    ],
)
def test_splits_that_cannot_be_made(tmp_path, split, says):
    source = own.table(tmp_path)
    with pytest.raises(UserError, match=says):
        load(Request(source=DataSource(name="t", source=str(source), split=split)))


@pytest.mark.parametrize(
    ("pattern", "says"),
    [("(", "no regular expression"), ("a", "0 groups in round brackets"), ("(zzz)", "no group in")],
)
def test_groups_that_cannot_be_found(tmp_path, pattern, says):
    source = DataSource(
        name="s", source=str(own.images(tmp_path)), split=SplitSettings(groups=pattern)
    )
    with pytest.raises(UserError, match=says):
        load(Request(source=source))
