// One look for each component, the same in every panel: eight colors that stay apart for color-blind eyes, which
// palette_test.py shows, then the same again with dashes.

const palettes = {
    light: ["#221a99", "#959900", "#106c51", "#8b00ff", "#e364b0", "#7d4200", "#0097ff", "#472651"],
    dark: ["#a2c7ff", "#f25914", "#6a8c5b", "#a861ff", "#ffc77a", "#d8f332", "#50ffd2", "#c0689f"],
};
const dashes = [[], [7, 3], [2, 3], [10, 3, 2, 3]];
const colorCount = palettes.light.length;

export const paper = { light: "#ffffff", dark: "#171b22" };
export const grid = { light: "#e3e7ed", dark: "#2a303a" };

// FNV-1a: a name has the same color tomorrow, where no other took it first.
function hash(text) {
    let value = 0x811c9dc5;
    for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
    return value >>> 0;
}

// The places of one kind of component; GPUs take none from models.
class Family {
    #places = new Map();
    #taken = new Set();

    #free(component) {
        const wanted = hash(component ?? "") % colorCount;
        for (let round = 0; ; round += colorCount) {
            for (let i = 0; i < colorCount; i += 1) {
                const place = round + ((wanted + i) % colorCount);
                if (!this.#taken.has(place)) return place;
            }
        }
    }

    placeOf(component) {
        if (!this.#places.has(component)) {
            const place = this.#free(component);
            this.#places.set(component, place);
            this.#taken.add(place);
        }
        return this.#places.get(component);
    }
}

const families = { model: new Family(), gpu: new Family() };

// Gives places in a fixed order, so that two readers see the same colors.
export function learn(components) {
    [...components].sort().forEach((component) => families.model.placeOf(component));
}

export function styleOf(component, theme, family = "model") {
    const place = families[family].placeOf(component);
    return { color: palettes[theme][place % colorCount], dash: dashes[Math.floor(place / colorCount) % dashes.length] };
}
