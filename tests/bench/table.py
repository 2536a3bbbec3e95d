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
        for name, row in ROWS.items():
            ratio = row.times_better(*self.medians(name))
            if ratio:
                yield row.words, ratio

    def systems(self):
        found = []
        for by_system in self.values.values():
            found += [name for name in by_system if name not in found]
        return found

    def of(self, row, system):
        values = self.values.get(row, {}).get(system)
        return summary(values) if values else None

    def medians(self, row):
        """Ours and theirs, each None when it was not measured."""
        return [result and result["median"] for result in
                (self.of(row, "ferrule"), self.of(row, "linux"))]

    def lines(self):
        """Cells of each row: words, unit, each system, ratio, wanted."""
        systems = self.systems()
        yield ["what", "unit", *systems, "ferrule is better by", "wanted"]
        for name, row in ROWS.items():
            if name not in self.values:
                continue
            medians = self.medians(name)
            ratio = row.times_better(*medians)
            yield [row.words, row.unit,
                   *(cell(self.of(name, system)) for system in systems),
                   f"{number(ratio)}x" if ratio else "-",
                   row.verdict(*medians)]

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
        rows = {name: {"what": ROWS[name].words, "unit": ROWS[name].unit,
                       "more_is_better": ROWS[name].more_is_better,
                       "wanted": ROWS[name].wanted,
                       "systems": {system: summary(values)
                                   for system, values in by_system.items()},
                       "ratio": ROWS[name].times_better(*self.medians(name))}
                for name, by_system in self.values.items()}
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"about": about, "rows": rows}, file, indent=2)
            file.write("\n")
