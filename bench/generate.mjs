// Generated libraries for measurements, distributed as public ones are: bench/README.md says where from.
// As a program: `node bench/generate.mjs DIR SKILLS [--seed N] [--relations]`.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

/** Values at given shares of the population, from the least to the greatest. Between two of them it is even. */
const quantiles = {
  documentBytes: {
    0: 64,
    0.1: 1735,
    0.25: 3124,
    0.5: 6104,
    0.75: 9507,
    0.9: 16246,
    0.95: 26360,
    0.99: 47878,
    1: 86621,
  },
  descriptionBytes: {
    0: 7,
    0.1: 97,
    0.25: 176,
    0.5: 222,
    0.75: 290,
    0.9: 440,
    0.95: 534,
    0.99: 779,
    1: 1178,
  },
  fileBytes: {
    0: 5,
    0.1: 297,
    0.25: 1287,
    0.5: 3546,
    0.75: 9126,
    0.9: 12943,
    0.95: 15765,
    0.99: 28550,
    0.998: 60000,
    1: 159494,
  },
  /** Of a skill that has any. */
  files: { 0: 1, 0.5: 1, 0.75: 3, 0.9: 5, 0.95: 8, 0.99: 13, 1: 37 },
  /** Bytes of other than ASCII, of a thousand. */
  documentSigns: { 0: 0, 0.28: 0, 0.5: 6, 0.75: 17, 0.9: 60, 0.95: 110, 0.99: 395, 1: 889 },
  fileSigns: { 0: 0, 0.42: 0, 0.5: 1, 0.75: 10, 0.9: 61, 0.95: 405, 0.99: 849, 1: 965 },
};

/** How many of a thousand. */
const perMille = {
  withoutFiles: 267,
  withoutFrontmatter: 33,
  /** An unquoted colon, which a strict parser of YAML refuses. */
  withLooseColon: 26,
  withOtherName: 41,
  nested: 37,
  ruleInBody: 237,
  documentCrlf: 24,
  documentMixedEndings: 2,
  documentWithoutLastBreak: 48,
  documentByteOrderMark: 2,
  trailingBlanks: 96,
  fileCrlf: 16,
  fileWithoutLastBreak: 49,
  fileByteOrderMark: 2,
  fileTwice: 19,
  binary: 3,
  executable: 4,
  license: 65,
  version: 78,
  author: 15,
  package: 43,
  invocable: 69,
  homepage: 22,
  tools: 20,
  tags: 11,
  category: 7,
  metadata: 95,
  metadataInFlow: 270,
  dependencies: 2,
  seeAlso: 6,
};

/** Weighed choices. */
const folders = {
  references: 553,
  '': 240,
  agents: 50,
  examples: 24,
  assets: 22,
  rules: 14,
  'references/more': 18,
  themes: 10,
  templates: 9,
  scripts: 7,
};
const endings = { md: 789, json: 99, yaml: 45, txt: 24, csv: 12, svg: 4, xml: 4 };
const quotings = { plain: 741, double: 95, folded: 55, literal: 101, single: 8 };
const depths = { 2: 20, 3: 55, 4: 173, 5: 224, 6: 62, 9: 4 };

/** Skills of one published library, and of one folder within it. */
const librarySize = 34;
const familySize = 3;

