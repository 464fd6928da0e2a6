"""The commands of docs/data.md, run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
BLOCK = re.compile(r"```(sh|python)\n(.*?)```", re.DOTALL)


def test_the_page_s_commands(tmp_path):
    text = PAGE.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert [kind for kind, _ in blocks] == ["python", "sh", "sh", "python"]
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    for kind, code in blocks:
        command = [sys.executable, "-c", code] if kind == "python" else ["sh", "-euc", code]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, env={"PATH": path}
        )
        assert done.returncode == 0, (code, done.stderr)
    assert "Classes: class_0, class_1, class_2" in (
        tmp_path / "runs" / "wine" / "report.html"
    ).read_text(encoding="utf-8")
