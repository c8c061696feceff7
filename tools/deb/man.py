#!/usr/bin/env python3
"""man.py VERSION <reference >attune.1: the page of `attune reference` as a manual page."""
import re
import sys


def troff(text):
    text = re.sub(r"`([^`]*)`", r"\1", text).replace("\\|", "|")
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


def page(lines, version):
    yield f'.TH ATTUNE 1 "" "attune {version}" "Attune"'
    yield ".SH NAME\nattune \\- learns from what people do and decides what to show next"
    yield ".SH SYNOPSIS\n.B attune\n.I command\n[options]"
    yield ".SH DESCRIPTION"
    is_code = False
    for line in lines:
        option = re.match(r"\| `(.*)` \| (.*) \|$", line)
        if line.startswith("```"):
            is_code = not is_code
            yield ".nf" if is_code else ".fi"
        elif line.startswith("# ") or line.startswith("| option") or line.startswith("|---"):
            continue
        elif line.startswith("## "):
            yield ".SH " + troff(line[3:]).upper()
        elif option:
            yield f".TP\n.B {troff(option[1])}\n{troff(option[2])}"
        elif line or is_code:
            yield troff(line)
        else:
            yield ".PP"


if __name__ == "__main__":
    text = "\n".join(page(sys.stdin.read().splitlines(), sys.argv[1]))
    print(re.sub(r"(\.PP\n)+(?=\.|$)", "", text))
