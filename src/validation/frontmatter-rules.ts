// What is asked of the frontmatter: that it is there, that any reader of YAML reads it alike, and its fields.

import { isSilent } from '../document/sayings.ts';
import { type MapNode, type Node, sourceTree } from '../document/source-tree.ts';
import type { WarningCode } from '../document/warning.ts';
import { warningSentence } from '../document/warning.ts';
import { Literal, type Pair, type Value } from '../document/yaml.ts';
import { knowsField, whoKnows } from './fields-of-targets.ts';
import type { Mark, Spot } from './finding.ts';
import type { Target } from './rules.ts';
import { type CheckedDocument, type Subject, spotAt } from './subject.ts';

const nameLimit = 64;
const descriptionLimit = 1024;
const compatibilityLimit = 500;

/** The words that no name on the Claude API holds. */
const reservedWords = ['anthropic', 'claude'];

export function frontmatterMarks(subject: Subject, target: Target): readonly Mark[] {
  const { document } = subject;
  const { file, frontmatter } = document;
  const marks: Mark[] = [];
  if (file !== 'SKILL.md') marks.push({ rule: 'document-name', file, line: 1, column: 1, text: file });
  if (document.text.startsWith('\uFEFF')) marks.push({ rule: 'byte-order-mark', file, line: 1, column: 1 });
  if (frontmatter === null) {
    return [...marks, { rule: 'frontmatter-missing', file, line: 1, column: 1, why: whyMissing(document) }];
  }
  // Of what no strict reader takes, fields are a guess.
  if (!frontmatter.isYaml) return [...marks, ...yamlMarks(document), ...leniencyMarks(document)];
  const pairs = new Map(frontmatter.pairs.map((pair) => [pair.key, pair]));
  const at = (pair: Pair | undefined): Spot => ({ file, line: pair?.line ?? 1, column: pair?.column ?? 1 });
  return [
    ...marks,
    ...yamlMarks(document),
    ...nameMarks(pairs.get('name'), subject.folder, at),
    ...descriptionMarks(pairs.get('description'), pairs.get('when_to_use'), at),
    ...compatibilityMarks(pairs.get('compatibility'), at),
    ...textMarks(pairs.get('license'), at),
    ...metadataMarks(pairs.get('metadata'), at),
    ...toolMarks(pairs.get('allowed-tools'), at),
    ...unknownMarks(frontmatter.pairs, target, at),
    ...leniencyMarks(document),
  ];
}

type At = (pair: Pair | undefined) => Spot;

function whyMissing({ split }: CheckedDocument): string {
  if (split.oddity === 'names-a-language') return 'line 1 names a language, and so opens no frontmatter';
  return split.oddity === 'rule-above-prose'
    ? 'what stands between the first two lines of --- is text, and no frontmatter'
    : 'the document does not begin with frontmatter';
}

// ---- YAML ----

function yamlMarks(document: CheckedDocument): readonly Mark[] {
  const { file, frontmatter, split, lines } = document;
  if (frontmatter === null || split.yaml === null) return [];
  const marks: Mark[] = frontmatter.warnings.flatMap((warning): readonly Mark[] => {
    const { line, column } = warning;
    if (warning.code === 'yaml-read-line-by-line') {
      return [{ rule: 'frontmatter-not-yaml', file, line, column, why: warning.why }];
    }
    if (warning.code === 'duplicate-key') {
      return [{ rule: 'duplicate-key', file, line, column, field: warning.key }];
    }
    return [];
  });
  const dashes = split.yaml.text.indexOf('---');
  if (dashes >= 0) {
    marks.push({ rule: 'dashes-in-frontmatter', ...spotAt(file, lines, split.yaml.start + dashes) });
  }
  if (!frontmatter.isYaml) return marks;
  const tree = sourceTree(document.text, split.yaml, frontmatter);
  return [...marks, ...(tree === undefined ? [] : formMarks(tree, document))];
}

/** One mark for each key of the outermost map with what the reference validator does not read. */
function formMarks(tree: MapNode, { file, text, lines }: CheckedDocument): readonly Mark[] {
  return tree.members.flatMap(({ key, keyStart, node }): readonly Mark[] => {
    const form = formOf(node, text);
    if (form === undefined) return [];
    return [{ rule: 'yaml-not-plain', ...spotAt(file, lines, keyStart), field: key ?? '', form }];
  });
}

