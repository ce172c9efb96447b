#!/usr/bin/env python3
"""Runs every question of the Grafana dashboard as Grafana's PostgreSQL data source would, and looks at the dashboard's shape.

Macros become what pkg/tsdb/grafana-postgresql-datasource makes of them, variables what Grafana's interpolation does. The
questions run as a role that has telemetry.grant_reader() only, in transactions that may write nothing.

Needs a running cluster in the PG* environment.
"""

import datetime
import json
import pathlib
import re
import sys
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "test" / "web"))

from service import Database  # noqa: E402

GRAFANA = TOP / "client" / "grafana"
HOSTILE = "it's \"quoted\" $1 <b>"
COLUMNS = 24  # of Grafana's grid
UNITS = {"ms", "s", "d", "short", "percentunit", "bytes", "decmbytes"}
# A range in hours, and the interval that Grafana takes for it on a wide screen.
RANGES = [(1, "2s"), (1, "1m"), (6, "15s"), (24, "1m"), (24 * 7, "10m"), (24 * 60, "1h"), (24 * 60, "12h"), (24 * 365, "1w")]


def instant(time):
    return time.strftime("'%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z'"


def substitute(sql, start, end, interval, components):
    """A question as it reaches PostgreSQL."""
    quoted = ",".join("'" + component.replace("'", "''") + "'" for component in components)
    sql = sql.replace("${component:sqlstring}", quoted).replace("$__interval", interval)
    sql = re.sub(r"\$__timeFilter\((.*?)\)", lambda found: f"{found[1]} BETWEEN {instant(start)} AND {instant(end)}", sql)
    return sql.replace("$__timeFrom()", instant(start)).replace("$__timeTo()", instant(end))


def overlap(a, b):
    return a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]


class GrafanaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dashboard = json.loads((GRAFANA / "dashboard.json").read_text())
        cls.panels = {panel["title"]: panel for panel in cls.dashboard["panels"]}
        cls.database = Database("grafana", TOP / "test" / "web" / "sample.sql")
        cls.reader = f"{cls.database.name}_reader"
        cls.database.run(f"""CREATE ROLE "{cls.reader}"; SELECT telemetry.grant_reader('{cls.reader}');
                             SELECT telemetry.log_thought_latency($name${HOSTILE}$name$, 1, 100)""")
        cls.addClassCleanup(cls.drop)
        cls.now = datetime.datetime.now(datetime.timezone.utc)
        cls.components = [name for row in cls.ask(cls.variable()["query"]) for name in row.values()]

    @classmethod
    def drop(cls):
        cls.database.run(f'DROP OWNED BY "{cls.reader}"; DROP ROLE "{cls.reader}"')
        cls.database.drop()

    @classmethod
    def variable(cls):
        return cls.dashboard["templating"]["list"][0]

    @classmethod
    def ask(cls, sql):
        output = cls.database.run(f"""BEGIN READ ONLY; SET LOCAL ROLE "{cls.reader}";
                                      SELECT coalesce(json_agg(r), '[]') FROM ({sql}) AS r; ROLLBACK""")
        return json.loads(output)

    def answer(self, title, hours=24, interval="5m", components=None):
        start = self.now - datetime.timedelta(hours=hours)
        sql = substitute(self.panels[title]["targets"][0]["rawSql"], start, self.now, interval, components or self.components)
        self.assertNotIn("$__", sql)
        self.assertNotIn("${", sql)
        return self.ask(sql)

    def as_of(self):
        return f"{instant(self.now)}::timestamptz"

    def test_every_panel_answers_in_every_range(self):
        for title, panel in self.panels.items():
            for hours, interval in RANGES:
                with self.subTest(panel=title, hours=hours, interval=interval):
                    rows = self.answer(title, hours, interval)
                    self.assertGreater(len(rows), 0)
                    if panel["targets"][0]["format"] == "time_series":
                        self.assertEqual(set(rows[0]), {"time", "metric", "value"})
                        self.assertEqual([row["time"] for row in rows], sorted(row["time"] for row in rows))
                        self.assertLessEqual(len({row["time"] for row in rows}), 1500)

    def test_the_variable_names_every_model(self):
        self.assertEqual(len(self.components), 22)
        self.assertIn(HOSTILE, self.components)
        self.assertIn("(none)", self.components)  # or else all of nothing would be a syntax error

    def test_a_hostile_name_is_a_name(self):
        rows = self.answer("Models by ms per token", components=[HOSTILE])
        self.assertEqual([row["model"] for row in rows], [HOSTILE])
        self.assertEqual({row["metric"] for row in self.answer("Efficiency", components=[HOSTILE])}, {HOSTILE})

    def test_the_ranking_is_that_of_sql(self):
        rows = self.answer("Models by ms per token", 24)
        expected = self.ask(f"SELECT * FROM telemetry.get_aggregated_efficiency(as_of => {self.as_of()})")
        self.assertEqual([(row["model"], row["ms/token"], row["p95"], row["calls"], row["tokens"]) for row in rows],
                         [(row["component"], row["weighted_efficiency_score"], row["p95_efficiency"], row["measurement_count"],
                           row["total_tokens"]) for row in expected])

    def test_efficiency_over_time_is_that_of_sql(self):
        rows = self.answer("Efficiency", 24, "20m")
        expected = self.ask(f"SELECT * FROM telemetry.efficiency_trend(step => '30 min', as_of => {self.as_of()})")
        self.assertEqual({(row["time"], row["metric"]): row["value"] for row in rows},
                         {(row["step_start"], row["component"]): row["weighted_efficiency_score"] for row in expected})

    def test_loads_are_those_of_the_models_asked_for(self):
        self.assertEqual(len(self.answer("Load latency")), 20)
        self.assertEqual([row["model"] for row in self.answer("Load latency", components=["yi:34b"])], ["yi:34b"])

    def test_tokens_per_hour_sum_up(self):
        rows = self.answer("Tokens per hour", 24, "15m")
        total, = self.ask(f"""SELECT sum(total_tokens) AS tokens
                              FROM telemetry.efficiency_trend(step => '15 min', as_of => {self.as_of()})""")
        self.assertAlmostEqual(sum(row["value"] for row in rows) / 4, total["tokens"], delta=1)

    def test_single_figures_are_those_of_sql(self):
        inferences = f"telemetry.get_series('THOUGHT_LATENCY', hours => 24, as_of => {self.as_of()})"
        for title, sql in {
            "Tokens generated": f"SELECT sum(total_tokens) AS tokens FROM {inferences}",
            "Error rate": f"SELECT sum(error_count) / sum(event_count) AS error_rate FROM {inferences}",
            "Alerts firing": "SELECT count(*) AS firing FROM telemetry.alert_firing",
            "Days until the cap": "SELECT days_until_cap FROM telemetry.footprint WHERE table_name = 'total'",
        }.items():
            with self.subTest(panel=title):
                self.assertEqual(self.answer(title), self.ask(sql))
        best, = self.answer("Best model")
        self.assertEqual(best["component"], "smollm2:1.7b")

    def test_newest_events_are_of_the_range(self):
        rows = self.answer("Newest events", 1)
        self.assertEqual(len(rows), 50)
        self.assertIn("VRAM_CHECK", {row["event_type"] for row in rows})
        self.assertEqual({row["component"] for row in self.answer("Newest events", 1, components=["yi:34b"])
                          if row["event_type"] != "VRAM_CHECK"}, {"yi:34b"})
        self.assertEqual([row["time"] for row in rows], sorted((row["time"] for row in rows), reverse=True))
        self.assertEqual(self.answer("Newest events", 0), [])

    def test_the_annotation_answers(self):
        annotation, = self.dashboard["annotations"]["list"]
        start = self.now - datetime.timedelta(hours=24)
        rows = self.ask(substitute(annotation["target"]["rawSql"], start, self.now, "1m", []))
        self.assertIn("error_rate of command-r:35b firing", [row["text"] for row in rows])

    def test_shape(self):
        self.assertEqual(len(self.panels), len(self.dashboard["panels"]), "titles differ")
        ids = [panel["id"] for panel in self.panels.values()]
        self.assertEqual(len(set(ids)), len(ids))
        for field in ("uid", "title", "schemaVersion", "time", "templating", "annotations"):
            self.assertIn(field, self.dashboard)
        places = [panel["gridPos"] for panel in self.panels.values()]
        for i, place in enumerate(places):
            self.assertLessEqual(place["x"] + place["w"], COLUMNS)
            self.assertFalse(any(overlap(place, other) for other in places[:i]), place)

    def test_every_panel_is_whole(self):
        for title, panel in self.panels.items():
            with self.subTest(panel=title):
                self.assertIn(panel["type"], {"stat", "table", "timeseries"})
                target, = panel["targets"]
                self.assertEqual(target["refId"], "A")
                self.assertTrue(target["rawQuery"])
                self.assertEqual(target["format"], "time_series" if panel["type"] == "timeseries" else "table")
                self.assertEqual(panel["datasource"], target["datasource"])
                units = {panel["fieldConfig"]["defaults"].get("unit", "short")}
                units |= {field["value"] for override in panel["fieldConfig"]["overrides"] for field in override["properties"]}
                self.assertLessEqual(units, UNITS)

    def test_the_data_source_is_the_one_that_is_provisioned(self):
        provisioned = dict(re.findall(r"^ +(uid|type): (\S+)$", (GRAFANA / "datasource.yaml").read_text(), re.MULTILINE))
        used = [panel["datasource"] for panel in self.panels.values()]
        used += [entry["datasource"] for kind in ("templating", "annotations") for entry in self.dashboard[kind]["list"]]
        self.assertEqual([source for source in used if source != provisioned], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
