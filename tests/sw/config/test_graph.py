"""The tables of a graph: what they make, and what they refuse."""

import pytest

from spikeloom.config import Config, dump_config, parse_config
from spikeloom.config.presets import RESNET19, VGGSNN
from spikeloom.errors import UserError
from spikeloom.nn import build_network, input_shape

GRAPH = """
[network]
[[network.populations]]
name = "a"
neurons = 8
neuron = {kind = "cuba-lif", current_leak = {kind = "shift", shift = 2}, reset = "subtract"}
[[network.populations]]
name = "readout"
[[network.connections]]
source = "input"
target = "a"
[[network.connections]]
source = "a"
target = "readout"
"""


def test_a_graph_round_trips():
    config = parse_config(GRAPH, source="run.toml")
    assert config.network.is_graph
    assert config.network.hidden == []
    assert parse_config(dump_config(config), source="again") == config


def test_the_file_of_a_chain_does_not_speak_of_graphs():
    text = dump_config(Config())
    for key in ("preset", "stages", "populations", "connections", "batch_norm", "exempt"):
        assert key not in text


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('target = "a"', 'target = "b"', "target is 'b', but it must be a population's name"),
        ('name = "a"', 'name = "input"', "name is 'input', but it must be another"),
        ('name = "a"', 'name = "readout"', "name is 'readout', but it must be unique"),
        ("neurons = 8", "", "neurons is 0, but it must be given, or channels of a map"),
        ("neurons = 8", "neurons = 8\nchannels = 8", "channels is 8, but it must be without"),
        ("shift = 2", "shift = 16", "shift is 16, but it must be 1 to 15"),
        ('target = "a"', 'target = "a"\nkind = "sum_pool2d"', "kind is 'sum_pool2d'"),
        ('target = "a"', 'target = "a"\nkernle = 3', "has no key 'kernle', did you mean 'kernel'?"),
        ('target = "a"', 'target = "a"\nstride = [1]', "stride is [1], but it must be"),
        ("[network]", "[network]\nlearn_leak = true", "learn_leak is true"),
        ("[network]", '[sparsity]\nexempt = ["x"]\n[network]', "a connection's name"),
        ("[network]", '[quantization]\nscale = "learned"\n[network]', "'max' or 'fixed'"),
    ],
)
def test_tables_that_make_no_network_are_refused(old, new, says):
    text = GRAPH.replace(old, new, 1)
    assert text != GRAPH
    with pytest.raises(UserError) as error:
        parse_config(text, source="run.toml")
    assert str(error.value).startswith("run.toml: table [")
    assert says in str(error.value)


def test_a_loop_without_delay_is_refused():
    text = GRAPH + '[[network.connections]]\nsource = "a"\ntarget = "a"\nname = "back"\n'
    with pytest.raises(UserError, match="has no delay"):
        parse_config(text, source="run.toml")
    parse_config(text + "delay = 1\n", source="run.toml")


@pytest.mark.parametrize("table", ["[network]\nbatch_norm = false", '[sparsity]\nexempt = ["a"]'])
def test_keys_of_graphs_are_refused_in_a_chain(table):
    with pytest.raises(UserError, match="in a chain"):
        parse_config(table, source="run.toml")


def test_values_are_refused_in_a_chain():
    with pytest.raises(UserError, match="values need a graph"):
        parse_config('[data.encoding]\nkind = "direct"', source="run.toml")


def preset(name, stages, hidden, *, extra=""):
    text = f"""
    [data]
    time_steps = 2
    encoding = {{kind = "direct"}}
    [network]
    preset = "{name}"
    stages = {stages}
    hidden = {hidden}
    membrane_bits = 16
    {extra}
    """
    return parse_config(text, source="run.toml")


def built(config, shape=(32, 32, 3)):
    inputs = shape[0] * shape[1] * shape[2]
    return build_network(config, inputs=inputs, classes=10, source=shape)


@pytest.mark.parametrize(
    ("name", "stages", "hidden", "weights"),
    [
        # 27·32 + 9·(32² + 32·64 + 64² + 64·128 + 128²) + 16·128·10
        ("vgg", [[32, 32], [64, 64], [128, 128]], [], 307_040),
        # 27·8 + 18·64 + 8 + 9·(8·16 + 256) + 8·16 + 64·16·10
        ("resnet", [[8], [16]], [], 216 + 1152 + 8 + 3456 + 128 + 10_240),
    ],
)
def test_presets_have_the_weights_that_they_should(name, stages, hidden, weights):
    network = built(preset(name, stages, hidden))
    assert sum(layer.mask.numel() for layer in network.layers) == weights


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "stages", "hidden"),
    [("vgg", VGGSNN, []), ("resnet", RESNET19, [256])],
    ids=["VGGSNN", "ResNet19"],
)
def test_the_paper_s_networks_are_built_at_full_size(name, stages, hidden):
    network = built(preset(name, stages, hidden))
    convolutions = [layer for layer in network.layers if layer.weight.dim() == 4]
    assert len(network.layers) >= len(convolutions) + 1
    assert network.classes == 10


@pytest.mark.parametrize(
    ("code", "shape", "inputs", "expected"),
    [
        ("latency", (6, 5), 30, (6, 5, 1)),
        ("latency", (30,), 30, (30,)),
        ("multithreshold", (6, 5, 3), 360, (6, 5, 12)),
        ("delta", (4, 5), 10, (10,)),
        ("frames", (4, 6, 5, 2), 60, (6, 5, 2)),
        ("frames", (4, 5), 5, (5,)),
        ("frames", (2, 4, 5), 10, (10,)),
    ],
)
def test_the_input_has_the_shape_of_what_is_encoded(code, shape, inputs, expected):
    text = f'[data]\ntime_steps = 4\nencoding = {{kind = "{code}"}}\n{GRAPH}'
    config = parse_config(text, source="run.toml")
    assert input_shape(config, shape, inputs) == expected


def test_shapes_that_do_not_fit_are_refused():
    config = preset("vgg", [[4], [4], [4]], [])
    with pytest.raises(UserError, match="connection 'pool3': a window of"):
        built(config, (4, 4, 1))


def test_sums_beyond_floats_are_refused():
    wide = preset("vgg", [[4]], [], extra="fraction_bits = 8")
    with pytest.raises(UserError, match=r"below 2\^24 only"):
        built(wide, (64, 64, 16))