function formOf(node: Node, text: string): string | undefined {
  if (node.fullStart < node.start) return text[node.fullStart] === '!' ? 'a tag' : 'an anchor';
  if (node.kind === 'other') return text[node.start] === '*' ? 'an alias' : undefined;
  if (node.kind !== 'list' && node.kind !== 'map') return undefined;
  if (node.isFlow) return node.kind === 'list' ? '[…]' : '{…}';
  for (const member of node.members) {
    const form = formOf(member.node, text);
    if (form !== undefined) return form;
  }
  return undefined;
}

// ---- fields ----

function lengthOf(text: string): number {
  return [...text].length;
}

/** A text as it stands, and a number or boolean as it is written; undefined for a list or a map. */
function textOf(value: Value): string | undefined {
  if (value instanceof Literal) return value.source;
  return typeof value === 'string' ? value : undefined;
}

function kindOf(value: Value): string {
  if (value instanceof Map) return 'a map';
  if (Array.isArray(value)) return 'a list';
  return value instanceof Literal ? value.source : value === null ? 'empty' : 'a text';
}

/** What keeps a field from being a text. A silent one is not asked. */
function textMarks(pair: Pair | undefined, at: At): readonly Mark[] {
  if (pair === undefined || isSilent(pair.value)) return [];
  const { key: field, value } = pair;
  if (value instanceof Literal) return [{ rule: 'field-not-quoted', ...at(pair), field, text: value.source }];
  return typeof value === 'string'
    ? []
    : [{ rule: 'field-not-text', ...at(pair), field, kind: kindOf(value) }];
}

function nameMarks(pair: Pair | undefined, folder: string, at: At): readonly Mark[] {
  const written = pair === undefined ? '' : textOf(pair.value ?? '');
  if (written === undefined) return textMarks(pair, at);
  // As the reference validator has it, so that two spellings of one letter are one.
  const text = written.trim().normalize('NFKC');
  if (text === '') return [{ rule: 'name-missing', ...at(pair) }];
  const marks: Mark[] = [...textMarks(pair, at)];
  const length = lengthOf(text);
  if (length > nameLimit) marks.push({ rule: 'name-too-long', ...at(pair), length, limit: nameLimit });
  const why = whyNoName(text);
  if (why !== undefined) marks.push({ rule: 'name-format', ...at(pair), text, why });
  else if (/[^a-z0-9-]/.test(text)) marks.push({ rule: 'name-not-ascii', ...at(pair), text });
  if (text !== folder.normalize('NFKC')) {
    marks.push({ rule: 'name-differs-from-folder', ...at(pair), text, folder });
  }
  const word = reservedWords.find((reserved) => text.toLowerCase().includes(reserved));
  if (word !== undefined) marks.push({ rule: 'name-reserved', ...at(pair), text, word });
  return marks;
}

function whyNoName(name: string): string | undefined {
  const reasons = [
    ...(/[^\p{L}\p{N}-]/u.test(name) ? ['has other characters than letters, digits and hyphens'] : []),
    ...(name === name.toLowerCase() ? [] : ['has capital letters']),
    ...(name.startsWith('-') || name.endsWith('-') ? ['begins or ends with a hyphen'] : []),
    ...(name.includes('--') ? ['has two hyphens in a row'] : []),
  ];
  return reasons.length === 0 ? undefined : reasons.join(', and ');
}

function descriptionMarks(pair: Pair | undefined, whenToUse: Pair | undefined, at: At): readonly Mark[] {
  const text = pair === undefined ? '' : textOf(pair.value ?? '');
  if (text === undefined) return textMarks(pair, at);
  if (text.trim() === '') return [{ rule: 'description-missing', ...at(pair) }];
  const marks: Mark[] = [...textMarks(pair, at)];
  const length = lengthOf(text);
  if (length > descriptionLimit) {
    marks.push({ rule: 'description-too-long', ...at(pair), length, limit: descriptionLimit });
  }
  if (/[<>]/.test(text)) marks.push({ rule: 'description-holds-tags', ...at(pair) });
  if (whenToUse === undefined && isEnglish(text) && !saysWhen.test(text)) {
    marks.push({ rule: 'description-without-when', ...at(pair) });
  }
  return marks;
}

// Any word that leads to an occasion counts: a rule that asked for one phrase would be wrong more often than right.
const saysWhen =
  /\b(?:when(?:ever|ed)?|if|before|after|while|during|upon|use(?:d|ful)?\s(?:this|it|for|to|in|as|by|with|on|at|once|against|alongside|proactively)|for\suse|trigger(?:s|ed)?|invoke[ds]?|activate[ds]?|ask(?:s|ed|ing)?|mention(?:s|ed|ing)?|request(?:s|ed)?|wants?|needs?|keywords(?=:)|(?:ideal|best|perfect|great|suited|suitable) for)\b/i;

