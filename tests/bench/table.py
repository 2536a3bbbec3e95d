# SPDX-License-Identifier: MIT
"""Medians, spread and ratios of the values, as text, Markdown and JSON."""

import json
import statistics

from rows import ROWS


def summary(values):
    return {"median": statistics.median(values), "least": min(values),
            "most": max(values), "values": values}


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def cell(result):
    if result is None:
        return "-"
    text = number(result["median"])
    if result["least"] != result["most"]:
        text += f" ({number(result['least'])} to {number(result['most'])})"
    return text


def times_better(row, ours, theirs):
    """How often ours is as good as theirs, whichever way is better."""
    if not ours or not theirs:
        return None
    a, b = ours["median"], theirs["median"]
    if a <= 0 or b <= 0:
        return None
    return a / b if ROWS[row][2] else b / a


class Results:
    def __init__(self):
        self.values = {}        # row -> system -> [value]

    def add(self, system, values):
        for row, value in values.items():
            self.values.setdefault(row, {}).setdefault(system,
                                                       []).append(value)

    def count(self, system, row):
        return len(self.values.get(row, {}).get(system, []))

    def load(self, path):
        """Goes on with what save() left; gives back what it was about."""
        with open(path, encoding="utf-8") as file:
            saved = json.load(file)
        for row, entry in saved["rows"].items():
            if row in ROWS:
                self.values[row] = {name: result["values"] for name, result
                                    in entry["systems"].items()}
        return saved["about"]

    def ratios(self):
        """(words, ratio) of every row that both systems have."""
        for row, (words, _, _) in ROWS.items():
            ratio = times_better(row, self.of(row, "ferrule"),
                                 self.of(row, "linux"))
            if ratio:
                yield words, ratio

    def systems(self):
        found = []
        for by_system in self.values.values():
            found += [name for name in by_system if name not in found]
        return found

    def of(self, row, system):
        values = self.values.get(row, {}).get(system)
        return summary(values) if values else None

    def lines(self):
        """One list of cells per row: words, unit, each system, ratio."""
        systems = self.systems()
        yield ["what", "unit", *systems, "ferrule is better by"]
        for row, (words, unit, _) in ROWS.items():
            if row not in self.values:
                continue
            ratio = times_better(row, self.of(row, "ferrule"),
                                 self.of(row, "linux"))
            yield [words, unit, *(cell(self.of(row, name))
                                  for name in systems),
                   f"{number(ratio)}x" if ratio else "-"]

    def text(self):
        lines = list(self.lines())
        widths = [max(len(line[i]) for line in lines)
                  for i in range(len(lines[0]))]
        return "\n".join("  ".join(part.ljust(width) for part, width
                                   in zip(line, widths)).rstrip()
                         for line in lines)

    def markdown(self):
        lines = list(self.lines())
        lines.insert(1, ["---"] * len(lines[0]))
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def save(self, path, about):
        rows = {row: {"what": ROWS[row][0], "unit": ROWS[row][1],
                      "more_is_better": ROWS[row][2],
                      "systems": {name: summary(values) for name, values
                                  in by_system.items()},
                      "ratio": times_better(row, self.of(row, "ferrule"),
                                            self.of(row, "linux"))}
                for row, by_system in self.values.items()}
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"about": about, "rows": rows}, file, indent=2)
            file.write("\n")
