# SPDX-License-Identifier: MIT
"""The ratios as a picture: one bar a row, on a scale of doublings."""

import html
import math

WIDTH, LEFT, RIGHT, TOP, STEP, BAR = 780, 350, 70, 64, 24, 14
BETTER, WORSE = "#2f7d5b", "#b4552d"
STYLE = ("text{font:13px system-ui,sans-serif;fill:#24292f}"
         ".t{font-size:16px;font-weight:600}.s{fill:#57606a;font-size:12px}"
         ".g{stroke:#d8dee4}.o{stroke:#57606a}")


def draw(rows, title, subtitle):
    """rows: (words, ratio), ratio > 1 where ferrule is better."""
    most = max([4.0] + [ratio for _, ratio in rows])
    least = min([1.0] + [ratio for _, ratio in rows])
    high = math.ceil(math.log2(most))
    low = math.floor(math.log2(least))
    height = TOP + STEP * len(rows) + 34
    unit = (WIDTH - LEFT - RIGHT) / (high - low)

    def x(ratio):
        return LEFT + (math.log2(ratio) - low) * unit

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
           f'height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">',
           f"<title>{html.escape(title)}</title><style>{STYLE}</style>",
           f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
           f'<text class="t" x="16" y="26">{html.escape(title)}</text>',
           f'<text class="s" x="16" y="46">{html.escape(subtitle)}</text>']
    bottom = TOP + STEP * len(rows)
    every = 1 if high - low <= 6 else 2
    for power in range(low, high + 1):
        at = x(2.0 ** power)
        kind = "o" if power == 0 else "g"
        out.append(f'<path class="{kind}" d="M{at:.1f} {TOP - 4}V{bottom}"/>')
        if power % every == 0:
            words = f"{2 ** power}x" if power >= 0 else f"1/{2 ** -power}x"
            out.append(f'<text class="s" x="{at:.1f}" y="{bottom + 18}" '
                       f'text-anchor="middle">{words}</text>')
    for number, (words, ratio) in enumerate(rows):
        y = TOP + STEP * number
        start, end = sorted((x(1.0), x(ratio)))
        out.append(f'<text x="{LEFT - 10}" y="{y + 12}" text-anchor="end">'
                   f"{html.escape(words)}</text>")
        out.append(f'<rect x="{start:.1f}" y="{y}" height="{BAR}" rx="2" '
                   f'width="{max(end - start, 1):.1f}" '
                   f'fill="{BETTER if ratio >= 1 else WORSE}"/>')
        said = f"{ratio:.1f}x" if ratio < 10 else f"{ratio:.0f}x"
        out.append(f'<text x="{end + 6:.1f}" y="{y + 12}">{said}</text>')
    return "\n".join(out) + "\n</svg>\n"
