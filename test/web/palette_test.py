#!/usr/bin/env python3
"""The colors of the page's lines stay apart, also for eyes that lack a cone, and stand out from the paper.

Vision is simulated as by Machado, Oliveira and Fernandes (2009, severity 1); differences are those of CIE 1976 L*a*b*,
where about 2.3 can just be told apart side by side.
"""

import itertools
import pathlib
import re
import unittest

COLORS = pathlib.Path(__file__).resolve().parents[2] / "client" / "http" / "web" / "colors.js"
VISIONS = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
LEAST_DIFFERENCE = 20
LEAST_CONTRAST = 3  # of graphical objects, by WCAG 2.1


def linear(color):
    parts = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(color):
    red, green, blue = linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a, b):
    darker, lighter = sorted((luminance(a), luminance(b)))
    return (lighter + 0.05) / (darker + 0.05)


def lab(color, vision):
    red, green, blue = (min(max(sum(weight * part for weight, part in zip(row, linear(color))), 0), 1) for row in vision)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


class PaletteTest(unittest.TestCase):
    def setUp(self):
        source = COLORS.read_text()
        lists = re.findall(r"(light|dark): \[(.*)\]", source)
        self.palettes = {theme: re.findall(r"#[0-9a-f]{6}", colors) for theme, colors in lists}
        paper = re.search(r"export const paper = .*", source)[0]
        self.papers = dict(re.findall(r'(light|dark): "(#[0-9a-f]{6})"', paper))
        self.assertEqual([len(colors) for colors in self.palettes.values()], [8, 8])

    def test_colors_stay_apart(self):
        for (theme, colors), (name, vision) in itertools.product(self.palettes.items(), VISIONS.items()):
            for a, b in itertools.combinations(colors, 2):
                difference = sum((x - y) ** 2 for x, y in zip(lab(a, vision), lab(b, vision))) ** 0.5
                self.assertGreater(difference, LEAST_DIFFERENCE, f"{a} and {b}, {theme}, {name}")

    def test_colors_stand_out(self):
        for theme, colors in self.palettes.items():
            for color in colors:
                self.assertGreaterEqual(contrast(color, self.papers[theme]), LEAST_CONTRAST, f"{color}, {theme}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
