"""Refuses an include that src/LAYERS does not allow. Run from the project's root; part of ./check."""
import pathlib
import re
import sys

src = pathlib.Path("src")
allowed = {}  # directory -> what it may include; filled top down, so a cycle cannot be written
for line in (src / "LAYERS").read_text().splitlines():
    line = line.split("#")[0].strip()
    if not line:
        continue
    name, above = line.split(":")
    if not set(above.split()) <= allowed.keys():
        sys.exit(f"src/LAYERS: {name} names a directory that is not above it")
    allowed[name] = {name, *above.split()}

faults = [f"{d}: not in src/LAYERS" for d in src.iterdir() if d.is_dir() and d.name not in allowed]
for file in src.rglob("*.[ch]*"):
    home = file.relative_to(src).parts[0]
    for target in re.findall(r'^\s*#\s*include\s*"([^"]+)"', file.read_text(), re.M):
        if target.split("/")[0] not in allowed.get(home, ()):
            faults.append(f"{file}: {home} may not include {target}")
print("\n".join(sorted(faults)) or f"layers ok: {len(allowed)} directories")
sys.exit(bool(faults))
