"""How every benchmark reports: a table for people, JSON with a schema version for scripts."""
import argparse
import json

SCHEMA = 1


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", metavar="FILE", help="write the rows as JSON too")
    return parser.parse_args()


def report(name, rows, json_file=None, facts=None):
    """Prints `rows`, a list of dicts with the same keys, and `facts`, a dict; writes them to `json_file` if there is one."""
    columns = list(rows[0])
    cells = [[str(row[column]) for column in columns] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *cells]) for i in range(len(columns))]
    for line in [columns, *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    for fact, value in (facts or {}).items():
        print(f"{fact}: {value}")
    if json_file:
        with open(json_file, "w", encoding="utf-8") as out:
            json.dump({"schema": SCHEMA, "benchmark": name, "rows": rows} | ({"facts": facts} if facts else {}), out, indent=1)
            out.write("\n")
