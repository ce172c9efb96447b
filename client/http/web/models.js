// The panels about models: their ranking, their charts, their loads.

import { element, find, number, rangeBar, replace, swatch } from "./dom.js";
import { styleOf } from "./colors.js";
import { Chart, columns } from "./chart.js";
import { compact, count, figure, name, share } from "./format.js";
import { isAlone, matches, step, theme, windowInWords } from "./state.js";

const minuteMs = 60000;
const errorShareThatShows = 0.05;
const mostRows = 200;
const mostLines = 40;

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
    const shown = rows.slice(0, mostRows);
    const most = Math.max(...shown.map((row) => row.p95_efficiency ?? 0));
    replace(find("#ranking tbody"), shown.map((row, i) => {
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
    sayWhatIsMissing("#ranking", rows.length, "inference");
}

function sayWhatIsMissing(panel, rowCount, what) {
    find(`${panel} .scroll`).hidden = rowCount === 0;
    find(`${panel} .nothing`).hidden = rowCount > 0 && rowCount <= mostRows;
    const more = `and ${count(rowCount - mostRows)} more: filter by name to see them`;
    find(`${panel} .nothing`).textContent = rowCount ? more : nothing(what);
}

export function showLoads({ loads }) {
    const rows = loads.rows.filter((row) => matches(row.component));
    rows.sort((a, b) => (a.p50 ?? Infinity) - (b.p50 ?? Infinity));
    const shown = rows.slice(0, mostRows);
    const most = Math.max(...shown.map((row) => row.p95 ?? 0));
    replace(find("#loads tbody"), shown.map((row) => {
        const isBad = row.error_count / row.event_count >= errorShareThatShows;
        const line = element("tr", "", nameCell(row.component),
            rangeBar(row.p50, row.p95, most, styleOf(row.component, theme())),
            number(figure(row.p50), "p50", "main"), number(figure(row.p95), "p95"),
            number(figure(row.max_value), "max_value", "optional"), number(count(row.event_count), "event_count"),
            number(count(row.error_count), "error_count", isBad ? "bad" : ""));
        line.dataset.row = name(row.component);
        return line;
    }));
    sayWhatIsMissing("#loads", rows.length, "load");
}

// The last step is not over: its tokens are those of the time until now.
function tokensPerHour(windowEnd, stepMinutes) {
    return (row) => {
        const minutes = (windowEnd - Date.parse(row.step_start)) / minuteMs;
        return row.total_tokens / (Math.min(Math.max(minutes, 1), stepMinutes) / 60);
    };
}

// The rows of those components that have the most calls, and how many others there are.
function busiest(rows) {
    const calls = new Map();
    rows.forEach((row) => calls.set(row.component, (calls.get(row.component) ?? 0) + row.measurement_count));
    if (calls.size <= mostLines) return { rows, others: 0 };
    const most = [...calls].sort((a, b) => b[1] - a[1]).slice(0, mostLines);
    const kept = new Set(most.map(([component]) => component));
    return { rows: rows.filter((row) => kept.has(row.component)), others: calls.size - mostLines };
}

export function showCharts({ efficiency, trend, firstTokens, vram }) {
    const from = Date.parse(efficiency.window_start);
    const to = Date.parse(efficiency.window_end);
    const steps = { from, to, stepMinutes: step(), fill: null };
    const draw = (chart, answer, wanted, valueOf, label, what, options = {}) => {
        const { rows, others } = busiest(answer.rows.filter(wanted));
        chart.show(columns(rows, valueOf, { ...steps, ...options }), { ...steps, label, others,
            nothing: answer.isTooLarge ? "More models than can be drawn: click on one to see it." : nothing(what) });
    };
    draw(charts.efficiency, trend, (row) => matches(row.component) && row.weighted_efficiency_score !== null,
        (row) => row.weighted_efficiency_score, "ms per token over time", "inference");
    draw(charts.tokens, trend, (row) => matches(row.component), tokensPerHour(to, step()),
        "tokens per hour over time", "inference", { fill: 0 });
    draw(charts.firstToken, firstTokens, (row) => matches(row.component) && row.first_token_p50_ms !== null,
        (row) => row.first_token_p50_ms, "median time to the first token over time", "time to a first token");
    draw(charts.vram, vram, () => true, (row) => row.mean_value, "free VRAM over time", "look at a GPU's memory");
}
