// Figures as people read them.

const absent = "–";

export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

// Three significant digits, and never fewer than the whole number has.
export function figure(value) {
    if (!isNumber(value)) return absent;
    const magnitude = Math.abs(value);
    if (magnitude >= 100) return Math.round(value).toLocaleString("en");
    if (magnitude === 0) return "0";
    return value.toLocaleString("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
}

export const withUnit = (value, unit) => (isNumber(value) ? `${figure(value)} ${unit}` : absent);

export const count = (value) => (isNumber(value) ? value.toLocaleString("en") : absent);

const scaled = (value, base, units) => {
    let power = 0;
    while (Math.abs(value) >= base && power < units.length - 1) {
        value /= base;
        power += 1;
    }
    return [power === 0 ? Math.round(value).toLocaleString("en") : figure(value), units[power]];
};

// A count that need not be exact: 1.23 M
export function compact(value) {
    if (!isNumber(value)) return absent;
    return scaled(value, 1000, ["", "k", "M", "G", "T"]).join(" ").trim();
}

export function bytes(value) {
    if (!isNumber(value)) return absent;
    return scaled(value, 1024, ["B", "kB", "MB", "GB", "TB"]).join(" ");
}

export function share(value) {
    if (!isNumber(value)) return absent;
    const percent = 100 * value;
    if (percent === 0) return "0 %";
    return `${percent < 10 ? percent.toPrecision(2) : Math.round(percent)} %`;
}

export function duration(seconds) {
    if (!isNumber(seconds)) return absent;
    const steps = [[60, "s"], [3600, "min"], [86400, "h"], [Infinity, "d"]];
    const sizes = { s: 1, min: 60, h: 3600, d: 86400 };
    const [, unit] = steps.find(([below]) => Math.abs(seconds) < below);
    return `${Math.floor(seconds / sizes[unit])} ${unit}`;
}

// Alerts name their unit as SQL does.
export function inUnit(value, unit) {
    if (unit === "bytes") return bytes(value);
    if (unit === "share") return share(value);
    if (unit === "s") return duration(value);
    return Number.isInteger(value) ? `${count(value)} ${unit}` : withUnit(value, unit);
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayAndTime = new Intl.DateTimeFormat("en-GB",
    { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const dayOnly = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

export const time = (date) => clock.format(date);
export const moment = (date) => dayAndTime.format(date);
export const day = (date) => `${dayOnly.format(date)}, UTC`; // steps of whole days are those of UTC

// Names are text of strangers, of any length.
export function name(text, limit = 160) {
    if (text === null || text === undefined) return "(none)";
    return text.length > limit ? `${text.slice(0, limit)}…` : text;
}

export const unitOf = { LOAD_LATENCY: "s", THOUGHT_LATENCY: "ms/token", VRAM_CHECK: "MB", VRAM_LOCKOUT: "MB" };
