// The panels about all of telemetry: what is at a glance, alerts, health, size, the newest events.

import { element, find, number, replace } from "./dom.js";
import { bytes, compact, count, duration, figure, inUnit, isNumber, moment, name, share, time, unitOf } from "./format.js";
import { matches, state, windowInWords } from "./state.js";

const logLines = 4;
const subjectLines = 8;
const errorShareThatShows = 0.05;

const secondsSince = (timestamp) => Math.max((Date.now() - Date.parse(timestamp)) / 1000, 0);

const sum = (rows, key) => rows.reduce((total, row) => total + (row[key] ?? 0), 0);

function tile(key, title, [value, unit], note, mood = "") {
    const figures = element("dd", "value", value);
    if (unit) figures.append(element("small", "", ` ${unit}`));
    const made = element("div", `tile ${mood}`, element("dt", "", title), figures, element("dd", "note", note));
    made.dataset.key = key;
    made.title = note;
    return made;
}

export function showTiles({ efficiency, inferences, alerts, footprint, health }) {
    const models = efficiency.rows.filter((row) => matches(row.component));
    const events = inferences.rows.filter((row) => matches(row.component));
    const best = models.find((row) => isNumber(row.weighted_efficiency_score));
    const tokens = sum(models, "total_tokens");
    const calls = sum(events, "event_count");
    const errors = sum(events, "error_count");
    const firing = alerts.firing.length;
    const wrong = unwell(health);
    const rules = [...new Set(alerts.firing.map((alert) => ruleInWords(alert.rule)))].join(", ");
    const rate = calls ? errors / calls : 0;
    replace(find("#tiles"), [
        best ? tile("best", "Best model", [figure(best.weighted_efficiency_score), "ms/token"], name(best.component, 60))
            : tile("best", "Best model", ["–"], "no score"),
        tile("tokens", "Tokens per hour", [compact(tokens / state.hours)], `${compact(tokens)} in the last ${windowInWords()}`),
        tile("errors", "Errors", [share(rate)], `${count(errors)} of ${count(calls)} calls`,
            rate >= errorShareThatShows ? "warn" : ""),
        tile("alerts", "Alerts", firing ? [count(firing), "firing"] : ["none"], rules || "nothing fires",
            firing ? "bad" : "good"),
        tile("health", "Health", wrong.length ? [count(wrong.length), "to look at"] : ["good"],
            wrong.length ? name(wrong[0].item) : `version ${health.extension_version}`, wrong.length ? "warn" : "good"),
        tile("footprint", "On disk", bytes(footprint.total_size_bytes).split(" "), capInWords(footprint)),
    ]);
}

function capInWords(footprint) {
    const days = footprint.days_until_cap;
    const cap = bytes(footprint.cap_bytes);
    if (!isNumber(days)) return `stays below ${cap}`;
    return days <= 0 ? `over the cap of ${cap}` : `${figure(days)} days to ${cap}`;
}

export function showFreshness(overall, alerts) {
    const newest = overall.newest_record;
    const limit = alerts.rules.find((rule) => rule.rule === "no_data")?.threshold ?? 86400;
    const isStale = newest === null || secondsSince(newest) > limit;
    find("#freshness").className = isStale ? "warn" : "good";
    const text = newest === null ? "no event yet" : `last event ${duration(secondsSince(newest))} ago`;
    find("#freshness .text").textContent = text;
}

const ruleInWords = (rule) => rule.replaceAll("_", " ");

function subjectLine(alert) {
    const line = element("div", "subject", element("span", "name", alert.subject === null ? "telemetry" : name(alert.subject)),
        element("span", "quiet", `since ${moment(new Date(alert.since))}`), element("b", "", inUnit(alert.value, alert.unit)));
    line.dataset.key = String(alert.alert_id);
    return line;
}

// One item for each rule that fires, with what it fires for.
function firingItem(alerts) {
    const [{ rule, meaning, threshold, unit }] = alerts;
    const shown = alerts.slice(0, subjectLines).map(subjectLine);
    if (alerts.length > subjectLines) shown.push(element("div", "quiet", `and ${alerts.length - subjectLines} more`));
    return element("li", "bad", element("b", "", ruleInWords(rule)),
        element("p", "", `${meaning}; fires above ${inUnit(threshold, unit)}`), ...shown);
}

