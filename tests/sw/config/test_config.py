import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeloom.arithmetic import DecayLeak, ShiftLeak
from spikeloom.config import Config, assumed_keys, dump_config, load_config, parse_config
from spikeloom.encoding import MultiThresholdEncoding
from spikeloom.errors import UserError


def test_defaults_round_trip():
    config = parse_config("", source="run.toml")
    assert config == Config()
    assert parse_config(dump_config(config), source="again") == config


@given(
    hidden=st.lists(st.integers(1, 500), max_size=3),
    rate=st.floats(1e-6, 10),
    seed=st.integers(0, 2**32 - 1),
    shift=st.integers(1, 15),
    levels=st.integers(1, 64),
    bias=st.booleans(),
)
def test_every_value_round_trips(hidden, rate, seed, shift, levels, bias):
    text = f"""
        [data.encoding]
        kind = "multithreshold"
        levels = {levels}
        [network]
        hidden = {hidden}
        bias = {str(bias).lower()}
        leak = {{ kind = "shift", shift = {shift} }}
        [training]
        learning_rate = {rate!r}
        seed = {seed}
    """
    config = parse_config(text, source="run.toml")
    assert config.network.hidden == hidden
    assert config.network.leak == ShiftLeak(shift=shift)
    assert config.data.encoding == MultiThresholdEncoding(levels=levels)
    assert (config.training.learning_rate, config.training.seed) == (rate, seed)
    assert parse_config(dump_config(config), source="again") == config


def test_the_resolved_file_writes_every_default():
    text = dump_config(Config())
    for line in ("[data.encoding]", 'kind = "latency"', "beta = 0.9", 'ratio = "pq-layer"'):
        assert line in text.splitlines()


