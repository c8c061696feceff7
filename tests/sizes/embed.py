#!/usr/bin/env python3
"""Prints the C++ source of a dictionary: embed.py FILE > src/journal/dictionary_v2.cc"""
import sys

data = open(sys.argv[1], "rb").read()
words = {9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 92: "\\\\", 63: "\\?"}
lines, line = [], ""
for byte in data:
  text = words.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}")
  if len(line) + len(text) > 92:
    lines.append(line)
    line = ""
  line += text
lines.append(line)
print('#include "journal/dictionary.h"\n\nnamespace attune {\nnamespace {\n')
print("// Trained by tests/sizes/train; part of the format: never changes.")
print(f"constexpr std::size_t kBytes = {len(data)};")
print("// clang-format off\nconstexpr const char* kDictionary =")
print("\n".join(f'    "{l}"' for l in lines) + ";\n// clang-format on\n")
print("}  // namespace\n\nstd::string_view dictionary_v2() { return {kDictionary, kBytes}; }\n\n}  // namespace attune")