export function showAlerts({ firing, log }) {
    find("#alerts small").textContent = firing.length ? `${firing.length} firing` : "none fires";
    const byRule = new Map();
    firing.forEach((alert) => byRule.set(alert.rule, [...(byRule.get(alert.rule) ?? []), alert]));
    const past = log.slice(0, logLines).map((entry) => {
        const about = entry.subject === null ? "" : ` of ${name(entry.subject, 80)}`;
        const what = `${ruleInWords(entry.rule)}${about}: ${entry.state}`;
        return element("li", "quiet", `${moment(new Date(entry.changed_at))}  ${what}`);
    });
    const items = [...[...byRule.values()].map(firingItem), ...past];
    replace(find("#alerts ul"), items.length ? items : [element("li", "quiet", "Nothing has fired so far.")]);
}

// Times come as PostgreSQL writes them.
function statusValue(value) {
    const isTime = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?[+-]\d\d$/.test(value);
    return isTime ? moment(new Date(`${value.replace(" ", "T")}:00`)) : name(value);
}

// Alerts have a panel of their own.
const isHealthItem = (row) => row.item !== "alerts";
const unwell = (health) => health.maintenance.filter((row) => isHealthItem(row) && !row.is_ok);

export function showHealth(health) {
    const wrong = unwell(health);
    const all = health.maintenance.filter(isHealthItem);
    find("#health small").textContent = wrong.length ? `${wrong.length} of ${all.length} need a look` : "all is well";
    const items = wrong.map((row) => {
        const item = element("li", "warn", element("b", "", row.item), element("div", "", name(row.value, 300)));
        if (row.hint) item.append(element("p", "", element("code", "", row.hint)));
        return item;
    });
    const well = all.filter((row) => row.is_ok).map((row) => {
        const value = element("dd", "name", statusValue(row.value));
        value.title = name(row.value, 600);
        return element("div", "", element("dt", "", row.item), value);
    });
    items.push(element("li", "quiet", element("dl", "", ...well)));
    items.push(element("li", "quiet", `PostgreSQL ${health.server_version}`));
    replace(find("#health ul"), items);
}

export function showFootprint(footprint) {
    const used = footprint.total_size_bytes / footprint.cap_bytes;
    const growth = footprint.growth_bytes_per_day;
    find("#footprint small").textContent = isNumber(growth) ? `${bytes(growth)} more a day` : "";
    const meter = find("#footprint .meter");
    meter.className = `meter ${used > 1 ? "bad" : used > 0.8 ? "warn" : ""}`;
    const size = `${bytes(footprint.total_size_bytes)} of ${bytes(footprint.cap_bytes)}`;
    meter.setAttribute("aria-label", `${size}, ${capInWords(footprint)}`);
    meter.firstElementChild.style.width = `${Math.min(100 * used, 100)}%`;
    const isTotal = (row) => row.table_name === "total";
    const tables = [...footprint.tables].sort((a, b) => isTotal(a) - isTotal(b) || b.total_bytes - a.total_bytes);
    replace(find("#footprint tbody"), tables.map((row) => {
        const rows = row.row_count_is_estimate ? `~${compact(row.row_count)}` : compact(row.row_count);
        const title = element("th", "", row.table_name);
        title.scope = "row";
        const line = element("tr", isTotal(row) ? "total" : "", title, number(bytes(row.total_bytes), "total_bytes"),
            number(rows, "row_count"), number(bytes(row.growth_bytes_per_day), "growth_bytes_per_day"));
        line.dataset.row = row.table_name;
        return line;
    }));
}

function statusCell(status) {
    const isError = /^(error|failed|failure|timeout|cancelled|aborted)$/i.test(status ?? "");
    return element("td", isError ? "bad" : "", name(status ?? "–", 40));
}

export function showEvents({ rows }) {
    replace(find("#events tbody"), rows.map((event) => {
        const at = new Date(event.timestamp);
        const moments = element("td", "", secondsSince(event.timestamp) < 43200 ? time(at) : moment(at));
        moments.title = event.timestamp;
        const unit = unitOf[event.event_type] ?? "";
        const value = isNumber(event.value) ? `${figure(event.value)} ${unit}` : "–";
        const subject = element("td", "name", name(event.component));
        subject.title = name(event.component, 600);
        return element("tr", "", moments, element("td", "name optional", name(event.event_type, 60)), subject,
            number(value, "value"), statusCell(event.status));
    }));
}