def test_decay_leak_is_taken():
    text = '[network.leak]\nkind = "decay"\nmultiplier = 3\nfraction_bits = 4\n'
    leak = DecayLeak(multiplier=3, fraction_bits=4)
    assert parse_config(text, source="x").network.leak == leak


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            "[traning]", "the top level has no key 'traning', did you mean 'training'?", id="table"
        ),
        pytest.param(
            "[training]\nepoch = 3",
            "table [training] has no key 'epoch', did you mean 'epochs'?",
            id="key",
        ),
        pytest.param("[data]\nzzz = 3", "it takes name, source, kind, split", id="no near key"),
        pytest.param(
            '[network.leak]\nkind = "shift"\nshif = 3',
            "table [network.leak] has no key 'shif', did you mean 'shift'?",
            id="key of a union's member",
        ),
        pytest.param(
            "[training]\nepochs = 'a'",
            "table [training]: epochs is 'a', but it must be a whole number at least 1",
            id="type",
        ),
        pytest.param(
            "[training]\nepochs = 2.5", "epochs is 2.5, but it must be a whole", id="float"
        ),
        pytest.param(
            "[quantization]\nweight_bits = 9",
            "weight_bits is 9, but it must be a whole number at least 2 and at most 8",
            id="range",
        ),
        pytest.param("[sparsity]\ndensity = 0.0", "greater than 0 and at most 1", id="open range"),
        pytest.param("[network]\nhidden = [3, 0]", "hidden[1] is 0", id="element of a list"),
        pytest.param("[network]\nbias = 1", "bias is 1, but it must be true or false", id="bool"),
        pytest.param("[training]\nepochs = true", "epochs is true, but", id="bool as TOML"),
        pytest.param("[data]\nname = [true, 1]", "name is [true, 1], but", id="list as TOML"),
        pytest.param(
            "[training]\nepochs = {a = false, b = 'c'}",
            "epochs is { a = false, b = 'c' }, but",
            id="table as TOML",
        ),
        pytest.param("[training]\nepochs = {}", "epochs is {}, but", id="empty table as TOML"),
        pytest.param("[data]\nname = 2026-01-02", "name is 2026-01-02, but", id="date as TOML"),
        pytest.param("[data]\nname = 1", "name is 1, but it must be a string", id="string"),
        pytest.param("data = 3", "data is 3, but it must be a table", id="no table"),
        pytest.param(
            "[sparsity]\nratio = 'pq'",
            "ratio is 'pq', but it must be one of 'constant', 'constant-global',",
            id="choice",
        ),
        pytest.param(
            "[network.leak]\nkind = 'shft'",
            "kind is 'shft', but it must be one of 'none', 'shift', 'decay'",
            id="tag",
        ),
        pytest.param("[network.leak]\nshift = 3", "[network.leak] lacks the key 'kind'", id="kind"),
        pytest.param("[network.leak]\nkind = 'shift'", "lacks the key 'shift'", id="missing"),
        pytest.param(
            "[network.leak]\nkind = 'shift'\nshift = 30",
            "shift is 30, but it must be 1 to 15",
            id="leak's range",
        ),
        pytest.param(
            "[network.readout_leak]\nkind = 'decay'\nmultiplier = 9\nfraction_bits = 3",
            "multiplier is 9, but it must be 1 to 8",
            id="decay's range",
        ),
        pytest.param("[data.encoding]\nkind = 'latency'\nthreshold = 0", "threshold is 0", id="in"),
        pytest.param("[data]\nencoding = 3", "a table whose kind is one of 'latency'", id="union"),
        pytest.param("[sparsity]\np = 2.0", "p is 2.0, but it must be less than q", id="p and q"),
        pytest.param(
            "[sparsity]\ndensity = 0.6", "at most initial_density = 0.5", id="density above start"
        ),
        pytest.param(
            "[network]\nlearn_leak = true\nleak = {kind = 'none'}",
            "kind is 'none', but it must be 'shift' or 'decay' where learn_leak",
            id="learn a leak from none",
        ),
        pytest.param(
            "[sparsity]\ntopology = 'local'\n[data.encoding]\nkind = 'delta'",
            "topology is 'local', but it must be 'random' with the multithreshold, delta and",
            id="fields of no pixels",
        ),
        *(
            pytest.param(
                f"[network]\n{key} = true",
                f"table [network] has no key {key!r}: for {capability}, describe a graph in "
                "[[network.populations]] and connections",
                id=f"a capability of graphs, {key}",
            )
            for key, capability in {
                "recurrent": "recurrent connections",
                "conv_channels": "convolution",
                "kernelSize": "convolution",
                "residual": "residual branches",
                "cuba": "synaptic currents",
                "maxpool": "pooling",
                "delays": "delays",
            }.items()
        ),
        pytest.param(
            "[network]\nadaptive_threshold = true",
            "has no key 'adaptive_threshold': Spikeloom has no adaptive thresholds; take",
            id="a capability that is not there",
        ),
        pytest.param(
            "[network.convolution]\nkernel = 3",
            "table [network] has no key 'convolution': for convolution, describe a graph in",
            id="a table of a capability of graphs",
        ),
        pytest.param(
            "[sparsity]\nbanks = 12",
            "banks is 12, but it must be one of 0, 1, 2, 4, 8, 16, 32, 64: a core's lanes, or",
            id="banks without lanes",
        ),
        pytest.param(
            "[network]\nhidden = [128]\n[sparsity]\nbanks = 64\nfull_words = true\nblocks = 2",
            "banks is 64, but it must be one of 1, 2, 4, 8, 16, 32: a core's lanes",
            id="banks of blocks without lanes",
        ),
        pytest.param(
            "[network]\nhidden = [128]\n[sparsity]\nbanks = 8\nfull_words = true\nblocks = 3",
            "blocks is 3, but it must be a power of two",
            id="blocks that the packer lacks",
        ),
        pytest.param(
            "[network]\nhidden = []\n[sparsity]\nbanks = 8\nfull_words = true",
            "full_words is true, but it must be false where network.hidden is empty",
            id="full words without a hidden layer",
        ),
        pytest.param(
            "[sparsity]\ntarget_lanes = [3]",
            "target_lanes is [3], but it must be of 1, 2, 4, 8, 16, 32",
            id="lanes that no core has",
        ),
        pytest.param(
            "[sparsity]\nstop_rule = 'bits'", "target_bits is 0, but it must be", id="no bits"
        ),
        pytest.param(
            "[sparsity]\nstop_rule = 'bits'\ntarget_bits = 9\nmethod = 'rigl'",
            "rho is 1.0, but it must be less than 1",
            id="bits without compression",
        ),
        pytest.param(
            "[sparsity]\ntarget_lanes = [8, 4, 2]", "it must be one number, or 2", id="lanes"
        ),
        pytest.param(
            "[quantization]\nper_channel = true",
            "scale is 'fixed', but it must be 'max' or 'learned' where per_channel",
            id="fixed scale per neuron",
        ),
        pytest.param(
            "[sparsity]\nfull_words = true",
            "banks is 0, but it must be 1 to",
            id="words of no banks",
        ),
        pytest.param(
            "[network]\nhidden = [8]\n[sparsity]\nfull_words = true\nbanks = 16",
            "banks is 16, but it must be 1 to",
            id="words wider than a layer",
        ),
        pytest.param(
            "[network]\nhidden = [8]\n[sparsity]\nfull_words = true\nbanks = 8\nblocks = 2",
            "banks is 8, but it must be 1 to",
            id="blocks wider than a layer",
        ),
        pytest.param(
            "[sparsity]\nbanks = 8\nblocks = 2",
            "blocks is 2, but it must be 1 where full_words is false",
            id="blocks of no words",
        ),
        pytest.param("[sparsity]\nstop_epoch = 99", "at most training.epochs", id="stop"),
        pytest.param(
            "[sparsity]\nstart_epoch = 9\nstop_epoch = 8",
            "start_epoch is 9, but it must be at most stop_epoch = 8, or nothing is ever rewired",
            id="start after stop",
        ),
        pytest.param(
            "[training]\nepochs = 12",
            "start_epoch is 10, but it must be at most 9, three quarters of training.epochs = 12",
            id="start after the stop by default",
        ),
        pytest.param(
            "[sparsity]\nstart_epoch = 0\n[training]\nepochs = 1",
            "epochs is 1, but it must be at least 2, or nothing is ever rewired",
            id="too short for a rewiring",
        ),
        pytest.param("[training]\nlearning_rate = inf", "is inf, but it must be a fin", id="inf"),
        pytest.param("[training]\ngain = nan", "gain is nan, but it must be a finite", id="nan"),
        pytest.param("x = ", "run.toml is not valid TOML", id="no toml"),
    ],
)
def test_mistakes_are_named(text, says):
    with pytest.raises(UserError) as refusal:
        parse_config(text, source="run.toml")
    assert str(refusal.value).startswith("run.toml")
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[sparsity]\nstart_epoch = 8\nstop_epoch = 8", id="one rewiring"),
        pytest.param("[sparsity]\nratio = 'none'\n[training]\nepochs = 1", id="no rewiring"),
        pytest.param("[sparsity]\nstart_epoch = 0\n[training]\nepochs = 2", id="shortest"),
    ],
)
def test_schedules_that_rewire_or_need_not_are_taken(text):
    config = parse_config(text, source="run.toml")
    assert parse_config(dump_config(config), source="again") == config


