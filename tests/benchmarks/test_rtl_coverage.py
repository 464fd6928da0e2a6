"""Reading what Verilator covered, and what of it can be covered at all."""

import pytest

from mutants.cover import Point, in_verilog, points


def recorded(**fields: object) -> str:
    """A line of Verilator's file, without the count."""
    return "C '" + "".join(f"\x01{name}\x02{value}" for name, value in fields.items()) + "'"


TOP = "alone.bench.core"
RECORDED = "\n".join(
    [
        "# SystemC::Coverage-3",
        recorded(f="/x/core.v", l=7, n=1, page="v_line/alone", o="if", h=TOP) + " 5",
        recorded(f="/x/core.v", l=9, page="v_toggle/a", o="a___05Fb[3]:0->1", h=f"{TOP}.x") + " 0",
        recorded(f="/x/bench.sv", l=9, page="v_line/alone", o="if", h="alone.bench") + " 2",
    ]
)


def test_points_of_the_core_are_counted():
    assert points(RECORDED) == {
        Point(kind="line", line=7, place="alone.bench.core if"): 5,
        Point(kind="toggle", line=9, place="alone.bench.core.x a___05Fb[3]:0->1"): 0,
    }


@pytest.mark.parametrize(
    ("place", "net"),
    [
        ("alone.bench.core a:0->1", ("a", 0)),
        ("alone.bench.core.x.y a___05Fb[3]:1->0", ("x.y.a__b", 3)),
        ("alone.bench.core.x a__02eb[0]:1->0", ("x.a.b", 0)),
    ],
)
def test_a_net_has_its_name_in_the_verilog(place, net):
    assert in_verilog(Point(kind="toggle", line=1, place=place)) == net
