// Asks the server. A token, where one is required, is asked for once and forgotten with the tab.

import { find } from "./dom.js";

const tokenKey = "gravitas-telemetry-token";
const timeoutMs = 15000;
let asking = null;

export class ServerError extends Error {
    constructor(message, hint) {
        super(message);
        this.hint = hint;
    }
}

function askForToken(wasRefused) {
    asking ??= new Promise((resolve) => {
        const dialog = find("#login");
        const input = find("#token");
        if (wasRefused) find("#login-reason").textContent = "That was not the token of this server. Try again.";
        dialog.addEventListener("cancel", (event) => event.preventDefault());
        dialog.querySelector("form").addEventListener("submit", (event) => {
            event.preventDefault();
            sessionStorage.setItem(tokenKey, input.value);
            input.value = "";
            dialog.close();
            asking = null;
            resolve();
        }, { once: true });
        dialog.showModal();
    });
    return asking;
}

async function request(path, signal) {
    const token = sessionStorage.getItem(tokenKey);
    const limit = AbortSignal.timeout(timeoutMs);
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const answer = await fetch(path, { headers, cache: "no-store", signal: AbortSignal.any([signal, limit]) });
    return { answer, token };
}

export async function get(path, parameters, signal) {
    const query = new URLSearchParams(parameters).toString();
    const url = query ? `${path}?${query}` : path;
    let { answer, token } = await request(url, signal);
    while (answer.status === 401) {
        // another request may have been told meanwhile
        if (sessionStorage.getItem(tokenKey) === token) await askForToken(token !== null);
        ({ answer, token } = await request(url, signal));
    }
    const document = await answer.json().catch(() => null);
    if (!answer.ok || document === null) {
        const error = document?.error;
        throw new ServerError(error?.message ?? `the server answered ${answer.status}`, error?.hint);
    }
    return document;
}
