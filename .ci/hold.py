"""Reads the comparer's table of totals and fails on a wrong answer, or on fewer passes than the recorded number."""
import re
import sys

report, floor_file, name = sys.argv[1:]
lines = open(report, encoding="utf-8").read().splitlines()
header = next(line for line in lines if line.startswith("origin"))
total = next(line for line in lines if line.startswith("TOTAL"))
names = header.removesuffix("pass %").split()[1:]
numbers = [int(number) for number in re.findall(r"(?<=\s)\d+(?=\s)", total)]
counts = dict(zip(names, numbers, strict=True))
bad = {key: n for key, n in counts.items() if n and (key.startswith("wrong") or key in ("crash", "timeout"))}
passed = counts["pass"] + counts["pass-weak"]
floor = int(open(floor_file, encoding="utf-8").read())
print(f"conformance {name}: {passed} of {counts['cases']} pass (at least {floor} must), {counts['refused']} refused")
if bad:
    print("\n".join(lines[:80]))
    sys.exit(f"conformance {name}: wrong answers: {bad}")
if passed < floor:
    sys.exit(f"conformance {name}: fewer passes than recorded")
