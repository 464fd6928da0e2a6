"""What `estimate` prints."""

import re


def test_ratios_have_one_format(spikeloom, network):
    result = spikeloom("estimate", network, "--lanes", "8,1")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    (head,) = (number for number, line in enumerate(lines) if "× entropy" in line)
    place = lines[head].index("× entropy")
    rows = [line[place:].split()[0] for line in lines[head + 2 : head + 4]]
    assert [bool(re.fullmatch(r"\d+\.\d\d", row)) for row in rows] == [True, True], rows
