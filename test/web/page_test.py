#!/usr/bin/env python3
"""Looks at the page in a headless Chromium: every panel against what SQL says, what a reader may choose, and what goes wrong.

Needs a running cluster in the PG* environment and the built gravitas-telemetry-http. GRAVITAS_WEB_SCREENSHOTS names a
directory for pictures of the page.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

import browser
from service import Database, Forwarder, Service

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
DEMO = TOP / "build" / "demo" / "gravitas-demo"
DATA = pathlib.Path(os.environ.get("GRAVITAS_TRACE_DATA") or TOP.parent / "shared" / "data")
SKIPPED = 77
TOKEN = "0123456789abcdef0123456789abcdef"
ENTER, RIGHT, HOME, ESCAPE = "\ue007", "\ue014", "\ue011", "\ue00c"
HOSTILE = ["<script>document.title='stolen'</script>", "<img src=x onerror=\"document.title='stolen'\">",
           "it's \"quoted\" \\ &amp;", "two\nlines\tand a tab", "javascript:alert(1)", "\u202egnp.exe \U0001f600 é",
           "__proto__", "constructor", "  ", "%3Cb%3E#a=b&c"]

EFFICIENCY_TIP = "const tip = document.querySelector('#efficiency .tip'); return tip.hidden ? null : tip.innerText"


def shown(text):
    """The number in a figure of the page, with its scale."""
    scales = {"k": 1e3, "M": 1e6, "G": 1e9, "kB": 1024, "MB": 1024 ** 2, "GB": 1024 ** 3, "B": 1}
    number, _, unit = text.strip().lstrip("~").replace(",", "").partition(" ")
    return float(number) * scales.get(unit, 1)


class PageTest(unittest.TestCase):
    """What all tests of the page share: a browser that must have nothing to complain about."""

    allowed_complaints = ()

    @classmethod
    def setUpClass(cls):
        cls.page = browser.Browser()
        cls.addClassCleanup(cls.page.close)
        cls.page.view(1440, 900, dark=False)

    def setUp(self):
        self.page.open("about:blank")
        self.page.log()

    def tearDown(self):
        complaints = [entry["message"] for entry in self.page.log()
                      if not any(allowed in entry["message"] for allowed in self.allowed_complaints)]
        self.assertEqual(complaints, [])

    def open(self, service, fragment=""):
        """Shows the page early in a minute, since windows are whole minutes: SQL is asked about the same one then."""
        if time.time() % 60 > 45:
            time.sleep(60 - time.time() % 60)
        self.page.open("about:blank")  # or else a new fragment alone would load nothing
        self.page.open(service.url + fragment)
        self.page.wait_for("return performance.getEntriesByName('shown').length > 0", "the first figures")

    def cells(self, panel):
        """The figures of a table, by row and key."""
        rows = self.page.run("""
            return [...document.querySelectorAll(arguments[0] + ' tbody tr')].map((row) =>
                [row.dataset.row, [...row.querySelectorAll('[data-key]')].map((cell) => [cell.dataset.key, cell.textContent])])
            """, panel)
        return {name: dict(cells) for name, cells in rows}

    def text(self, selector):
        return self.page.run("return document.querySelector(arguments[0]).innerText", selector)

    def models(self):
        return self.page.run("""
            return [...document.querySelectorAll('#ranking tbody .model .name')].map((name) => name.textContent)""")

    def assert_shown(self, text, value, what):
        if value is None:
            self.assertEqual(text, "–", what)
        else:
            self.assertAlmostEqual(shown(text), value, delta=0.0051 * abs(value), msg=f"{what}: {text} for {value}")

    def assert_rows(self, panel, rows, name, keys):
        cells = self.cells(panel)
        self.assertEqual(list(cells), [row[name] for row in rows], panel)
        for row in rows:
            for key in keys:
                self.assert_shown(cells[row[name]][key], row[key], f"{panel} {row[name]} {key}")


class FilledTest(PageTest):
    """60 days of 20 models."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = Database("filled", HERE / "sample.sql")
        cls.addClassCleanup(cls.database.drop)
        cls.service = Service(cls.database.conninfo)
        cls.addClassCleanup(cls.service.stop)

    def efficiency(self, hours):
        return self.database.rows(f"SELECT * FROM telemetry.get_aggregated_efficiency(hours => {hours})")

    def test_ranking_is_that_of_sql_in_every_window(self):
        keys = ("weighted_efficiency_score", "p50_efficiency", "p95_efficiency", "p99_efficiency", "measurement_count",
                "total_tokens", "error_count")
        for hours in (1, 24, 168, 1440):
            with self.subTest(hours=hours):
                self.open(self.service, f"#window={hours}")
                self.assert_rows("#ranking", self.efficiency(hours), "component", keys)

    def test_first_tokens_and_error_rates_are_those_of_sql(self):
        self.open(self.service)
        cells = self.cells("#ranking")
        rows = self.database.rows("SELECT * FROM telemetry.get_series('THOUGHT_LATENCY')")
        self.assertEqual(len(rows), 20)
        for row in rows:
            mine = cells[row["component"]]
            self.assert_shown(mine["first_token_p50_ms"], row["first_token_p50_ms"], row["component"])
            self.assert_shown(mine["first_token_p95_ms"], row["first_token_p95_ms"], row["component"])
            self.assertAlmostEqual(float(mine["error_rate"].rstrip(" %")), 100 * row["error_count"] / row["event_count"],
                                   delta=0.5, msg=row["component"])

    def test_loads_are_those_of_sql(self):
        self.open(self.service, "#window=168")
        rows = self.database.rows("SELECT * FROM telemetry.get_series('LOAD_LATENCY', hours => 168) ORDER BY p50")
        self.assertEqual(len(rows), 20)
        self.assert_rows("#loads", rows, "component", ("p50", "p95", "max_value", "event_count", "error_count"))

    def test_tiles_sum_up(self):
        self.open(self.service)
        rows = self.efficiency(24)
        total = sum(row["total_tokens"] for row in rows)
        tile = "#tiles [data-key={}] .value".format
        self.assert_shown(self.text(tile("best")).removesuffix(" ms/token"), rows[0]["weighted_efficiency_score"], "best")
        self.assert_shown(self.text(tile("tokens")), total / 24, "tokens")
        firing = self.database.rows("SELECT * FROM telemetry.alerts")
        self.assertGreater(len(firing), 0)
        self.assertEqual(self.text(tile("alerts")), f"{len(firing)} firing")
        size, = self.database.rows("SELECT total_bytes, days_until_cap FROM telemetry.footprint WHERE table_name = 'total'")
        self.assert_shown(self.text(tile("footprint")), size["total_bytes"], "footprint")
        days = self.text("#tiles [data-key=footprint] .note").split(" ")[0]
        self.assert_shown(days, size["days_until_cap"], "days until the cap")

    def test_footprint_is_that_of_sql(self):
        for _ in range(5):  # autovacuum changes sizes whenever it likes
            rows = self.database.rows("SELECT * FROM telemetry.footprint")
            self.open(self.service)
            cells = self.cells("#footprint")
            if rows == self.database.rows("SELECT * FROM telemetry.footprint"):
                break
        self.assertEqual(set(cells), {row["table_name"] for row in rows})
        self.assertEqual(list(cells)[-1], "total")
        for row in rows:
            for key in ("total_bytes", "row_count", "growth_bytes_per_day"):
                self.assert_shown(cells[row["table_name"]][key], row[key], f"{row['table_name']} {key}")

    def test_alerts_and_health_are_those_of_sql(self):
        self.open(self.service)
        shown_ids = self.page.run("""
            return [...document.querySelectorAll('#alerts [data-key]')].map((line) => Number(line.dataset.key))""")
        rows = self.database.rows("SELECT alert_id, rule, subject FROM telemetry.alerts")
        self.assertEqual(sorted(shown_ids), sorted(row["alert_id"] for row in rows))
        for row in rows:
            self.assertIn(row["rule"].replace("_", " "), self.text("#alerts"))
            self.assertIn(row["subject"], self.text("#alerts"))
        for row in self.database.rows("SELECT item, hint FROM telemetry.status WHERE item <> 'alerts'"):
            self.assertIn(row["item"], self.text("#health"))
            self.assertIn(row["hint"] or "", self.text("#health"))

    def chart_values(self, panel):
        """What the keyboard shows of a chart's steps, the last one first: a title, and values by name."""
        self.page.run("document.querySelector(arguments[0] + ' .chart').focus()", panel)
        self.page.press(HOME)
        steps = {}
        while True:
            title = self.text(f"{panel} .tip .time")
            if title in steps:
                return steps
            steps[title] = dict(self.page.run("""
                return [...document.querySelectorAll(arguments[0] + ' .tip .name')]
                    .map((name) => [name.textContent, name.nextSibling.textContent])""", panel))
            self.page.press(RIGHT)

    def test_charts_show_the_figures_of_sql(self):
        """Those of one model over 7 days, read with the keyboard."""
        self.open(self.service, "#window=168&filter=%22gemma2:27b%22")
        trend = self.database.rows("""SELECT to_char(step_start, 'FMDD Mon, HH24:MI') AS title,
                                             weighted_efficiency_score AS efficiency, total_tokens / 2.0 AS tokens
                                      FROM telemetry.efficiency_trend('gemma2:27b', 168, '2 hours') ORDER BY step_start""")
        firsts = self.database.rows("""SELECT to_char(step_start, 'FMDD Mon, HH24:MI') AS title, first_token_p50_ms AS first
                                       FROM telemetry.get_series('THOUGHT_LATENCY', 'gemma2:27b', 168, '2 hours')
                                       ORDER BY step_start""")
        for panel, rows, key, unit in (("#efficiency", trend, "efficiency", "ms/token"),
                                       ("#first-token", firsts, "first", "ms"),
                                       ("#tokens", trend[:-1], "tokens", "tokens/h")):
            steps = self.chart_values(panel)
            self.assertGreaterEqual(len(rows), 83)
            for row in rows:
                value = steps[row["title"]]["gemma2:27b"].removesuffix(f" {unit}")
                self.assert_shown(value, row[key], f"{panel} {row['title']}")

    def test_vram_is_that_of_sql(self):
        self.open(self.service, "#window=168")
        steps = self.chart_values("#vram")
        rows = self.database.rows("""SELECT to_char(step_start, 'FMDD Mon, HH24:MI') AS title, component, mean_value
                                     FROM telemetry.get_series('VRAM_CHECK', hours => 168, step => '2 hours')""")
        self.assertGreaterEqual(len(rows), 2 * 83)
        for row in rows:
            value = steps[row["title"]][row["component"]].removesuffix(" MB")
            self.assert_shown(value, row["mean_value"], str(row))

    def test_hovering_shows_values_with_units(self):
        self.open(self.service)
        self.page.run("document.querySelector('#efficiency').scrollIntoView({ block: 'center' })")
        self.page.hover("#efficiency .chart", 20, 10)
        tip = self.page.wait_for(EFFICIENCY_TIP, "the values under the pointer")
        self.assertIn("ms/token", tip)
        self.assertIn("and 12 more", tip)

    def test_what_is_hovered_stays_when_new_figures_come(self):
        self.open(self.service)
        self.page.run("document.querySelector('#efficiency').scrollIntoView({ block: 'center' })")
        self.page.hover("#efficiency .chart", 20, 10)
        before = self.page.wait_for(EFFICIENCY_TIP, "the values under the pointer")
        self.database.run("SELECT telemetry.log_thought_latency('gemma2:27b', 0.3, 10)")
        count = "return document.querySelector('#ranking [data-row=\"gemma2:27b\"] [data-key=measurement_count]').textContent"
        calls = self.page.run(count)
        self.page.wait_for(f"{count} !== '{calls}'", "new figures")
        self.assertEqual(self.page.run(EFFICIENCY_TIP), before)

    def test_the_window_is_switched_and_kept_in_the_address(self):
        self.open(self.service)
        self.assertEqual(self.page.run("return location.hash"), "")
        self.page.run("document.querySelector('#windows input[value=\"24\"]').focus()")
        self.page.press(RIGHT)
        self.page.wait_for("return location.hash === '#window=168'", "the window in the address")
        self.page.wait_for("return document.querySelector('#tiles [data-key=tokens]').textContent.includes('7 days')", "7 days")
        self.assert_rows("#ranking", self.efficiency(168), "component", ("measurement_count", "weighted_efficiency_score"))

    def test_filter_leaves_the_models_that_match(self):
        self.open(self.service)
        self.page.press("/")
        self.page.type("#filter", "QWEN")
        self.page.wait_for("return document.querySelectorAll('#ranking tbody tr').length === 3", "three models")
        self.assertEqual(self.models(), ["qwen2.5:7b", "qwen2.5:32b", "qwen2.5:72b"])
        self.assertEqual(self.page.run("return document.querySelectorAll('#loads tbody tr').length"), 3)
        self.assertEqual(self.page.run("return document.querySelectorAll('#efficiency .names .key').length"), 3)
        self.assertEqual(self.page.run("return location.hash"), "#filter=QWEN")

    def test_a_click_on_a_model_shows_it_alone_and_another_all(self):
        self.open(self.service)
        self.page.click("#ranking tbody tr:nth-child(3) .model")
        self.page.wait_for("return document.querySelectorAll('#ranking tbody tr').length === 1", "one model")
        self.assertEqual(self.models(), ["qwen2.5:7b"])
        self.page.run("document.querySelector('#ranking .model').focus()")
        self.page.press(ENTER)
        self.page.wait_for("return document.querySelectorAll('#ranking tbody tr').length === 20", "all models")

    def test_nothing_matches(self):
        self.open(self.service, "#filter=no-such-model")
        self.assertIn("No inference in the last 24 hours", self.text("#ranking"))
        self.assertIn("No load in the last 24 hours", self.text("#loads"))

    def test_one_model_has_one_look(self):
        self.open(self.service, "#window=168&filter=llama")
        looks = self.page.run("""
            const looks = {};
            for (const line of document.querySelectorAll('.swatch line')) {
                const name = line.closest('.model, .key')?.querySelector('.name').textContent;
                if (name) (looks[name] ??= new Set()).add(line.getAttribute('stroke') + line.getAttribute('stroke-dasharray'));
            }
            return Object.entries(looks).map(([name, seen]) => [name, [...seen]])""")
        models = {name: seen for name, seen in looks if name.startswith("llama")}
        self.assertEqual(set(models), {"llama3.1:8b", "llama3.1:70b"})
        self.assertTrue(all(len(seen) == 1 for seen in models.values()), models)
        self.assertNotEqual(*models.values())

    def test_theme_is_switched(self):
        self.open(self.service)
        ground = "return getComputedStyle(document.body).backgroundColor"
        light = self.page.run(ground)
        self.page.click("#theme")
        self.page.click("#theme")
        self.assertEqual(self.page.run("return location.hash"), "#theme=dark")
        self.assertNotEqual(self.page.run(ground), light)
        self.page.click("#theme")
        self.page.view(1440, 900, dark=True)
        self.page.wait_for(f"{ground} !== '{light}'", "the darkness of the system")
        self.page.view(1440, 900, dark=False)

    def test_text_can_be_read_in_both_themes(self):
        """A contrast of 4.5 for text, of 3 for lines."""
        script = """
            const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
            const luminance = (color) => {
                canvas.fillStyle = color;
                canvas.fillRect(0, 0, 1, 1);
                const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255)
                    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const contrast = (a, b) => {
                const [darker, lighter] = [luminance(a), luminance(b)].sort((x, y) => x - y);
                return (lighter + 0.05) / (darker + 0.05);
            };
            const ground = (element) => {
                for (let each = element; each; each = each.parentElement) {
                    const color = getComputedStyle(each).backgroundColor;
                    if (color !== 'rgba(0, 0, 0, 0)') return color;
                }
                return 'white';
            };
            const bad = [];
            for (const element of document.querySelectorAll('body *')) {
                const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
                if (!hasText || !element.checkVisibility()) continue;
                if (contrast(getComputedStyle(element).color, ground(element)) < 4.5) bad.push(element.outerHTML.slice(0, 200));
            }
            for (const line of document.querySelectorAll('.swatch line')) {
                if (!line.checkVisibility()) continue;
                if (contrast(line.getAttribute('stroke'), ground(line.parentElement)) < 3) bad.push(line.outerHTML);
            }
            return [...new Set(bad)]"""
        for theme in ("light", "dark"):
            self.open(self.service, f"#theme={theme}")
            self.assertEqual(self.page.run(script), [], theme)

    def test_a_phone_shows_it_all_without_scrolling_sideways(self):
        self.page.view(375, 812, mobile=True)
        self.addCleanup(self.page.view, 1440, 900)
        self.open(self.service)
        wide = self.page.run("""
            return [document.documentElement, ...document.querySelectorAll('.scroll')]
                .filter((each) => each.scrollWidth > each.clientWidth + 1)
                .map((each) => [each.parentElement?.id, each.scrollWidth, each.clientWidth])""")
        self.assertEqual(wide, [])
        self.assertEqual(len(self.models()), 20)

    def test_events_come_without_a_reload(self):
        self.open(self.service)
        self.page.run("window.stays = true")
        self.database.run("SELECT telemetry.log_thought_latency('newcomer', 0.1, 1000)")
        self.page.wait_for("return document.querySelector('#ranking [data-row=newcomer]') !== null", "the new model")
        self.assertEqual(self.models()[0], "newcomer")
        self.assertIn("newcomer", self.text("#events"))
        self.assertTrue(self.page.run("return window.stays"))
        self.database.run("""DELETE FROM telemetry.system_telemetry WHERE component = 'newcomer';
                             SELECT telemetry.rebuild_rollups(current_date - 1, current_date + 1)""")

    def test_60_days_of_20_models(self):
        times = []
        for _ in range(3):
            self.open(self.service, "#window=1440")
            times.append(self.page.run("return performance.getEntriesByName('shown')[0].startTime"))
        self.assertEqual(len(self.models()), 20)
        print(f"60 days of 20 models are up after {min(times):.0f} ms")

    def test_pictures(self):
        directory = os.environ.get("GRAVITAS_WEB_SCREENSHOTS")
        if not directory:
            self.skipTest("GRAVITAS_WEB_SCREENSHOTS is not set")
        self.addCleanup(self.page.view, 1440, 900, dark=False)
        for width, height in ((1440, 900), (375, 812)):
            for dark in (False, True):
                self.page.view(width, height, mobile=width < 500, dark=dark)
                self.open(self.service)
                time.sleep(0.5)
                self.page.screenshot(pathlib.Path(directory) / f"page-{width}-{'dark' if dark else 'light'}.png")