/** Numbers from 0 to 1 that follow from the seed alone: mulberry32. */
function numbersFrom(...seeds) {
  let state = seeds.reduce((mixed, seed) => Math.imul(mixed ^ seed, 0x9e3779b1) ^ (mixed >>> 15), 0x2545f491);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One number of a population, and where in it the next one stands. */
function sampler(table) {
  const points = Object.entries(table)
    .map(([share, value]) => [Number(share), value])
    .sort(([a], [b]) => a - b);
  return (next) => {
    const share = next();
    const at = Math.max(
      1,
      points.findIndex(([from]) => from >= share),
    );
    const [[fromShare, from], [toShare, to]] = [points[at - 1], points[at]];
    return Math.round(from + ((to - from) * (share - fromShare)) / (toShare - fromShare));
  };
}

const sample = Object.fromEntries(Object.entries(quantiles).map(([name, table]) => [name, sampler(table)]));

function chooser(weights) {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return (next) => {
    let left = next() * total;
    for (const [choice, weight] of Object.entries(weights)) {
      left -= weight;
      if (left < 0) return choice;
    }
    return Object.keys(weights)[0];
  };
}

const chooseFolder = chooser(folders);
const chooseEnding = chooser(endings);
const chooseQuoting = chooser(quotings);
const chooseDepth = chooser(depths);

const pick = (list, next) => list[Math.floor(next() * list.length)];
const capital = (word) => word[0].toUpperCase() + word.slice(1);

const vocabularySize = 18_000;
const functionWords = 'the a to of and in is for it with when not this that on as be or from are'.split(' ');

/** What all texts of a seed are made of: words, the most frequent ones first, and lines of them. */
class Texts {
  constructor(seed) {
    const next = numbersFrom(seed, 0);
    const syllables = [...'bcdfghjklmnprstvz'].flatMap((start) => [...'aeiou'].map((vowel) => start + vowel));
    this.words = Array.from({ length: vocabularySize }, () =>
      Array.from({ length: 2 + Math.floor(next() * 3) }, () => pick(syllables, next)).join(''),
    );
    this.plain = this.lines(6000, next, (line) => line);
    this.signed = this.lines(3000, next, (line) => line.replace(' ', ' — '));
    this.foreign = this.lines(1500, next, (line) =>
      line.replace(/[a-z]/g, () => String.fromCharCode(0x4e00 + Math.floor(next() ** 2 * 4000))),
    );
  }

  /** The more frequent a word, the more it is taken, as in the languages that people speak. */
  word(next) {
    return this.words[Math.floor(vocabularySize ** (next() ** 1.5)) - 1];
  }

  sentence(next, words) {
    const text = Array.from({ length: words }, () =>
      next() < 0.3 ? pick(functionWords, next) : this.word(next),
    ).join(' ');
    return capital(text);
  }

  lines(count, next, change) {
    return Array.from({ length: count }, () => {
      const text = change(this.sentence(next, 3 + Math.floor(next() * 12)));
      const kind = next();
      const line =
        kind < 0.12
          ? `\n## ${text.slice(0, 40).trim()}\n`
          : kind < 0.3
            ? `- ${text}`
            : kind < 0.34
              ? `\`\`\`\n${text}\n\`\`\``
              : text;
      return { text: `${line}\n`, bytes: Buffer.byteLength(line) + 1 };
    });
  }

  /** So many bytes, or a line fewer, `signs` of a thousand of them other than ASCII. */
  text(next, bytes, signs) {
    // A foreign line has about three bytes for one of a plain line.
    const foreign = Math.min(1, signs / 870);
    const [others, share] =
      signs > 60 ? [this.foreign, foreign / (3 - 2 * foreign)] : [this.signed, signs / 62];
    let text = '';
    let left = bytes;
    while (left > 0) {
      const line = pick(signs > 0 && next() < share ? others : this.plain, next);
      if (line.bytes > left) return `${text}${'-'.repeat(left - 1)}\n`;
      text += line.text;
      left -= line.bytes;
    }
    return text;
  }

  name(next) {
    return `${this.word(next)}-${this.word(next)}`;
  }
}

/** Puts a description as frontmatter has it, after its key. */
function quoted(text, quoting) {
  switch (quoting) {
    case 'double':
      return `"${text}"`;
    case 'single':
      return `'${text}'`;
    case 'folded':
      return `>\n  ${text.replace(/(.{60,90}?) /g, '$1\n  ')}`;
    case 'literal':
      return `|\n  ${text.replace(/(.{60,90}?) /g, '$1\n  ')}`;
    default:
      return text;
  }
}

/**
 * Skills, one after another: `{ path, files: [{ path, bytes, executable }] }`, the document first. The same seed gives
 * the same ones, and a skill is the same whatever their number. With `relations`, every document names what the
 * columns and relations of the database hold, which public ones seldom do.
 */
export class Library {
  constructor({ seed = 1, relations = false } = {}) {
    this.seed = seed;
    this.relations = relations;
    this.texts = new Texts(seed);
  }

  *skills(count) {
    for (let number = 0; number < count; number += 1) yield this.skill(number);
  }

  /** Where a skill stands. A nested one stands below the one before it. */
  pathOf(number) {
    const next = numbersFrom(this.seed, 1, number);
    const name = `${this.texts.name(next)}-${number}`;
    const isNested = number > 0 && next() * 1000 < perMille.nested;
    if (isNested) return `${this.pathOf(number - 1)}/${name}`;
    const family = Math.floor(number / familySize);
    const ofFamily = numbersFrom(this.seed, 2, family);
    const depth = Number(chooseDepth(ofFamily));
    const between = Array.from({ length: depth - 2 }, (_, at) =>
      at === 0 ? `${this.texts.name(ofFamily)}-${family}` : this.texts.word(ofFamily),
    );
    return [`library-${Math.floor(number / librarySize)}`, ...between, name].join('/');
  }

  skill(number) {
    const next = numbersFrom(this.seed, 3, number);
    const skillPath = this.pathOf(number);
    const files = [{ path: 'SKILL.md', bytes: this.document(number, skillPath, next), executable: false }];
    const attached = next() * 1000 < perMille.withoutFiles ? 0 : sample.files(next);
    for (let at = 0; at < attached; at += 1) files.push(this.file(number, at, next));
    return { path: skillPath, files };
  }

  file(number, at, next) {
    const is = (share) => next() * 1000 < share;
    const folder = chooseFolder(next);
    const isBinary = is(perMille.binary);
    const name = `${this.texts.word(next)}-${at}.${isBinary ? 'png' : chooseEnding(next)}`;
    const file = { path: folder ? `${folder}/${name}` : name, executable: is(perMille.executable) };
    if (isBinary) {
      return { ...file, bytes: Buffer.from(Array.from({ length: 1288 }, () => Math.floor(next() * 256))) };
    }
    const size = sample.fileBytes(next);
    const signs = sample.fileSigns(next);
    // What several skills attach is a licence, say.
    const isTwice = is(perMille.fileTwice);
    const own = `${number}.${at}\n`;
    const text = isTwice
      ? this.texts.text(numbersFrom(this.seed, 4), 1067, 0)
      : own + this.texts.text(next, Math.max(0, size - own.length), signs);
    return {
      ...file,
      bytes: written(text, {
        crlf: is(perMille.fileCrlf),
        endless: is(perMille.fileWithoutLastBreak),
        marked: is(perMille.fileByteOrderMark),
      }),
    };
  }

  document(number, skillPath, next) {
    const is = (share) => next() * 1000 < share;
    const frontmatter = is(perMille.withoutFrontmatter) ? '' : this.frontmatter(number, skillPath, next);
    const size = sample.documentBytes(next);
    const rule = is(perMille.ruleInBody) ? '\n---\n\n' : '';
    const head = `# ${capital(this.texts.word(next))} ${number}\n\n${this.relations ? capabilities(number) : ''}`;
    const bytes = Math.max(0, size - Buffer.byteLength(frontmatter) - head.length - rule.length);
    const body = this.texts.text(next, bytes, sample.documentSigns(next));
    const text = is(perMille.trailingBlanks) ? body.replace('\n', '  \n') : body;
    return written(`${frontmatter}${head}${text}${rule}`, {
      crlf: is(perMille.documentCrlf),
      mixed: is(perMille.documentMixedEndings),
      endless: is(perMille.documentWithoutLastBreak),
      marked: is(perMille.documentByteOrderMark),
    });
  }

  frontmatter(number, skillPath, next) {
    const is = (share) => next() * 1000 < share;
    const { texts } = this;
    const name = is(perMille.withOtherName)
      ? texts.name(next)
      : skillPath.slice(skillPath.lastIndexOf('/') + 1);
    const words = Math.max(1, Math.round(sample.descriptionBytes(next) / 6));
    const description = texts.sentence(next, words);
    const said = is(perMille.withLooseColon)
      ? `Use it so: ${description}`
      : quoted(description, chooseQuoting(next));
    const lines = [`name: ${name}`, `description: ${said}`];
    const maybe = (share, line) => {
      if (is(share)) lines.push(line());
    };
    maybe(perMille.license, () =>
      pick(['license: MIT', 'license: Apache-2.0', 'license: See LICENSE.txt'], next),
    );
    maybe(perMille.version, () => `version: 1.${Math.floor(next() * 9)}.0`);
    maybe(perMille.author, () => `author: ${texts.name(next)}`);
    maybe(perMille.package, () => `package: ${texts.name(next)}`);
    maybe(perMille.invocable, () => 'disable-model-invocation: true');
    maybe(perMille.homepage, () => `homepage: https://example.com/${texts.name(next)}`);
    maybe(perMille.tools, () => 'allowed-tools:\n  - Read\n  - Write\n  - Bash(git add:*)');
    maybe(perMille.tags, () => `tags: [${texts.word(next)}, ${texts.word(next)}, ${texts.word(next)}]`);
    maybe(perMille.category, () => `category: ${this.category(next)}`);
    if (this.relations) lines.push(...this.relationLines(number));
    else {
      const others = [this.pathOf(Math.max(0, number - 1)), this.pathOf(number + 1)];
      maybe(perMille.dependencies, () =>
        `dependencies:\n${others.map((other) => `  - ${other}\n`).join('')}`.trimEnd(),
      );
      maybe(perMille.seeAlso, () => `see_also: [${others.join(', ')}]`);
      maybe(perMille.metadata, () => this.metadata(next));
    }
    return `---\n${lines.join('\n')}\n---\n\n`;
  }

  category(next) {
    return `${this.texts.words[Math.floor(next() * 8)]}/${this.texts.words[8 + Math.floor(next() * 24)]}`;
  }

  metadata(next) {
    if (next() * 1000 < perMille.metadataInFlow) {
      return `metadata: {"${this.texts.word(next)}": {"requires": {"bins": ["${this.texts.word(next)}"]}}}`;
    }
    const lines = [`version: "1.${Math.floor(next() * 9)}.0"`, `author: ${this.texts.name(next)}`];
    if (next() < 0.4) lines.push(`category: ${this.category(next)}`);
    if (next() < 0.4) lines.push(`updated: 2026-0${1 + Math.floor(next() * 9)}-11`);
    if (next() < 0.2) lines.push(`tags: [${this.texts.word(next)}, ${this.texts.word(next)}]`);
    return `metadata:\n${lines.map((line) => `  ${line}`).join('\n')}`;
  }

  /** Skills depend on one another within groups. */
  relationLines(number) {
    const first = number - (number % 8);
    const dependencies = number === first ? '' : this.pathOf(first);
    const references = number === first ? '' : this.pathOf(number - 1);
    return [
      'metadata:',
      '  version: 1.2.0',
      '  category: development/languages/python',
      `  keywords: [python, number-${number}, testing]`,
      `  tags: [generated, group-${first}]`,
      `  dependencies: [${dependencies}]`,
      `  see_also: [${references}]`,
      `  aliases: [old/skill-${number}]`,
      '  facets: {level: basic, audience: everyone}',
      'allowed-tools: Read Write',
    ];
  }
}

function capabilities(number) {
  return `## Capabilities\n\n- **Reads**: What there is to read about ${number}.\n- **Writes**: What there is to write.\n\n`;
}

/** A text's bytes, with what editors and other systems leave in them. */
function written(text, { crlf = false, mixed = false, endless = false, marked = false }) {
  const ended = endless ? text.replace(/\n+$/, '') : text;
  const broken = crlf ? ended.replaceAll('\n', '\r\n') : mixed ? ended.replace(/\n(?=#)/, '\r\n') : ended;
  return Buffer.from(marked ? `\ufeff${broken}` : broken);
}

/** Writes skills, one at a time. Returns how many files they have, and of how many bytes. */
export function writeLibrary(folder, skills) {
  let [files, bytes, count] = [0, 0, 0];
  for (const skill of skills) {
    const made = new Set();
    count += 1;
    for (const file of skill.files) {
      const at = path.join(folder, skill.path, file.path);
      const parent = path.dirname(at);
      if (!made.has(parent)) mkdirSync(parent, { recursive: true });
      made.add(parent);
      writeFileSync(at, file.bytes);
      if (file.executable) chmodSync(at, 0o755);
      files += 1;
      bytes += file.bytes.length;
    }
  }
  return { skills: count, files, bytes };
}

if (process.argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seed: { type: 'string', default: '1' }, relations: { type: 'boolean', default: false } },
  });
  const [folder, skills] = positionals;
  if (!folder || !(Number(skills) > 0))
    throw new Error('node bench/generate.mjs DIR SKILLS [--seed N] [--relations]');
  const library = new Library({ seed: Number(values.seed), relations: values.relations });
  process.stdout.write(`${JSON.stringify(writeLibrary(folder, library.skills(Number(skills))))}\n`);
}
