// What the page is made of. Text only ever becomes textContent.

export const find = (selector) => document.querySelector(selector);

export function element(tag, className = "", ...content) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...content); // strings become text nodes
    return made;
}

export function number(text, key, className = "") {
    const cell = element("td", `number ${className}`, text);
    cell.dataset.key = key;
    return cell;
}

// Replaces the children; what has the keyboard's focus keeps it.
export function replace(parent, children) {
    const focused = parent.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
    parent.replaceChildren(...children);
    if (focused === undefined) return;
    const heir = [...parent.querySelectorAll("[data-focus]")].find((each) => each.dataset.focus === focused);
    heir?.focus({ preventScroll: true });
}

const svg = (tag, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    return made;
};

// A piece of a series' line, as charts draw it.
export function swatch(style) {
    const look = { stroke: style.color, "stroke-width": 3, "stroke-dasharray": style.dash.join(" ") };
    const line = svg("line", { x1: 1, x2: 21, y1: 4, y2: 4, ...look });
    const made = svg("svg", { class: "swatch", width: 22, height: 8, "aria-hidden": "true" });
    made.append(line);
    return made;
}

// The stretch from low to high on a scale that ends at most.
export function rangeBar(low, high, most, style) {
    const cell = element("td", "bar optional");
    if (!(most > 0) || low === null || high === null) return cell;
    const bar = element("i");
    bar.style.marginLeft = `${(100 * low) / most}%`;
    bar.style.width = `${Math.max((100 * (high - low)) / most, 1)}%`;
    bar.style.backgroundColor = style.color;
    cell.append(bar);
    return cell;
}