class MeasuredTest(PageTest):
    """What was really measured: recorded requests, and the demo's own models on this machine."""

    keys = ("weighted_efficiency_score", "p50_efficiency", "p95_efficiency", "p99_efficiency", "measurement_count",
            "total_tokens", "error_count")

    def show(self, *arguments):
        """Has the demo store events in a database, and compares the page with SQL."""
        database = Database("measured")
        self.addCleanup(database.drop)
        subprocess.run([DEMO, *arguments], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "PGDATABASE": database.name})
        service = Service(database.conninfo)
        self.addCleanup(service.stop)
        self.open(service)
        rows = database.rows("SELECT * FROM telemetry.get_aggregated_efficiency()")
        self.assert_rows("#ranking", rows, "component", self.keys)
        return database

    def test_recorded_requests(self):
        traces = [DATA / "llmperf", DATA / "vram"]
        if not all(trace.exists() for trace in traces):
            self.skipTest(f"no traces in {DATA} (set GRAVITAS_TRACE_DATA)")
        self.show(*(argument for trace in traces for argument in ("--trace", str(trace))))
        self.assertEqual(self.models()[0], "anyscale_13b")
        self.assertEqual(self.cells("#ranking")["lepton_7b"]["error_rate"], "87 %")
        self.assertIn("gpu0", self.text("#vram .names"))

    def test_the_demo(self):
        database = self.show()
        rows = database.rows("SELECT * FROM telemetry.get_series('LOAD_LATENCY') ORDER BY p50")
        self.assertGreater(len(rows), 0)
        self.assert_rows("#loads", rows, "component", ("p50", "p95", "max_value", "event_count", "error_count"))


