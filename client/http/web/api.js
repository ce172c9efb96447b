// Asks the server. A token, where one is required, is asked for and sent along by the browser.

const timeoutMs = 15000;

export class ServerError extends Error {
    constructor(message, hint) {
        super(message);
        this.hint = hint;
    }
}

export async function get(path, parameters, signal) {
    const query = new URLSearchParams(parameters).toString();
    const limit = AbortSignal.timeout(timeoutMs);
    const answer = await fetch(query ? `${path}?${query}` : path, { signal: AbortSignal.any([signal, limit]) });
    const document = await answer.json().catch(() => null);
    if (!answer.ok || document === null) {
        const error = document?.error;
        throw new ServerError(error?.message ?? `the server answered ${answer.status}`, error?.hint);
    }
    return document;
}
