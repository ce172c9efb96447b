// The page: asks every ten seconds while somebody looks, and shows what it is told.

import { get, getIfSmall } from "./api.js";
import { find } from "./dom.js";
import { learn } from "./colors.js";
import * as models from "./models.js";
import * as overview from "./overview.js";
import { time } from "./format.js";
import { alone, nextTheme, onDarkness, readAddress, state, step, theme, toggle, writeAddress } from "./state.js";

const pollMs = 10000;
const retryMs = 3000;

let latest = null;
let latestAt = null;
let timer = 0;
let running = null;

const questions = () => ({
    efficiency: [get, "/telemetry/efficiency", { hours: state.hours }],
    trend: [getIfSmall, "/telemetry/trend", { hours: state.hours, step: step(), ...oneOfTooMany() }],
    inferences: [get, "/telemetry/series", { event_type: "THOUGHT_LATENCY", hours: state.hours }],
    firstTokens: [getIfSmall, "/telemetry/series",
        { event_type: "THOUGHT_LATENCY", hours: state.hours, step: step(), ...oneOfTooMany() }],
    loads: [get, "/telemetry/series", { event_type: "LOAD_LATENCY", hours: state.hours }],
    vram: [getIfSmall, "/telemetry/series", { event_type: "VRAM_CHECK", hours: state.hours, step: step() }],
    sixtyDays: [get, "/telemetry/60day", {}],
    footprint: [get, "/telemetry/footprint", {}],
    events: [get, "/telemetry/events", { limit: 10 }],
    alerts: [get, "/telemetry/alerts", {}],
    health: [get, "/health", {}],
});

// The page filters by itself, but where there are more models than the server gives at once.
const hasTooMany = () => Boolean(latest?.trend.isTooLarge || latest?.firstTokens.isTooLarge || latest?.isOfOne);
const oneOfTooMany = () => (hasTooMany() ? alone() : {});

async function ask(signal) {
    const isOfOne = "component" in oneOfTooMany();
    const answers = Object.entries(questions()).map(async ([key, [how, path, parameters]]) =>
        [key, await how(path, parameters, signal)]);
    return { ...Object.fromEntries(await Promise.all(answers)), isOfOne };
}

function show() {
    showControls();
    if (!latest) return;
    const { overall, model_trends: trends } = latest.sixtyDays;
    learn(trends.map((row) => row.component));
    if (find("#trouble").hidden) overview.showFreshness(overall, latest.alerts);
    const isEmpty = overall.total_measurements === 0 && latest.events.rows.length === 0;
    find("#empty").hidden = !isEmpty;
    find("#figures").hidden = isEmpty;
    if (isEmpty) return;
    overview.showTiles(latest);
    models.showRanking(latest);
    models.showCharts(latest);
    models.showLoads(latest);
    overview.showAlerts(latest.alerts);
    overview.showHealth(latest.health);
    overview.showFootprint(latest.footprint);
    overview.showEvents(latest.events);
}

function showTrouble(error) {
    const banner = find("#trouble");
    const [message, details, hint] = banner.children;
    const isAway = error instanceof TypeError || error.name === "TimeoutError";
    message.textContent = isAway ? "The server does not answer." : `${error.message}.`;
    details.textContent = latest ? `Trying again; the figures are of ${time(latestAt)}.` : "Trying again.";
    hint.textContent = error.hint ?? "";
    hint.hidden = !error.hint;
    banner.hidden = false;
    document.body.classList.add("stale");
    find("#freshness").className = "bad";
    find("#freshness .text").textContent = "no connection";
}

function endTrouble() {
    find("#trouble").hidden = true;
    document.body.classList.remove("stale");
}

// One round at a time: a newer one ends that before it.
async function refresh() {
    clearTimeout(timer);
    running?.abort();
    const round = new AbortController();
    running = round;
    let next = pollMs;
    try {
        const answers = await ask(round.signal);
        if (round.signal.aborted) return;
        latest = answers;
        latestAt = new Date();
        endTrouble();
        show();
        if (!performance.getEntriesByName("shown").length) performance.mark("shown");
        if (hasTooMany() && !latest.isOfOne && "component" in alone()) next = 0;
    } catch (error) {
        if (round.signal.aborted) return;
        round.abort();
        next = retryMs;
        showTrouble(error);
    }
    document.body.classList.remove("waiting");
    if (!document.hidden) timer = setTimeout(refresh, next);
}

function showControls() {
    for (const input of document.querySelectorAll("#windows input")) input.checked = Number(input.value) === state.hours;
    const filter = find("#filter");
    if (filter !== document.activeElement || !filter.value) filter.value = state.filter;
    document.documentElement.dataset.theme = theme();
    find("#theme").textContent = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" }[state.theme];
    find("#theme").setAttribute("aria-label", `Theme: ${state.theme}`);
}

function change(chosen) {
    const hadHours = state.hours;
    Object.assign(state, chosen);
    writeAddress();
    showControls();
    if (state.hours === hadHours && !hasTooMany()) {
        show();
    } else {
        document.body.classList.add("waiting");
        if (state.hours === hadHours) show();
        refresh();
    }
}

function choose(component) {
    toggle(component);
    find("#filter").value = state.filter;
    change({});
}

function listen() {
    find("#controls").addEventListener("submit", (event) => event.preventDefault());
    find("#windows").addEventListener("change", (event) => change({ hours: Number(event.target.value) }));
    find("#filter").addEventListener("input", (event) => change({ filter: event.target.value }));
    find("#theme").addEventListener("click", () => change({ theme: nextTheme() }));
    onDarkness(show);
    window.addEventListener("hashchange", () => {
        readAddress();
        show();
        refresh();
    });
    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : refresh()));
    document.addEventListener("keydown", (event) => {
        if (event.key !== "/" || /^(INPUT|TEXTAREA)$/.test(event.target.tagName)) return;
        event.preventDefault();
        find("#filter").focus();
    });
}

readAddress();
models.setUp(choose);
find("#zone").textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
listen();
showControls();
refresh();
