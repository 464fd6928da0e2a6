"""What a part of a network may be called."""

import re

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
NAME_RULE = "a letter, then up to 63 letters, digits, '_' or '-': it names files and modules"
