// Reads a whole text file that people write by hand, up to a bound: `.env` and the configuration.

import { createReadStream } from 'node:fs';
import { type Outcome, refuse } from '../problem.ts';

/** Far more than anyone writes by hand. */
export const maxSmallFileBytes = 256 * 1024;

/**
 * Reads UTF-8 text, without its BOM. A pipe will do, since password managers hand out secrets so. Undefined
 * where there is no such file; problem `configuration-unreadable` where it cannot be read, is over
 * {@link maxSmallFileBytes}, or is not UTF-8.
 */
export async function readSmallFile(file: string): Promise<Outcome<string | undefined>> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of createReadStream(file, { end: maxSmallFileBytes })) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (bytes.length > maxSmallFileBytes) {
      return refuse({
        reason: 'configuration-unreadable',
        file,
        why: `it is longer than ${maxSmallFileBytes} bytes`,
      });
    }
    return { ok: true, value: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'ENOENT') return { ok: true, value: undefined };
    const why = code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not UTF-8' : code;
    return refuse({ reason: 'configuration-unreadable', file, why });
  }
}
