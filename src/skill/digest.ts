// The one function that says whether two skills hold the same bytes. Both sides use it.

import { createHash } from 'node:crypto';
import type { Skill } from './skill.ts';

declare const brand: unique symbol;

/** Lower-case hexadecimal SHA-256 of a skill's content. */
export type Digest = string & { readonly [brand]: 'Digest' };

const formatTag = 'skill-fleet skill 1\0';

/** Takes 64 lower-case hexadecimal digits; anything else is undefined. */
export function parseDigest(text: string): Digest | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? (text as Digest) : undefined;
}

/**
 * Digests a skill: a format tag, then for each file in byte order of its path a record of path, executable
 * bit, length and bytes. Length prefixes make two different skills never feed the same input to the hash.
 * The skill's own path is not part of it.
 */
export function digestSkill(skill: Skill): Digest {
  const hash = createHash('sha256').update(formatTag);
  for (const { path, executable, bytes } of skill.entries) {
    const name = Buffer.from(path);
    const frame = Buffer.alloc(4 + name.length + 1 + 8);
    frame.writeUInt32BE(name.length, 0);
    name.copy(frame, 4);
    frame.writeUInt8(executable ? 1 : 0, 4 + name.length);
    frame.writeBigUInt64BE(BigInt(bytes.length), 4 + name.length + 1);
    hash.update(frame).update(bytes);
  }
  return hash.digest('hex') as Digest;
}
