// What docs/reference says of commands and configuration, made of what the program says of itself.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { configuration } from '../../src/config/configuration-file.ts';
import { defaultLimits } from '../../src/directory/limits.ts';
import { projectRoot, runProcess } from '../acceptance/cli.ts';

/** A part of a help text: what it lists, by what it is called there. */
interface Section {
  readonly heading: string;
  readonly entries: readonly (readonly [term: string, meaning: string])[];
  readonly examples: readonly string[];
}

interface Help {
  readonly usage: string;
  /** Before the first section, and after the last. */
  readonly purpose: string;
  readonly notes: readonly string[];
  readonly sections: readonly Section[];
}

async function helpOf(command: readonly string[]): Promise<Help> {
  const cli = path.join(projectRoot, 'dist/cli.js');
  const ran = await runProcess(process.execPath, [cli, ...command, '--help'], { cwd: projectRoot });
  if (ran.code !== 0) throw new Error(ran.stderr);
  return parseHelp(ran.stdout);
}

function parseHelp(text: string): Help {
  const [first = '', purpose = '', ...blocks] = text.trim().split(/\n\n+/);
  const isSection = (block: string) => /^\S.*:\n/.test(block);
  return {
    usage: first.replace(/^Usage: /, ''),
    purpose: purpose.replace(/\n/g, ' '),
    notes: blocks.filter((block) => !isSection(block)).map((block) => block.replace(/\n(?! )/g, ' ')),
    sections: blocks.filter(isSection).map(parseSection),
  };
}

function parseSection(block: string): Section {
  const [heading = '', ...lines] = block.split('\n');
  const entries: [string, string][] = [];
  const examples: string[] = [];
  for (const line of lines) {
    const [, example] = /^ {2}\$ (.*)$/.exec(line) ?? [];
    const [, term, meaning = ''] = /^ {2}(\S.*?)(?: {2,}(.*))?$/.exec(line) ?? [];
    const last = entries.at(-1);
    if (example !== undefined) examples.push(example);
    else if (term !== undefined) entries.push([term, meaning]);
    else if (last !== undefined) last[1] = `${last[1]} ${line.trim()}`.trim();
  }
  return { heading: heading.slice(0, -1), entries, examples };
}

/** A text as markdown shows it, in a table's cell too. */
function plain(text: string): string {
  return text.replace(/[\\`*_<>|]/g, '\\$&');
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function sectionText({ heading, entries, examples }: Section): string {
  if (examples.length > 0) return `${heading}:\n\n\`\`\`text\n${examples.join('\n')}\n\`\`\``;
  return table(
    [heading, 'meaning'],
    entries.map(([term, meaning]) => [code(term), plain(meaning)]),
  );
}

function note(text: string): string {
  return text
    .split('\n')
    .map((line) => (line.startsWith('  ') ? code(line.trim()) : plain(line)))
    .join('\n');
}

const remake = '<!-- Made by: WRITE_REFERENCE=1 npx vitest run test/docs -->';

/** docs/reference/commands.md. */
export async function commandsReference(): Promise<string> {
  const root = await helpOf([]);
  const isOfCommands = ({ heading, examples }: Section) => heading !== 'Options' && examples.length === 0;
  const groups = root.sections.filter(isOfCommands);
  const names = groups
    .flatMap(({ entries }) => entries.map(([term]) => term.split(' ')[0] ?? ''))
    .filter((name) => name !== 'help');
  const helps = new Map<string, Help>();
  for (const name of names) helps.set(name, await helpOf([name]));

  const all = [...helps.values()].flatMap(({ sections }) => sections.map(sectionText));
  // What most commands say alike is said once.
  const shared = [...new Set(all)].filter(
    (text) => all.filter((one) => one === text).length > names.length / 2,
  );
  const commandText = (name: string, help: Help): string => {
    const own = help.sections.map(sectionText).filter((text) => !shared.includes(text));
    const lacks = shared.every((text) => !help.sections.map(sectionText).includes(text));
    return [
      `## ${name}`,
      plain(help.purpose),
      `\`\`\`text\n${help.usage}\n\`\`\``,
      ...own,
      ...(lacks ? ['It takes none of the options of all commands.'] : []),
      ...help.notes.map(note),
    ].join('\n\n');
  };
  const commandRows = groups.flatMap(({ heading, entries }) =>
    entries
      .filter(([term]) => !term.startsWith('help '))
      .map(([term, meaning]) => {
        const [name = ''] = term.split(' ');
        return [`[${code(name)}](#${name})`, plain(heading), plain(meaning)];
      }),
  );
  return `${[
    '# Commands',
    remake,
    plain(root.purpose),
    table(['command', 'for', 'purpose'], commandRows),
    ...root.sections.filter((section) => !isOfCommands(section)).map(sectionText),
    ...root.notes.map(note),
    '## Options of all commands',
    'In brackets: the variable that says the same, and what is so without either.',
    ...shared,
    ...[...helps].map(([name, help]) => commandText(name, help)),
  ].join('\n\n')}\n`;
}

/** What is used of the JSON Schema of the configuration file. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: { readonly [key: string]: Schema };
  readonly required?: readonly string[];
  readonly items?: Schema;
}

function typeOf({ type, items, maxItems, minimum, maximum }: Schema): string {
  if (type === 'array') return `list of ${items === undefined ? '' : typeOf(items)}, at most ${maxItems}`;
  if (type === 'integer') return `whole number, ${minimum} to ${maximum}`;
  return type === 'object' ? 'map' : 'text';
}

/** The flag and the variable that say the same as a key. */
const otherWays: { readonly [key: string]: string } = {
  skillsDirectory: '`--skills-dir`, `SKILLS_DIR`',
  'validation.target': '`validate --target`',
  'validation.export': '`export-to-db --validate`',
  'health.maxAge': '`status --max-age`',
};

/** What is so where no key says otherwise, and the schema does not tell. */
const defaults: { readonly [key: string]: string } = {
  skillsDirectory: '`skills`',
  'validation.export': '`warn`',
  ...Object.fromEntries(
    Object.entries(defaultLimits).map(([name, value]) => [
      `limits.${name}`,
      value % 1024 ? `${value}` : `${value / 1024 ** 2} MiB`,
    ]),
  ),
};

function keyRows(schema: Schema, above: string): readonly (readonly string[])[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = `${above}${name}`;
    const isRequired = schema.required?.includes(name) && above.endsWith('[].');
    const row = [
      code(key),
      typeOf(property),
      defaults[key] ?? (isRequired ? 'required' : property.type === 'array' ? 'empty' : 'none'),
      otherWays[key] ?? '',
      property.description ?? '',
    ];
    const inner = property.items ?? property;
    const rows = inner.properties ? keyRows(inner, `${key}${property.items ? '[]' : ''}.`) : [];
    return property.description === undefined ? rows : [row, ...rows];
  });
}

