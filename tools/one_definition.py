"""Refuses two types of one name: the linker keeps one destructor, or vector, of both and says nothing.
Types of one file are in its unnamed namespace. Run from the project's root; part of ./check."""
import collections
import pathlib
import re
import sys

found = collections.defaultdict(set)
for file in pathlib.Path("src").rglob("*.[ch]*"):
    is_own, space = False, ""
    for line in file.read_text().splitlines():
        if line == "namespace {":
            is_own = True
        elif line == "}  // namespace":
            is_own = False
        elif named := re.match(r"namespace ([\w:]+) {$", line):
            space = named[1]
        head = re.match(r"(?:struct|class|union)(?: alignas\(\w+\))? (\w+)(?: final)?(?: {| :|$)", line)
        if head and not is_own:
            found[f"{space}::{head[1]}"].add(str(file))
if not found:
    sys.exit("no types in src: run it from the project's root")
faults = [f"{name}: a type in each of {', '.join(sorted(files))}" for name, files in found.items() if len(files) > 1]
print("\n".join(sorted(faults)) or f"one definition ok: {len(found)} types")
sys.exit(bool(faults))
