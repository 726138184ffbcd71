// The properties of skills on the disk, one after another: what to-prompt and read-properties print.

import path from 'node:path';
import type { Directory } from '../directory/directory.ts';
import { type Properties, readProperties } from '../document/properties.ts';
import type { Outcome } from '../problem.ts';
import type { SkillPath } from '../skill/path.ts';

/** A skill's properties, and where its document stands. */
export interface FoundProperties {
  /** The document, absolute. */
  readonly location: string;
  readonly properties: Properties;
}

/** The properties of skills in the order asked for. Only a few documents are in memory at once. */
export async function* propertiesOf(
  directory: Directory,
  paths: readonly SkillPath[],
): AsyncGenerator<Outcome<FoundProperties>> {
  for await (const { path: skill, document } of directory.documents(paths)) {
    if (!document.ok) {
      yield document;
      continue;
    }
    const { file, text } = document.value;
    const properties = readProperties(text, { skill, file });
    const location = path.join(directory.root, skill, file);
    yield properties.ok ? { ok: true, value: { location, properties: properties.value } } : properties;
  }
}
