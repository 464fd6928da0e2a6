"""One component for each thing a host can ask for.

Each takes the `payload` of a request to its end, and gives an `answer` whose end carries the status
(:class:`spikeloom_hw.host.layouts.PayloadLayout`). The engine brings one request at a time. A
command adds ports of its own for what it works on.
"""
