// The configuration file: YAML or JSON, checked as a whole, with the line of every mistake.

import {
  constructFromEvents,
  EVENT_ID,
  getScalarValue,
  JSON_SCHEMA,
  nullCoreTag,
  parseEvents,
  YAMLException,
  type Event as YamlEvent,
} from 'js-yaml';
import { z } from 'zod';
import { type Outcome, type Problem, refuse } from '../problem.ts';
import {
  exportLevels,
  isRuleName,
  nearestRule,
  type RuleName,
  settings,
  targets,
} from '../validation/rules.ts';

type Mistake = Problem<'configuration-not-valid'>['mistakes'][number];

/** So many mistakes are told at once. */
const maxMistakes = 8;

const text = z.string().trim().min(1).max(4096);
const limit = z
  .int()
  .min(1)
  .max(2 ** 31 - 1);
const glob = text.regex(/^[^/?{}[\]()!\\]+(?:\/[^/?{}[\]()!\\]+)*$/u, 'not a glob of folders, "*" and "**"');
const category = text.regex(/^[^/\p{Cc}]{1,128}(?:\/[^/\p{Cc}]{1,128}){0,31}$/u, 'not a category path');

// A record of all names would ask for every one of them.
const ruleSettings = z
  .record(z.string(), z.enum(settings))
  .superRefine((rules, context) => {
    for (const name of Object.keys(rules).filter((name) => !isRuleName(name))) {
      const nearest = nearestRule(name);
      const perhaps = nearest === undefined ? '' : `; perhaps ${nearest} is meant`;
      context.addIssue({ code: 'custom', path: [name], message: `there is no such rule${perhaps}` });
    }
  })
  .transform((rules) => rules as { readonly [rule in RuleName]?: (typeof settings)[number] });

