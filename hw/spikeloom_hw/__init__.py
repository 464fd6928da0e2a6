"""From integers to gates: the Amaranth core, its boards, and synthesis."""
