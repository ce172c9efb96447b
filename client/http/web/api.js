// Asks the server. A token, where one is required, is asked for and sent along by the browser.

const timeoutMs = 15000;

export class ServerError extends Error {
    constructor(status, { message, hint } = {}) {
        super(message ?? `the server answered ${status}`);
        this.status = status;
        this.hint = hint;
    }
}

export async function get(path, parameters, signal) {
    // the page's own address may have a password in it, which fetch does not take
    const url = new URL(path, location.origin);
    url.search = new URLSearchParams(parameters);
    const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
    const content = await answer.json().catch(() => null);
    if (!answer.ok || content === null) throw new ServerError(answer.status, content?.error);
    return content;
}

// As get(), but what has more rows than the server gives is no trouble: it is too much to draw, too.
export async function getIfSmall(path, parameters, signal) {
    try {
        return await get(path, parameters, signal);
    } catch (error) {
        if (error.status !== 400) throw error;
        return { rows: [], isTooLarge: true };
    }
}
