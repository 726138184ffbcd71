// The YAML between the fences: to keys and values, strictly where it is YAML, and line by line where it is not.

import matter from 'gray-matter';
import { type Outcome, refuse } from '../problem.ts';
import type { SkillPath } from '../skill/path.ts';
import { readLines } from './lines.ts';
import { maxFrontmatterLength, yamlLine } from './split.ts';
import type { Warning } from './warning.ts';
import { maxDepth, type Pair, readYaml, type Value, type YamlReading } from './yaml.ts';

/** Whose document it is: for the sentences of problems. */
export interface DocumentPlace {
  readonly skill: SkillPath;
  /** The document's name in the skill's folder. */
  readonly file: string;
}

/** The keys of the outermost mapping, each once, in the order of the text, with lines and columns of the file. */
export interface Frontmatter {
  readonly pairs: readonly Pair[];
  readonly warnings: readonly Warning[];
  /** Whether it is YAML; what is none was read line by line. */
  readonly isYaml: boolean;
}

// What a frontmatter's values come to with aliases written out. Each value costs 1 and the length of its text,
// so that text without aliases never comes near it: three times its own length at most.
const maxExpandedLength = 4 * maxFrontmatterLength;

/**
 * Reads the text between the fences.
 *
 * Problems: `frontmatter-too-large`, `yaml-alias-bomb` where aliases nest or multiply beyond all use.
 */
export function readFrontmatter(yaml: string, place: DocumentPlace): Outcome<Frontmatter> {
  const at = { path: place.skill, file: place.file };
  if (yaml.length > maxFrontmatterLength) {
    return refuse({
      reason: 'frontmatter-too-large',
      ...at,
      line: 1,
      length: yaml.length,
      limit: maxFrontmatterLength,
    });
  }
  const strict = readStrictly(yaml);
  const { pairs, warnings } = strict.ok ? strict : readLines(yaml, yamlLine);
  const bomb = firstTooLarge(pairs);
  if (bomb !== undefined) {
    return refuse({ reason: 'yaml-alias-bomb', ...at, key: bomb.key, line: bomb.line, column: bomb.column });
  }
  const leniently = strict.ok ? warnings : [lineByLine(strict), ...warnings];
  return { ok: true, value: { pairs, warnings: leniently, isYaml: strict.ok } };
}

/**
 * gray-matter with one engine. It is handed the YAML as one line of JSON: in that its own search for fences
 * can find none, no first line can name it another engine, and its comment pattern, which takes quadratic time
 * over blank lines, has no lines to look at. The reading comes back as one value, so that no key of a document
 * becomes an option of gray-matter (`excerpt_separator` would).
 */
function readStrictly(yaml: string): YamlReading {
  // JSON leaves these two, which end a line in a regular expression.
  const line = JSON.stringify(yaml).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
  const engines = {
    yaml: (source: string) => ({ reading: readYaml(JSON.parse(source), yamlLine) }),
    json: refuseEngine,
    javascript: refuseEngine,
  };
  return matter(`---\n${line}\n---\n`, { language: 'yaml', engines }).data['reading'];
}

function refuseEngine(): never {
  throw new Error('frontmatter has one engine: yaml');
}

function lineByLine({ why, line, column }: YamlReading & { ok: false }): Warning {
  return { code: 'yaml-read-line-by-line', why, line, column };
}

/** The first pair with which the values grow beyond {@link maxExpandedLength} or nest beyond all depth. */
function firstTooLarge(pairs: readonly Pair[]): Pair | undefined {
  let left = maxExpandedLength;
  const fits = (value: Value, depth: number): boolean => {
    left -= 1 + (typeof value === 'string' ? value.length : 0);
    if (left < 0 || depth > maxDepth) return false;
    if (Array.isArray(value)) return value.every((item) => fits(item, depth + 1));
    if (!(value instanceof Map)) return true;
    return [...value].every(([key, item]) => fits(key, depth + 1) && fits(item, depth + 1));
  };
  return pairs.find((pair) => !fits(pair.value, 1));
}
