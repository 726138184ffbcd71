// Where this program's package stands.

/** The folder that holds package.json: right above the sources, and right above what is built of them. */
export const packageRoot: URL = new URL('..', import.meta.url);
