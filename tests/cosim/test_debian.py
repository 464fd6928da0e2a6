"""Programs out of Debian's packages: fetched, and refused with the reason."""

import re

import pytest

from spikeloom.errors import UserError
from spikeloom_cosim.debian import VERSION, unpack

APT = """\
#!/bin/sh
echo "$@" >> {log}
case "$*" in
  *update*) {update} ;;
  *-o*download*) {again} ;;
  *) {first} ;;
esac
"""
DPKG = """\
#!/bin/sh
case "$1" in
  -x) /bin/mkdir -p "$3/usr/bin"; : > "$3/usr/bin/tool" ;;
  -f) echo 1.2-3 ;;
esac
"""
HERE = ": > tool.deb"
GONE = "echo 'E: Unable to locate package tool' >&2; exit 100"


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Stand-ins for apt-get and dpkg-deb; what apt-get is asked goes to the file returned."""

    def make(first=HERE, update=":", again=HERE):
        folder = tmp_path / "bin"
        folder.mkdir()
        log = tmp_path / "log"
        apt = APT.format(log=log, first=first, update=update, again=again)
        for name, text in (("apt-get", apt), ("dpkg-deb", DPKG)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        return log

    return make


def fetch(place, wanted="usr/bin/*"):
    unpack("tool", place, program="the tool", wanted=wanted)


def test_a_package_is_unpacked(programs, tmp_path):
    log = programs()
    fetch(tmp_path / "kept")
    assert (tmp_path / "kept/usr/bin/tool").is_file()
    assert (tmp_path / "kept" / VERSION).read_text() == "1.2-3"
    assert log.read_text() == "download tool\n"


def test_without_a_list_of_packages_one_is_fetched(programs, tmp_path):
    log = programs(first=GONE)
    fetch(tmp_path / "kept")
    assert (tmp_path / "kept/usr/bin/tool").is_file()
    asked = [re.sub(r"-o \S+ ", "", line) for line in log.read_text().splitlines()]
    assert asked == ["download tool", "update", "download tool"]


@pytest.mark.parametrize(
    ("programs_are", "wanted", "sentence"),
    [
        pytest.param(
            {"first": GONE, "again": GONE},
            "usr/bin/*",
            r"apt-get could not give tool \(E: Unable to locate package tool\); install it",
            id="unknown",
        ),
        pytest.param(
            {"first": "exit 1", "update": "exit 1"},
            "usr/bin/*",
            r"apt-get could not give tool \(no message\); install it",
            id="silent",
        ),
        pytest.param({}, "usr/lib/*", r"tool.deb has no usr/lib/\*; install it", id="another"),
    ],
)
def test_what_can_not_be_had_is_told(programs, tmp_path, programs_are, wanted, sentence):
    programs(**programs_are)
    with pytest.raises(UserError, match=sentence):
        fetch(tmp_path / "kept", wanted)
    assert not (tmp_path / "kept").exists()


def test_another_system_is_told_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        UserError, match="neither the tool nor apt-get to fetch it; install it, for"
    ):
        fetch(tmp_path / "kept")