/** All keys; docs/reference/configuration.md is made of it. */
export const configuration = z.strictObject({
  skillsDirectory: text.optional().describe('The folder that holds the skills, relative to this file.'),
  ignore: z
    .array(text)
    .max(1000)
    .default([])
    .describe("Patterns in gitignore's syntax, relative to the skills directory, of what is not synced."),
  limits: z
    .strictObject({
      documentBytes: limit.exactOptional().describe('The most bytes of a `SKILL.md`.'),
      fileBytes: limit.exactOptional().describe('The most bytes of any one file.'),
      skillBytes: limit.exactOptional().describe('The most bytes of all files of one skill.'),
      filesPerSkill: limit.exactOptional().describe('The most files of one skill.'),
    })
    .default({}),
  taxonomy: z
    .strictObject({
      mapping: z
        .array(
          z.strictObject({
            glob: glob.describe('Skill paths: `*` within a folder, `**` across folders.'),
            category: category.describe('The path of the category that those skills are given.'),
          }),
        )
        .max(1000)
        .describe('Which category a skill has whose document names none. The first glob that fits decides.'),
    })
    .default({ mapping: [] }),
  validation: z
    .strictObject({
      target: z
        .enum(targets)
        .exactOptional()
        .describe(`Whom the skills are for: ${targets.map((target) => `\`${target}\``).join(', ')}.`),
      rules: ruleSettings
        .default({})
        .describe(
          'How severe rules are, by name: `off`, `error`, `warn` or `info`. See [rules](../rules/README.md).',
        ),
      overrides: z
        .array(
          z.strictObject({
            paths: z
              .array(glob)
              .min(1)
              .max(1000)
              .describe('Skill paths: `*` within a folder, `**` across folders.'),
            rules: ruleSettings.describe('As `validation.rules`, for those skills.'),
          }),
        )
        .max(1000)
        .default([])
        .describe('What is otherwise for some skills. Of several that fit, the last one decides.'),
      export: z
        .enum(exportLevels)
        .exactOptional()
        .describe(
          'What `export-to-db` does about what is found in the skills that it sends: `off`, `warn` or `error`. See [rules](../rules/README.md#in-an-export).',
        ),
    })
    .default({ rules: {}, overrides: [] }),
  health: z
    .strictObject({
      maxAge: text
        .regex(/^\d{1,5}[dhm]$/, 'not how long, as 7d, 12h or 30m')
        .exactOptional()
        .describe('`status` is not healthy where the last good run is older: `7d`, `12h`, `30m`.'),
    })
    .default({}),
});

/** What a configuration file says; a silent one sets no limits and has no rules. */
export type ConfigurationFile = z.output<typeof configuration>;

type Path = readonly PropertyKey[];

/** Where the keys and list items of a document begin, by their paths: offsets into the text. */
function offsetsOf(events: readonly YamlEvent[], source: string): ReadonlyMap<string, number> {
  const offsets = new Map<string, number>();
  const open: { readonly path: Path; readonly isMap: boolean; next: PropertyKey | undefined }[] = [];
  for (const event of events) {
    const parent = open.at(-1);
    if (event.type === EVENT_ID.POP) {
      open.pop();
    } else if (event.type === EVENT_ID.DOCUMENT || parent === undefined) {
      open.push({ path: [], isMap: false, next: undefined });
    } else if (parent.isMap && parent.next === undefined && event.type === EVENT_ID.SCALAR) {
      parent.next = getScalarValue(source, event);
      offsets.set(JSON.stringify([...parent.path, parent.next]), event.valueStart);
    } else {
      const path = parent.next === undefined ? parent.path : [...parent.path, parent.next];
      if (typeof parent.next === 'number') offsets.set(JSON.stringify(path), startOf(event));
      parent.next = typeof parent.next === 'number' ? parent.next + 1 : undefined;
      if (event.type === EVENT_ID.MAPPING) open.push({ path, isMap: true, next: undefined });
      if (event.type === EVENT_ID.SEQUENCE) open.push({ path, isMap: false, next: 0 });
    }
  }
  return offsets;
}

/** Where a node begins; -1 for one that is empty. */
function startOf(event: YamlEvent): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart;
  return event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE ? event.start : -1;
}

/** The line of a path's own place, or of the nearest one around it, from 1. */
function lineOf(path: Path, offsets: ReadonlyMap<string, number>, source: string): number {
  for (let length = path.length; length > 0; length--) {
    const offset = offsets.get(JSON.stringify(path.slice(0, length))) ?? -1;
    if (offset >= 0) return source.slice(0, offset).split('\n').length;
  }
  return 1;
}

function mistakesOf(
  issue: z.core.$ZodIssue,
  offsets: ReadonlyMap<string, number>,
  source: string,
): readonly Mistake[] {
  const mistake = (path: Path, why: string): Mistake => ({
    line: lineOf(path, offsets, source),
    key: path.join('.'),
    why,
  });
  return issue.code === 'unrecognized_keys'
    ? issue.keys.map((key) => mistake([...issue.path, key], 'there is no such setting'))
    : [mistake(issue.path, issue.message)];
}

/**
 * Reads a configuration file's text; `file` is its name for people. Unknown keys are mistakes, so that a
 * misspelt one is not silently ignored, and YAML aliases too. Problem `configuration-not-valid`.
 */
export function parseConfigurationFile(source: string, file: string): Outcome<ConfigurationFile> {
  const notValid = (mistakes: readonly Mistake[]) =>
    refuse({ reason: 'configuration-not-valid', file, mistakes: mistakes.slice(0, maxMistakes) });
  try {
    const events = parseEvents(source, {});
    // Of null, the JSON schema knows only the word; `ignore:` with nothing after it would be a string.
    const schema = JSON_SCHEMA.withTags(nullCoreTag);
    const documents = constructFromEvents(events, { source, schema, maxAliases: 0 });
    if (documents.length > 1) return notValid([{ line: 1, key: '', why: 'more than one YAML document' }]);
    const checked = configuration.safeParse(documents[0] ?? {});
    if (checked.success) return { ok: true, value: checked.data };
    const offsets = offsetsOf(events, source);
    const mistakes = checked.error.issues.flatMap((issue) => mistakesOf(issue, offsets, source));
    return notValid(mistakes.sort((a, b) => a.line - b.line));
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return notValid([{ line: (error.mark?.line ?? 0) + 1, key: '', why: error.reason }]);
  }
}
