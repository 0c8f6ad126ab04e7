"""The conformance items, as their source has them."""
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent
ITEM = re.compile(r'^ITEM\(\s*"([^"]+)"\s*,\s*((?:"[^"]*"\s*)+)\)', re.MULTILINE)


def items():
    """(file, paragraph, promise) of each, in the order of files and lines."""
    found = []
    for file in sorted(FOLDER.glob("*_items.cc")):
        for match in ITEM.finditer(file.read_text()):
            found.append((file.name, match[1], "".join(re.findall(r'"([^"]*)"', match[2]))))
    return found
