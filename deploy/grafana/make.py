"""make.py - writes dashboards/*.json. Python's standard library only."""

import json
import pathlib

import comparison
import operators

FOLDER = pathlib.Path(__file__).resolve().parent / "dashboards"
DASHBOARDS = {"sale-and-service.json": comparison.made, "operators.json": operators.made}


def texts():
    """{file name: what is in it}."""
    return {name: json.dumps(made(), indent=1, ensure_ascii=False) + "\n"
            for name, made in DASHBOARDS.items()}


if __name__ == "__main__":
    for file, text in texts().items():
        (FOLDER / file).write_text(text)
