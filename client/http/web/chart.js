// A chart of lines over time: dygraphs draws it, the values under the pointer are ours.

import { element, swatch } from "./dom.js";
import { grid, paper, styleOf } from "./colors.js";
import { day, figure, moment, name } from "./format.js";
import { theme } from "./state.js";

const { Dygraph } = window;
// Its legend takes markup and sets style attributes; neither is wanted here.
Dygraph.PLUGINS = [Dygraph.Plugins.Axes, Dygraph.Plugins.Grid];

const linesInTip = 8;
const namesBelow = 8;
const dayMinutes = 1440;

const axisFigure = (value) => {
    const magnitude = Math.abs(value);
    if (magnitude >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
    return magnitude >= 1e4 ? `${Number((value / 1e3).toPrecision(3))}k` : String(Number(value.toPrecision(4)));
};

// Rows of (step_start, component) become one row for each step with one column for each component.
export function columns(rows, valueOf, { from, to, stepMinutes, fill }) {
    const components = [...new Set(rows.map((row) => row.component))].sort();
    const place = new Map(components.map((component, i) => [component, i + 1]));
    const lines = new Map();
    const line = (at) => {
        if (!lines.has(at)) lines.set(at, [new Date(at), ...components.map(() => fill)]);
        return lines.get(at);
    };
    const stepMs = stepMinutes * 60000;
    if (rows.length) for (let at = Math.floor(from / stepMs) * stepMs; at < to; at += stepMs) line(at);
    for (const row of rows) line(Date.parse(row.step_start))[place.get(row.component)] = valueOf(row);
    return { components, data: [...lines.values()].sort((a, b) => a[0] - b[0]) };
}

export class Chart {
    #root; #canvas; #tip; #names; #nothing; #graph = null; #unit; #onChoose; #stacked; #family;
    #components = []; #data = []; #stepMinutes = 1; #row = -1; #series = NaN; #drawn = "";

    constructor(panel, { unit, onChoose, stacked = false, family = "model" }) {
        this.#unit = unit;
        this.#onChoose = onChoose;
        this.#stacked = stacked;
        this.#family = family;
        this.#canvas = element("div", "canvas");
        this.#tip = element("div", "tip");
        this.#tip.hidden = true;
        this.#root = element("div", "chart", this.#canvas, this.#tip);
        this.#root.tabIndex = 0;
        this.#root.setAttribute("role", "img");
        this.#names = element("div", "names");
        this.#nothing = element("p", "nothing");
        panel.append(this.#root, this.#names, this.#nothing);
        this.#listen();
        new ResizeObserver(() => this.#graph?.resize()).observe(this.#root);
    }

    show({ components, data }, { from, to, stepMinutes, label, others, nothing }) {
        const drawn = JSON.stringify([components, data, from, to, theme(), others, nothing]);
        if (drawn === this.#drawn) return;
        this.#drawn = drawn;
        this.#components = components;
        this.#data = data;
        this.#stepMinutes = stepMinutes;
        const empty = components.length === 0;
        this.#root.hidden = empty;
        this.#nothing.hidden = !empty;
        this.#nothing.textContent = nothing;
        this.#root.setAttribute("aria-label", `${label}; ${components.length} lines. Arrow keys show the values.`);
        this.#showNames(others);
        if (!empty) this.#draw(from, to);
    }

    #lookOf(component) {
        return styleOf(component, theme(), this.#family);
    }

    #draw(from, to) {
        const looks = this.#components.map((component) => this.#lookOf(component));
        const options = {
            file: this.#data,
            labels: ["time", ...this.#components.map((_, i) => String(i))],
            colors: looks.map((look) => look.color),
            series: Object.fromEntries(looks.map(({ dash }, i) => [String(i), { strokePattern: dash.length ? dash : null }])),
            dateWindow: [from, to],
            gridLineColor: grid[theme()],
            highlightSeriesBackgroundColor: paper[theme()],
        };
        if (this.#graph && this.#graph.numColumns() !== options.labels.length) this.#forget();
        if (this.#graph) {
            this.#graph.updateOptions(options);
        } else {
            const { file, ...rest } = options;
            this.#graph = new Dygraph(this.#canvas, file, { ...this.#fixedOptions(), ...rest });
        }
        this.#keepTip();
    }

    #fixedOptions() {
        return {
            legend: "never",
            interactionModel: {},
            stackedGraph: this.#stacked,
            fillGraph: this.#stacked,
            fillAlpha: 0.45,
            includeZero: true,
            strokeWidth: this.#stacked ? 1 : 1.6,
            connectSeparatedPoints: true,
            drawGapEdgePoints: true,
            pointSize: 2,
            highlightCircleSize: 3,
            highlightSeriesOpts: { strokeWidth: this.#stacked ? 2 : 3, highlightCircleSize: 4 },
            highlightSeriesBackgroundAlpha: 0.45,
            axisLineColor: "transparent",
            rightGap: 6,
            xRangePad: 4,
            axes: {
                x: { pixelsPerLabel: 55, axisLabelFontSize: 11, drawGrid: false, axisLabelWidth: 60, axisTickSize: 6 },
                y: { pixelsPerLabel: 36, axisLabelFontSize: 11, axisLabelWidth: 42, axisLabelFormatter: axisFigure },
            },
            highlightCallback: (_event, _x, _points, row, series) => this.#showTip(row, Number(series)),
            unhighlightCallback: () => this.#hideTip(),
        };
    }

    #forget() {
        this.#graph.destroy();
        this.#graph = null;
        this.#hideTip();
    }

    #listen() {
        this.#root.addEventListener("keydown", (event) => {
            const last = this.#data.length - 1;
            const before = this.#row < 0 ? last : this.#row - 1;
            const next = { ArrowLeft: before, ArrowRight: this.#row + 1, Home: 0, End: last }[event.key];
            if (event.key === "Escape") this.#unselect();
            if (next === undefined || !this.#graph) return;
            event.preventDefault();
            this.#select(Math.min(Math.max(next, 0), last));
        });
        this.#root.addEventListener("blur", () => this.#unselect());
        this.#root.addEventListener("pointerdown", (event) => event.pointerType !== "mouse" && this.#touch(event));
        this.#root.addEventListener("pointermove", (event) => event.pointerType !== "mouse" && this.#touch(event));
    }

    #touch(event) {
        if (!this.#graph || !this.#data.length) return;
        const at = this.#graph.toDataXCoord(event.clientX - this.#canvas.getBoundingClientRect().left);
        const distance = (row) => Math.abs(this.#data[row][0] - at);
        this.#select(this.#data.reduce((best, _, row) => (distance(row) < distance(best) ? row : best), 0));
    }

    #select(row, series = NaN) {
        this.#graph.setSelection(row, Number.isNaN(series) ? undefined : String(series));
        this.#showTip(row, series);
    }

    #unselect() {
        this.#graph?.clearSelection();
        this.#hideTip();
    }

    #hideTip() {
        this.#row = -1;
        this.#tip.hidden = true;
    }

    // What is shown of a step goes on being shown where the chart is drawn anew.
    #keepTip() {
        if (this.#row < 0) return;
        if (this.#row >= this.#data.length) this.#unselect();
        else this.#select(this.#row, this.#series);
    }

    // The values of one step: that under the pointer first, then by size.
    #showTip(row, series) {
        this.#row = row;
        this.#series = series;
        const [at, ...values] = this.#data[row];
        const isPresent = ({ value }) => value !== null && !(this.#stacked && value === 0);
        const present = values.map((value, i) => ({ value, i })).filter(isPresent);
        present.sort((a, b) => (b.i === series) - (a.i === series) || b.value - a.value);
        const shown = present.slice(0, linesInTip);
        const lines = shown.map(({ value, i }) => this.#tipLine(this.#components[i], value, i === series));
        if (present.length > linesInTip) lines.push(element("div", "more", `and ${present.length - linesInTip} more`));
        if (!present.length) lines.push(element("div", "more", "nothing in this step"));
        const title = this.#stepMinutes >= dayMinutes ? day(at) : moment(at);
        this.#tip.replaceChildren(element("div", "time", title), ...lines);
        this.#tip.hidden = false;
        this.#placeTip(this.#graph.toDomXCoord(at.getTime()));
    }

    #tipLine(component, value, isNear) {
        return element("div", isNear ? "near" : "", swatch(this.#lookOf(component)),
            element("span", "name", name(component, 60)), element("b", "", `${figure(value)} ${this.#unit}`));
    }

    #placeTip(x) {
        const room = this.#root.clientWidth - this.#tip.offsetWidth;
        const left = x + 14 <= room ? x + 14 : x - 14 - this.#tip.offsetWidth;
        this.#tip.style.left = `${Math.min(Math.max(left, 0), Math.max(room, 0))}px`;
    }

    #showNames(others) {
        const shown = this.#components.slice(0, this.#components.length > namesBelow ? 0 : namesBelow);
        const keys = shown.map((component) => {
            const content = [swatch(this.#lookOf(component)), element("span", "name", name(component, 40))];
            if (!this.#onChoose) return element("span", "key", ...content);
            const button = element("button", "key", ...content);
            button.type = "button";
            button.addEventListener("click", () => this.#onChoose(component));
            return button;
        });
        if (others) keys.push(element("span", "quiet", `without ${others} others that have fewer calls`));
        this.#names.replaceChildren(...keys);
    }
}