class HostileTest(PageTest):
    """Names are text of strangers."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = Database("hostile")
        cls.addClassCleanup(cls.database.drop)
        cls.service = Service(cls.database.conninfo)
        cls.addClassCleanup(cls.service.stop)

    def test_names_are_shown_as_text(self):
        for number, name in enumerate([*HOSTILE, "x" * 1_000_000]):
            literal = "'" + name.replace("'", "''") + "'"
            if len(name) > 1000:
                literal = f"repeat('{name[0]}', {len(name)})"
            self.database.run(f"""SELECT telemetry.log_thought_latency({literal}, 1 + {number}, 100, first_token_seconds => 0.2);
                SELECT telemetry.log_load_latency({literal}, 2);
                SELECT telemetry.log({literal}, {literal}, 1, '{{}}', {literal});
                SELECT telemetry.log('VRAM_CHECK', {literal}, 1000)""")
        self.open(self.service, "#window=1")
        self.assertEqual(self.models()[:-1], HOSTILE)
        self.assertEqual(self.models()[-1][:160], "x" * 160)
        self.assertLess(self.page.run("return document.documentElement.outerHTML.length"), 200_000)
        self.assertEqual(self.page.run("return document.title"), "Gravitas Telemetry")
        self.assertEqual(self.page.run("return document.querySelectorAll('main script, main img, main b b').length"), 0)
        self.assertLessEqual(self.page.run("return document.documentElement.scrollWidth"), 1440)
        for place, name in enumerate(HOSTILE, start=1):
            self.page.click(f"#ranking tbody tr:nth-child({place}) .model")
            self.assertEqual(self.models(), [name])
            self.page.click("#ranking tbody .model")


class EmptyTest(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = Database("empty")
        cls.addClassCleanup(cls.database.drop)
        cls.service = Service(cls.database.conninfo)
        cls.addClassCleanup(cls.service.stop)

    def test_an_empty_database_says_how_to_log_and_what_it_says_works(self):
        self.open(self.service)
        self.assertEqual(self.text("#freshness"), "no event yet")
        self.assertFalse(self.page.run("return document.querySelector('#figures').checkVisibility()"))
        self.database.run(self.text("#empty pre"))
        self.page.wait_for("return document.querySelector('#figures').checkVisibility()", "the first figures")
        self.assertEqual(self.models(), ["gemma2:27b"])
        self.assertEqual(self.cells("#loads")["gemma2:27b"]["p50"], "2.50")
        self.assertFalse(self.page.run("return document.querySelector('#empty').checkVisibility()"))


class TroubleTest(PageTest):
    allowed_complaints = ("Failed to load resource",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = Database("trouble")
        cls.addClassCleanup(cls.database.drop)
        cls.database.run("SELECT telemetry.log_thought_latency('gemma2:27b', 3, 200)")

    def has_trouble(self):
        return "return document.querySelector('#trouble').checkVisibility() && document.querySelector('#trouble').innerText"

    def test_a_database_that_is_away_is_said_and_heals(self):
        with Forwarder(self.database.socket) as way:
            service = Service(f"{self.database.conninfo} host=127.0.0.1 port={way.port} connect_timeout=2")
            self.addCleanup(service.stop)
            self.open(service)
            self.assertEqual(self.models(), ["gemma2:27b"])
            way.close_way()
            text = self.page.wait_for(self.has_trouble(), "the error", 30)
            self.assertIn("figures are of", text)
            self.page.click("#ranking .model")
            self.assertEqual(self.models(), ["gemma2:27b"], "the last figures stay")
            self.assertEqual(self.text("#freshness"), "no connection")
            self.page.click("#ranking .model")
            self.database.run("SELECT telemetry.log_thought_latency('phi3:14b', 1, 200)")
            way.open_way()
            self.page.wait_for("return !document.querySelector('#trouble').checkVisibility()", "healing", 30)
            self.assertEqual(self.models(), ["phi3:14b", "gemma2:27b"])

    def test_a_service_that_is_away_is_said_and_heals(self):
        service = Service(self.database.conninfo)
        self.open(service)
        service.stop()
        self.assertIn("does not answer", self.page.wait_for(self.has_trouble(), "the error", 30))
        service = Service(self.database.conninfo, service.port)
        self.addCleanup(service.stop)
        self.page.wait_for("return !document.querySelector('#trouble').checkVisibility()", "healing", 30)

    def test_a_database_without_the_extension(self):
        bare = Database("bare", extension=False)
        self.addCleanup(bare.drop)
        service = Service(bare.conninfo)
        self.addCleanup(service.stop)
        self.page.open(service.url)
        self.page.wait_for(self.has_trouble(), "the error")
        bare.run("CREATE EXTENSION gravitas_telemetry")
        self.page.wait_for("return document.querySelector('#empty').checkVisibility()", "the empty state", 30)


class ManyTest(PageTest):
    """More models than the server gives steps of: a program that logs a name of its own for each call makes such."""

    allowed_complaints = ("status of 400",)
    models_count = 1100

    def test_more_models_than_can_be_drawn(self):
        database = Database("many")
        self.addCleanup(database.drop)
        database.run(f"""INSERT INTO telemetry.system_telemetry
                             ("timestamp", event_type, component, duration_ms, first_token_ms, tokens_generated)
                         SELECT now() - n * interval '29 minutes', 'THOUGHT_LATENCY', 'model ' || m, 1000 + m, 50, 100
                         FROM generate_series(0, 48) AS n, generate_series(1, {self.models_count}) AS m;
                         SELECT telemetry.compact()""")
        service = Service(database.conninfo)
        self.addCleanup(service.stop)
        self.open(service)
        self.assertEqual(self.models()[:2], ["model 1", "model 2"])
        self.assertIn(f"and {self.models_count - 200} more", self.text("#ranking .nothing"))
        self.assertIn("More models than can be drawn", self.text("#efficiency"))
        self.page.click("#ranking tbody tr:nth-child(2) .model")
        self.page.wait_for("return document.querySelector('#efficiency .chart').checkVisibility()", "the chart of one model")
        self.assertEqual(self.text("#efficiency .names"), "model 2")
        self.page.click("#ranking tbody .model")
        self.page.wait_for("return document.querySelector('#efficiency .nothing').checkVisibility()", "all models again")
        self.page.click("#windows label:first-of-type")
        self.page.wait_for("return document.querySelector('#efficiency .chart').checkVisibility()", "a chart of the last hour")
        self.assertIn(f"without {self.models_count - 40} others", self.text("#efficiency .names"))


class TokenTest(PageTest):
    def test_the_page_asks_with_the_token_that_the_browser_was_told(self):
        database = Database("token")
        self.addCleanup(database.drop)
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(TOKEN)
            file.flush()
            service = Service(database.conninfo, arguments=["--token-file", file.name])
        self.addCleanup(service.stop)
        self.page.open(service.url.replace("//", f"//anybody:{TOKEN}@"))
        self.page.wait_for("return document.querySelector('#empty').checkVisibility()", "the page behind a token")


class PollingTest(PageTest):
    def test_a_hidden_page_asks_nothing(self):
        database = Database("polling")
        self.addCleanup(database.drop)
        service = Service(database.conninfo)
        self.addCleanup(service.stop)
        self.open(service)
        hide = """Object.defineProperty(document, 'hidden', { configurable: true, value: arguments[0] });
                  document.dispatchEvent(new Event('visibilitychange'))"""
        asked = "return performance.getEntriesByType('resource').length"
        self.page.run(hide, True)
        before = self.page.run(asked)
        time.sleep(12)
        self.assertEqual(self.page.run(asked), before)
        self.page.run(hide, False)
        self.page.wait_for(f"{asked} > {before}", "asking again")


def main():
    missing = browser.missing()
    if missing:
        print(f"{missing} is missing: run make deps")
        return SKIPPED
    program = unittest.main(exit=False, verbosity=2)
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
