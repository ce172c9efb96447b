// The panels about models: their ranking, their charts, their loads.

import { element, find, number, rangeBar, replace, swatch } from "./dom.js";
import { styleOf } from "./colors.js";
import { Chart, columns } from "./chart.js";
import { compact, count, figure, name, share } from "./format.js";
import { isAlone, matches, step, theme, windowInWords } from "./state.js";

const minuteMs = 60000;
const errorShareThatShows = 0.05;

let charts = null;
let choose = () => {};

export function setUp(onChoose) {
    choose = onChoose;
    charts = {
        efficiency: new Chart(find("#efficiency"), { unit: "ms/token", onChoose }),
        firstToken: new Chart(find("#first-token"), { unit: "ms", onChoose }),
        tokens: new Chart(find("#tokens"), { unit: "tokens/h", onChoose, stacked: true }),
        vram: new Chart(find("#vram"), { unit: "MB", family: "gpu" }),
    };
}

const nothing = (what) => `No ${what} in the last ${windowInWords()}.`;

export function nameCell(component) {
    const button = element("button", "model", swatch(styleOf(component, theme())), element("span", "name", name(component)));
    button.type = "button";
    button.title = name(component, 600);
    button.dataset.focus = component ?? "";
    button.setAttribute("aria-pressed", String(isAlone(component)));
    button.addEventListener("click", () => choose(component));
    const cell = element("th", "", button);
    cell.scope = "row";
    return cell;
}

function errorRateCell(errors, events) {
    const rate = events ? errors / events : 0;
    return number(share(rate), "error_rate", rate >= errorShareThatShows ? "bad" : "");
}

// A row for each model that has inferences in the window, those without a score last, as SQL has them.
export function showRanking({ efficiency, inferences }) {
    const totals = new Map(inferences.rows.map((row) => [row.component, row]));
    const rows = efficiency.rows.filter((row) => matches(row.component));
    const most = Math.max(...rows.map((row) => row.p95_efficiency ?? 0));
    replace(find("#ranking tbody"), rows.map((row, i) => {
        const total = totals.get(row.component) ?? {};
        const events = total.event_count ?? row.measurement_count + row.error_count;
        const line = element("tr", "", number(String(i + 1), "place", "optional"), nameCell(row.component),
            number(figure(row.weighted_efficiency_score), "weighted_efficiency_score", "main"),
            rangeBar(row.p50_efficiency, row.p95_efficiency, most, styleOf(row.component, theme())),
            number(figure(row.p50_efficiency), "p50_efficiency"), number(figure(row.p95_efficiency), "p95_efficiency"),
            number(figure(row.p99_efficiency), "p99_efficiency", "optional"),
            number(figure(total.first_token_p50_ms), "first_token_p50_ms", "optional"),
            number(figure(total.first_token_p95_ms), "first_token_p95_ms", "optional"),
            number(count(row.measurement_count), "measurement_count", "optional"),
            number(compact(row.total_tokens), "total_tokens", "optional"),
            number(count(row.error_count), "error_count", "optional"), errorRateCell(row.error_count, events));
        line.dataset.row = name(row.component);
        return line;
    }));
    sayNothing("#ranking", rows.length === 0, "inference");
}

function sayNothing(panel, isEmpty, what) {
    find(`${panel} .scroll`).hidden = isEmpty;
    find(`${panel} .nothing`).hidden = !isEmpty;
    find(`${panel} .nothing`).textContent = nothing(what);
}

export function showLoads({ loads }) {
    const rows = loads.rows.filter((row) => matches(row.component));
    rows.sort((a, b) => (a.p50 ?? Infinity) - (b.p50 ?? Infinity));
    const most = Math.max(...rows.map((row) => row.p95 ?? 0));
    replace(find("#loads tbody"), rows.map((row) => {
        const line = element("tr", "", nameCell(row.component), rangeBar(row.p50, row.p95, most, styleOf(row.component, theme())),
            number(figure(row.p50), "p50", "main"), number(figure(row.p95), "p95"), number(figure(row.max_value), "max_value", "optional"),
            number(count(row.event_count), "event_count"), number(count(row.error_count), "error_count", row.error_count / row.event_count >= errorShareThatShows ? "bad" : ""));
        line.dataset.row = name(row.component);
        return line;
    }));
    sayNothing("#loads", rows.length === 0, "load");
}

// The last step is not over: its tokens are those of the time until now.
function tokensPerHour(windowEnd, stepMinutes) {
    return (row) => {
        const minutes = (windowEnd - Date.parse(row.step_start)) / minuteMs;
        return row.total_tokens / (Math.min(Math.max(minutes, 1), stepMinutes) / 60);
    };
}

export function showCharts({ efficiency, trend, firstTokens, vram }) {
    const from = Date.parse(efficiency.window_start);
    const to = Date.parse(efficiency.window_end);
    const steps = { from, to, stepMinutes: step(), fill: null };
    const draw = (chart, rows, valueOf, label, what, options = {}) =>
        chart.show(columns(rows, valueOf, { ...steps, ...options }), { ...steps, label, nothing: nothing(what) });
    const ofModels = trend.rows.filter((row) => matches(row.component));
    draw(charts.efficiency, ofModels.filter((row) => row.weighted_efficiency_score !== null),
        (row) => row.weighted_efficiency_score, "ms per token over time", "inference");
    draw(charts.tokens, ofModels, tokensPerHour(to, step()), "tokens per hour over time", "inference", { fill: 0 });
    draw(charts.firstToken, firstTokens.rows.filter((row) => matches(row.component) && row.first_token_p50_ms !== null),
        (row) => row.first_token_p50_ms, "median time to the first token over time", "time to a first token");
    draw(charts.vram, vram.rows, (row) => row.mean_value, "free VRAM over time", "look at a GPU's memory");
}
