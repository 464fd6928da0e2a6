"""A reset of the hardware in the middle of a sample, and what a host finds afterwards."""

import pytest

from spikeloom.host.protocol import Command, Status

from .test_port import FIRST, Served, check_results, events_of, send_sample

EVENTS = events_of(FIRST, 3, 2)


@pytest.mark.parametrize(
    "distributed_depth", [pytest.param(0, id="in place"), pytest.param(64, id="overlapped")]
)
def test_the_next_sample_is_right(distributed_depth):
    served = Served(loadable=False, distributed_depth=distributed_depth)
    assert any(layer.overlapped for layer in served.params.layers) == bool(distributed_depth)

    async def conversation(host):
        await send_sample(host, EVENTS[0], cut=40)
        host.ctx.set(served.domain.rst, 1)
        await host.ctx.tick()
        host.ctx.set(served.domain.rst, 0)
        assert (await host.ask(Command.RESET)).status == Status.OK
        await check_results(host, FIRST, EVENTS)

    served.talk(conversation)