const ofEnglish = new Set(['the', 'and', 'for', 'of', 'to', 'with', 'a', 'an', 'in']);

/** Small words of languages that are written with the same letters. */
const ofOthers = new Set([
  ...['de', 'la', 'el', 'los', 'las', 'que', 'para', 'por', 'del', 'con', 'una', 'os', 'dos', 'das', 'uma'],
  ...['le', 'les', 'des', 'et', 'pour', 'une', 'dans', 'di', 'che', 'il', 'der', 'und', 'mit', 'von', 'ein'],
  ...['het', 'een', 'van', 'voor', 'og', 'af', 'til', 'med', 'som', 'och', 'ile', 'bir', 'oraz', 'jest'],
]);

/** So many letters of a text are in words of ASCII alone, where one is not. */
const asciiLetters = 20;

/** Whether a text is English enough to be judged by its words. */
function isEnglish(text: string): boolean {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const count = { english: 0, others: 0, ascii: 0, beyond: 0 };
  for (const word of words) {
    count[/^[a-z]+$/.test(word) ? 'ascii' : 'beyond'] += word.length;
    if (ofEnglish.has(word)) count.english++;
    else if (ofOthers.has(word)) count.others++;
  }
  return count.english > count.others && count.ascii >= count.beyond * asciiLetters;
}

function compatibilityMarks(pair: Pair | undefined, at: At): readonly Mark[] {
  if (pair === undefined) return [];
  const text = textOf(pair.value ?? '');
  if (text === undefined) return textMarks(pair, at);
  const length = lengthOf(text);
  const isAllowed = length > 0 && length <= compatibilityLimit;
  return [
    ...textMarks(pair, at),
    ...(isAllowed
      ? []
      : [{ rule: 'compatibility-length', ...at(pair), length, limit: compatibilityLimit } as const]),
  ];
}

function metadataMarks(pair: Pair | undefined, at: At): readonly Mark[] {
  if (pair === undefined || pair.value === null) return [];
  if (!(pair.value instanceof Map)) {
    return [{ rule: 'metadata-not-a-map', ...at(pair), kind: kindOf(pair.value) }];
  }
  return pair.pairs.flatMap((inner): readonly Mark[] => {
    const { key, value } = inner;
    const field = `metadata.${key}`;
    if (typeof value === 'string') return [];
    return value instanceof Literal
      ? [{ rule: 'metadata-value-not-quoted', ...at(inner), field, text: value.source }]
      : [{ rule: 'metadata-value-nested', ...at(inner), field, kind: kindOf(value) }];
  });
}

function toolMarks(pair: Pair | undefined, at: At): readonly Mark[] {
  if (pair === undefined) return [];
  if (Array.isArray(pair.value)) return [{ rule: 'allowed-tools-list', ...at(pair) }];
  return typeof pair.value === 'string' && hasCommaBetween(pair.value)
    ? [{ rule: 'allowed-tools-commas', ...at(pair) }]
    : textMarks(pair, at);
}

/** Whether a comma stands outside parentheses: `Bash(git add, git mv)` is one tool. */
function hasCommaBetween(tools: string): boolean {
  let depth = 0;
  for (const character of tools) {
    if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === ',' && depth <= 0) return true;
  }
  return false;
}

function unknownMarks(pairs: readonly Pair[], target: Target, at: At): readonly Mark[] {
  return pairs
    .filter(({ key }) => !knowsField(target, key))
    .map((pair) => ({
      rule: 'unknown-field',
      ...at(pair),
      ...{ field: pair.key, target, elsewhere: whoKnows(pair.key) },
    }));
}

/** What the index leaves out; other warnings have a rule of their own. */
const ofTheIndex: ReadonlySet<WarningCode> = new Set([
  ...(['key-stands-elsewhere', 'unknown-value', 'wrong-type', 'too-long', 'names-no-skill'] as const),
  ...(['text-not-storable', 'number-not-storable', 'version-is-a-number', 'value-not-text'] as const),
]);

function leniencyMarks({ file, warnings }: CheckedDocument): readonly Mark[] {
  return warnings
    .filter(({ code }) => ofTheIndex.has(code))
    .map((warning) => {
      const { line, column } = warning;
      return { rule: 'field-read-leniently', file, line, column, text: warningSentence(warning) };
    });
}
