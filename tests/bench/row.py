# SPDX-License-Identifier: MIT
"""A row of the table: its words, its unit, which way is better, what is
wanted: "6x" is six times as good as Linux, "90" at least (or most) 90."""

from typing import NamedTuple


class Row(NamedTuple):
    words: str
    unit: str
    more_is_better: bool
    wanted: str = ""

    def times_better(self, ours, theirs):
        """How often ours is as good as theirs, whichever way is better."""
        if not ours or not theirs or min(ours, theirs) <= 0:
            return None
        return ours / theirs if self.more_is_better else theirs / ours

    def verdict(self, ours, theirs):
        """What was wanted and whether it is so, as the table has it."""
        if not self.wanted or ours is None:
            return "-"
        if self.wanted.endswith("x"):
            ratio = self.times_better(ours, theirs)
            if ratio is None:
                return "-"
            met, sign = ratio >= float(self.wanted[:-1]), ""
        elif self.more_is_better:
            met, sign = ours >= float(self.wanted), ">= "
        else:
            met, sign = ours <= float(self.wanted), "<= "
        return f"{sign}{self.wanted}: {'yes' if met else 'NO'}"


def more(words, unit, wanted=""):
    return Row(words, unit, True, wanted)


def less(words, unit, wanted=""):
    return Row(words, unit, False, wanted)