def test_files_are_named(tmp_path):
    with pytest.raises(UserError, match=r"there is no configuration file .*none\.toml"):
        load_config(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="is not UTF-8"):
        load_config(tmp_path / "bad.toml")


def test_a_folder_is_no_configuration(tmp_path):
    with pytest.raises(UserError) as refusal:
        load_config(tmp_path)
    assert str(refusal.value) == f"the configuration {tmp_path} is a folder; give a TOML file"
    (tmp_path / "config.toml").write_text("")
    with pytest.raises(UserError) as refusal:
        load_config(tmp_path)
    assert str(refusal.value).endswith(f"is a folder; give {tmp_path / 'config.toml'}")


def test_a_byte_order_mark_is_read(tmp_path):
    path = tmp_path / "windows.toml"
    path.write_text("[training]\nbatch_size = 3\n", encoding="utf-8-sig")
    assert load_config(path).training.batch_size == 3
    path.write_text("[training]\nbatch_size = 3\n", encoding="utf-16")
    with pytest.raises(UserError, match="not UTF-8; save it as UTF-8"):
        load_config(path)


@pytest.mark.parametrize(
    "text", ["", "# digits, later\n", "[data]\n[network]\n"], ids=["nothing", "a comment", "tables"]
)
def test_an_empty_file_is_refused(tmp_path, text):
    file = tmp_path / "run.toml"
    file.write_text(text)
    with pytest.raises(UserError, match=r"run\.toml is empty; name at least the data set"):
        load_config(file)


@pytest.mark.parametrize(
    ("text", "assumed"),
    [
        pytest.param(
            "[training]\nseed = 1",
            {"data.name": "'digits'", "network.hidden": "[128]", "training.epochs": "60"},
            id="all of them",
        ),
        pytest.param(
            "[data]\nname = 'mnist'\n[training]\nepochs = 3", {"network.hidden": "[128]"}, id="one"
        ),
    ],
)
def test_defaults_that_decide_much_are_known(tmp_path, text, assumed):
    file = tmp_path / "run.toml"
    file.write_text(text)
    assert assumed_keys(file) == assumed
