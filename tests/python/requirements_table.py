"""Prints which test proves which requirement, from the doc comments `Proves SCIM-001, …` of the tests.

usage: requirements_table.py [LIST_OF_IDS]   where the list has one id a line; those without a test come last
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
ID = re.compile(r"SCIM-\d{3}")
NAME = re.compile(r"^\s*(?:pub )?(?:async )?fn (\w+)")

proofs = {}
for file in sorted([*ROOT.glob("src/**/*.rs"), *ROOT.glob("tests/**/*.rs")]):
    waiting = []
    proving = False
    for line in file.read_text().splitlines():
        text = line.strip()
        if text.startswith("///"):
            proving = proving or "Proves" in text
            if proving:
                waiting += ID.findall(text)
        elif found := NAME.match(line):
            for name in waiting:
                proofs.setdefault(name, []).append(f"{file.relative_to(ROOT)}::{found[1]}")
            waiting, proving = [], False
        elif not text.startswith("#["):
            waiting, proving = [], False

print("| requirement | tests |\n|---|---|")
for name in sorted(proofs):
    print(f"| {name} | {', '.join(proofs[name])} |")
if len(sys.argv) > 1:
    wanted = ID.findall(pathlib.Path(sys.argv[1]).read_text())
    missing = sorted(set(wanted) - set(proofs))
    print(f"\n{len(proofs)} proved, {len(missing)} not: {', '.join(missing)}")
