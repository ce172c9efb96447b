// What the reader chose. It lives in the address, so that it can be sent to a colleague.

const windows = [1, 24, 168, 1440];
const themes = ["auto", "light", "dark"];
const stepMinutes = { 1: 1, 24: 30, 168: 120, 1440: 1440 };
const words = { 1: "hour", 24: "24 hours", 168: "7 days", 1440: "60 days" };
const darkness = window.matchMedia("(prefers-color-scheme: dark)");

export const state = { hours: 24, filter: "", theme: "auto" };

export const step = () => stepMinutes[state.hours];
export const windowInWords = () => words[state.hours];
export const theme = () => (state.theme === "auto" ? (darkness.matches ? "dark" : "light") : state.theme);

export function readAddress() {
    const given = new URLSearchParams(location.hash.slice(1));
    const hours = Number(given.get("window"));
    state.hours = windows.includes(hours) ? hours : 24;
    state.filter = given.get("filter") ?? "";
    state.theme = themes.includes(given.get("theme")) ? given.get("theme") : "auto";
}

export function writeAddress() {
    const chosen = new URLSearchParams();
    if (state.hours !== 24) chosen.set("window", state.hours);
    if (state.filter) chosen.set("filter", state.filter);
    if (state.theme !== "auto") chosen.set("theme", state.theme);
    const hash = chosen.toString();
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname);
}

export const nextTheme = () => themes[(themes.indexOf(state.theme) + 1) % themes.length];

export function onDarkness(call) {
    darkness.addEventListener("change", call);
}

const exact = (component) => `"${component ?? ""}"`;
export const isAlone = (component) => state.filter === exact(component);

// The one component that is chosen, as a question's parameter.
export function alone() {
    const found = /^"(.+)"$/s.exec(state.filter);
    return found ? { component: found[1] } : {};
}

// Chooses one component, or all again.
export function toggle(component) {
    state.filter = isAlone(component) ? "" : exact(component);
}

// "name" in quotes is that component alone, anything else a part of the name.
export function matches(component) {
    if (!state.filter || isAlone(component)) return true;
    if (/^".*"$/s.test(state.filter)) return false;
    return (component ?? "").toLowerCase().includes(state.filter.toLowerCase());
}
