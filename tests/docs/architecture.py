"""The figure of layers in docs/architecture.md is src/LAYERS. architecture.py [BINARY] [--update]"""
import pathlib
import re
import sys

BEGIN, END = "<!-- layers: made from src/LAYERS by tests/docs/architecture.py -->\n", "<!-- end -->\n"


def bands(lines):
    """Directories by how high they stand: each above all it may include."""
    height = {}
    for line in lines:
        line = line.split("#")[0].strip()
        if line:
            name, below = line.split(":")
            height[name] = 1 + max((height[b] for b in below.split()), default=-1)
    return [[n for n, h in height.items() if h == band] for band in range(max(height.values()), -1, -1)]


def figure(lines):
    return "```\n" + "".join("  ".join(band).center(60).rstrip() + "\n" for band in bands(lines)) + "```\n"


root = pathlib.Path(__file__).parents[2]
page = root / "docs/architecture.md"
text = page.read_text()
found = re.search(re.escape(BEGIN) + "(.*?)" + re.escape(END), text, re.S)
if not found:
    sys.exit("docs/architecture.md: no figure of layers between its two comments")
wanted = figure((root / "src/LAYERS").read_text().splitlines())
if "--update" in sys.argv:
    page.write_text(text[:found.start(1)] + wanted + text[found.end(1):])
elif found[1] != wanted:
    sys.exit(f"docs/architecture.md: the figure is not src/LAYERS, which gives\n{wanted}")