/** What each variable of the environment does. Those of libpq mean what they mean to psql. */
const variables: { readonly [name: string]: string } = {
  DATABASE_URL: 'The database, as `--database-url`. Also in `.env`.',
  SKILLS_DIR: 'The folder that holds the skills, as `--skills-dir`. Also in `.env`.',
  CI: 'Not empty, `0` or `false`: no embedded database by default; no progress.',
  NO_COLOR: 'Not empty: no colour.',
  FORCE_COLOR: 'Not empty: colour, also where no terminal is.',
  TERM: '`dumb`: no colour, no progress.',
  XDG_STATE_HOME:
    'Where the trash stands if the project stands in the skills directory; else `~/.local/state`.',
  GITHUB_ACTIONS: '`true`: annotations for problems.',
  GITHUB_STEP_SUMMARY: "The file of the job's summary.",
  GITHUB_WORKSPACE: 'The folder that annotations name files by.',
};

/** The variables that the program reads, as its source names them. */
export async function variablesRead(): Promise<readonly string[]> {
  const folder = path.join(projectRoot, 'src');
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const sources = await Promise.all(files.map((name) => readFile(path.join(folder, name), 'utf8')));
  const found = sources.flatMap((source) =>
    [
      ...source.matchAll(
        /\benv\[?'(\w+)'|\benv\.([A-Z]\w+)|'(PG[A-Z]{3,}(?:_[A-Z]+)?|DATABASE_URL|SKILLS_DIR)'/g,
      ),
    ].map(([, ...names]) => names.find((name) => name !== undefined) ?? ''),
  );
  // By the package that reads ~/.pgpass.
  return [...new Set([...found, 'PGPASSFILE'])].sort();
}

/** docs/reference/configuration.md. */
export async function configurationReference(): Promise<string> {
  const schema = z.toJSONSchema(configuration, { io: 'input' }) as Schema;
  const read = await variablesRead();
  const ofServers = read.filter((name) => name.startsWith('PG'));
  const refused = ['PGHOSTADDR', 'PGSERVICE'];
  const rows = read
    .filter((name) => !ofServers.includes(name))
    .map((name) => {
      const meaning = variables[name];
      if (meaning === undefined) throw new Error(`test/docs/reference.ts does not say what ${name} does`);
      return [code(name), meaning];
    });
  const list = (names: readonly string[]) => names.map(code).join(', ');
  return `${[
    '# Configuration',
    remake,
    'A flag wins over the environment, the environment over `.env`, `.env` over the configuration file.',
    '## The configuration file',
    '`skill-fleet.config.yaml`, `.yml` or `.json` in the project root, or what `--config` names. A key that is not below is a mistake, and named with its line.',
    table(['key', 'type', 'default', 'also', 'meaning'], keyRows(schema, '')),
    '## Variables',
    table(['variable', 'meaning'], rows),
    `What a URL of a server leaves out is taken from the variables that psql reads: ${list(ofServers.filter((name) => !refused.includes(name)))}. A URL without a host is refused where ${refused.map(code).join(' or ')} is set. See [connections](../guide/connections.md).`,
  ].join('\n\n')}\n`;
}
