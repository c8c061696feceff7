"""docs/reference pages that the binary prints are what it prints. golden.py BINARY [--update]"""
import pathlib
import subprocess
import sys

PAGES = {"cli.md": ["reference"], "config.md": ["config", "reference"]}

root = pathlib.Path(__file__).parents[2]
stale = []
for page, arguments in PAGES.items():
    path = root / "docs/reference" / page
    printed = subprocess.run([sys.argv[1], *arguments], check=True, capture_output=True,
                             text=True).stdout
    if path.exists() and path.read_text() == printed:
        continue
    stale.append(page)
    if "--update" in sys.argv:
        path.write_text(printed)
if stale and "--update" not in sys.argv:
    sys.exit(f"docs/reference: {', '.join(stale)} is not what the binary prints; "
             "run tests/docs/golden.py BINARY --update and read the diff")
