// Asks the server. A token, where one is required, is asked for and sent along by the browser.

const timeoutMs = 15000;

export class ServerError extends Error {
    constructor(message, hint) {
        super(message);
        this.hint = hint;
    }
}

export async function get(path, parameters, signal) {
    // the page's own address may have a password in it, which fetch does not take
    const url = new URL(path, location.origin);
    url.search = new URLSearchParams(parameters);
    const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
    const document = await answer.json().catch(() => null);
    if (!answer.ok || document === null) {
        const error = document?.error;
        throw new ServerError(error?.message ?? `the server answered ${answer.status}`, error?.hint);
    }
    return document;
}
