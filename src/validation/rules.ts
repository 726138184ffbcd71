// Every rule of validate: what it says of a skill, what to do, how severe it is for whom, and where it comes from.

/** Whom the skills are for: the specification's text, or one program that reads them. */
export const targets = [
  'spec',
  'skill-fleet',
  'claude-code',
  'claude-api',
  'codex',
  'copilot',
  'openclaw',
] as const;

export type Target = (typeof targets)[number];

export const severities = ['error', 'warn', 'info'] as const;

export type Severity = (typeof severities)[number];

/** What a rule may be set to. */
export const settings = ['off', ...severities] as const;

export type Setting = (typeof settings)[number];

/** What an export does about what is found in the skills that it sends: nothing, tell it, or refuse errors. */
export const exportLevels = ['off', 'warn', 'error'] as const;

export type ExportLevel = (typeof exportLevels)[number];

/** Where rules come from, by the name that the table has for it. */
export const sources = {
  specification: 'https://agentskills.io/specification',
  'reference validator': 'https://github.com/agentskills/agentskills/tree/main/skills-ref',
  'Claude Code': 'https://code.claude.com/docs/en/skills',
  'Claude API': 'https://platform.claude.com/docs/en/build-with-claude/skills-guide',
  'Claude best practices': 'https://platform.claude.com/docs/en/agents-and-tools/agent-skills/best-practices',
  Codex: 'https://github.com/openai/codex/blob/main/codex-rs/core-skills/src/loader.rs',
  Copilot: 'https://code.visualstudio.com/docs/agent-customization/agent-skills',
  OpenClaw: 'https://docs.openclaw.ai/tools/skills',
  YAML: 'https://yaml.org/spec/1.2.2/',
  'skill-fleet': '../reference/skill-files.md',
} as const;

export type Source = keyof typeof sources;

interface Definition {
  /** What is found, in half a sentence: for lists of rules. */
  readonly about: string;
  readonly severity: Setting;
  /** Where a target sees it otherwise. */
  readonly targets?: Partial<Readonly<Record<Target, Setting>>>;
  readonly sources: readonly Source[];
  /** What is wrong, from what this finding tells. */
  readonly what: (details: never) => string;
  readonly remedy: string;
  /** What `--fix` does of it by itself, and what it leaves. */
  readonly fix?: string;
}

interface OfField {
  /** As the document spells it; a key of the `metadata:` map is `metadata.key`. */
  readonly field: string;
}

interface OfText {
  readonly text: string;
}

interface OfLength {
  readonly length: number;
  readonly limit: number;
}

const quoted = (text: string) => JSON.stringify(text);

/** All rules, in the order in which they are documented. */
export const rules = {
  // ---- what the specification asks ----
  'skill-not-readable': {
    about: 'a skill, or its document, that cannot be read',
    severity: 'error',
    sources: ['specification', 'skill-fleet'],
    what: (_: OfText) => _.text,
    remedy: 'Mend what keeps it from being read; until then no other rule is asked.',
  },
  'document-name': {
    about: 'a document that is not named SKILL.md',
    severity: 'error',
    sources: ['specification', 'Codex', 'Copilot'],
    what: (_: OfText) => `the document is named ${quoted(_.text)}, which only some readers look for`,
    remedy: 'Rename it to SKILL.md.',
    fix: 'Renames it to SKILL.md, unless something links to it by its old name.',
  },
  'byte-order-mark': {
    about: 'a byte order mark before the frontmatter',
    severity: 'error',
    targets: { 'skill-fleet': 'warn' },
    sources: ['reference validator'],
    what: (_: object) =>
      'a byte order mark stands before the frontmatter, which many readers then do not see',
    remedy: 'Save the file as UTF-8 without a byte order mark.',
    fix: 'Removes it.',
  },
  'frontmatter-missing': {
    about: 'a document that does not begin with frontmatter',
    severity: 'error',
    targets: { 'skill-fleet': 'warn', 'claude-code': 'warn' },
    sources: ['specification'],
    what: (_: { why: string }) => _.why,
    remedy: 'Begin the document with a line of ---, name and description, and a line of ---.',
  },
  'frontmatter-not-yaml': {
    about: 'frontmatter that strict YAML readers refuse',
    severity: 'error',
    targets: { 'skill-fleet': 'warn', openclaw: 'warn' },
    sources: ['specification', 'YAML'],
    what: (_: { why: string }) => `the frontmatter is no valid YAML: ${_.why}`,
    remedy: 'Quote the value that stands here, or correct its indentation.',
  },
  'duplicate-key': {
    about: 'a key that stands twice in one map',
    severity: 'error',
    sources: ['YAML', 'reference validator'],
    what: (_: OfField) => `${_.field} stands more than once, and readers differ in which one counts`,
    remedy: 'Keep one of them.',
  },
  'yaml-not-plain': {
    about: 'YAML that the reference validator does not read: {…}, […], anchors, aliases and tags',
    severity: 'info',
    sources: ['reference validator'],
    what: (_: OfField & { form: string }) =>
      `${_.field} is written with ${_.form}, which the reference validator refuses`,
    remedy: 'Write it as indented lines.',
    fix: 'Writes lists and maps in brackets as indented lines, each value as it was written. Left are empty ones, those with a comment in them, metadata in braces with maps in it, as skills for OpenClaw have it, and anchors, aliases and tags.',
  },
  'dashes-in-frontmatter': {
    about: '--- within a value of the frontmatter',
    severity: 'warn',
    sources: ['reference validator'],
    what: (_: object) => '--- stands within the frontmatter, where simple readers take it for its end',
    remedy: 'Write another dash.',
  },
  'name-missing': {
    about: 'a document without a name',
    severity: 'error',
    targets: { 'skill-fleet': 'warn', 'claude-code': 'info', codex: 'warn', openclaw: 'warn' },
    sources: ['specification', 'Claude Code', 'Codex', 'OpenClaw'],
    what: (_: object) => 'the skill has no name',
    remedy: "Write name, with the folder's name.",
    fix: "Writes the folder's name, where that is one that the specification allows.",
  },
  'name-format': {
    about: 'a name that is not made of a-z, 0-9 and single hyphens between them',
    severity: 'error',
    targets: { 'skill-fleet': 'warn', codex: 'warn', openclaw: 'warn' },
    sources: ['specification', 'Claude API', 'Copilot'],
    what: (_: OfText & { why: string }) => `the name ${quoted(_.text)} ${_.why}`,
    remedy: 'Write the name with a-z, 0-9, and single hyphens between them.',
  },
  'name-not-ascii': {
    about: 'a name with letters or digits other than a-z and 0-9',
    severity: 'warn',
    targets: { 'claude-api': 'error', copilot: 'error' },
    sources: ['specification', 'reference validator', 'Claude API', 'Copilot'],
    what: (_: OfText) =>
      `the name ${quoted(_.text)} has letters other than a-z, which not every reader takes`,
    remedy: 'Write the name with a-z, 0-9, and single hyphens between them.',
  },
  'name-too-long': {
    about: 'a name longer than 64 characters',
    severity: 'error',
    sources: ['specification', 'Codex', 'Copilot', 'Claude API'],
    what: (_: OfLength) => `the name has ${_.length} characters, more than ${_.limit}`,
    remedy: 'Shorten the name, and the folder with it.',
  },
  'name-differs-from-folder': {
    about: "a name that is not the folder's",
    severity: 'error',
    targets: {
      'skill-fleet': 'warn',
      'claude-code': 'warn',
      'claude-api': 'warn',
      codex: 'info',
      openclaw: 'info',
    },
    sources: ['specification', 'Copilot', 'OpenClaw'],
    what: (_: OfText & { folder: string }) =>
      `the name ${quoted(_.text)} is not the folder's, ${quoted(_.folder)}`,
    remedy: 'Rename the folder, or write its name.',
    fix: "Writes the folder's name, where that is one that the specification allows. Skills that name this one by its old name have to be changed by hand.",
  },
  'name-reserved': {
    about: 'a name that holds a reserved word',
    severity: 'off',
    targets: { 'claude-api': 'error' },
    sources: ['Claude API'],
    what: (_: OfText & { word: string }) =>
      `the name ${quoted(_.text)} holds the reserved word ${quoted(_.word)}`,
    remedy: 'Choose a name without it.',
  },
  'description-missing': {
    about: 'a document without a description',
    severity: 'error',
    targets: { 'claude-code': 'warn' },
    sources: ['specification', 'Claude Code'],
    what: (_: object) => 'the skill has no description, by which agents choose it',
    remedy: 'Write description: what the skill does, and when to use it.',
  },
  'description-too-long': {
    about: 'a description longer than 1,024 characters',
    severity: 'error',
    sources: ['specification', 'Claude API', 'Codex', 'Copilot'],
    what: (_: OfLength) => `the description has ${_.length} characters, more than ${_.limit}`,
    remedy: 'Say in it what the skill does and when to use it, and the rest in the body.',
  },
  'description-holds-tags': {
    about: 'angle brackets in a description',
    severity: 'off',
    targets: { 'claude-api': 'error' },
    sources: ['Claude API'],
    what: (_: object) => 'the description holds angle brackets, and may hold no XML tags',
    remedy: 'Write it without < and >.',
  },
  'compatibility-length': {
    about: 'a compatibility that is empty or longer than 500 characters',
    severity: 'error',
    sources: ['specification'],
    what: (_: OfLength) => `compatibility has ${_.length} characters, and may have 1 to ${_.limit}`,
    remedy: 'Say in a sentence what the skill needs, or leave the field out.',
  },
  'field-not-text': {
    about: 'a list or a map where a text belongs',
    severity: 'error',
    sources: ['specification'],
    what: (_: OfField & { kind: string }) => `${_.field} is ${_.kind}, and has to be a text`,
    remedy: 'Write it as one text.',
  },
  'field-not-quoted': {
    about: 'a number, true or false where a text belongs',
    severity: 'warn',
    sources: ['specification', 'reference validator', 'YAML'],
    what: (_: OfField & OfText) => `${_.field} is ${_.text}, which is no text to readers of YAML`,
    remedy: 'Put it into quotes.',
    fix: 'Puts it into double quotes, as it is written: 1.10 becomes "1.10".',
  },
  'metadata-not-a-map': {
    about: 'a metadata that is no map',
    severity: 'error',
    targets: { openclaw: 'off' },
    sources: ['specification'],
    what: (_: { kind: string }) => `metadata is ${_.kind}, and has to be a map of texts`,
    remedy: 'Write one "key: text" a line below metadata.',
  },
  'metadata-value-nested': {
    about: 'a list, a map or nothing as a value in metadata',
    severity: 'error',
    targets: { 'skill-fleet': 'off', 'claude-code': 'off', codex: 'off', copilot: 'warn', openclaw: 'off' },
    sources: ['specification', 'OpenClaw', 'skill-fleet'],
    what: (_: OfField & { kind: string }) => `${_.field} is ${_.kind}, and has to be a text`,
    remedy: 'Write a list as one text, with commas.',
  },
  'metadata-value-not-quoted': {
    about: 'a number, true or false as a value in metadata',
    severity: 'warn',
    targets: { 'claude-code': 'off', codex: 'off', openclaw: 'off' },
    sources: ['specification', 'reference validator', 'YAML'],
    what: (_: OfField & OfText) => `${_.field} is ${_.text}, which is no text to readers of YAML`,
    remedy: 'Put it into quotes.',
    fix: 'Puts it into double quotes, as it is written: 1.10 becomes "1.10".',
  },
  'allowed-tools-list': {
    about: 'an allowed-tools that is a list',
    severity: 'error',
    targets: { 'skill-fleet': 'off', 'claude-code': 'off', codex: 'off', openclaw: 'off' },
    sources: ['specification', 'Claude Code'],
    what: (_: object) => 'allowed-tools is a list, and has to be one text',
    remedy: 'Write the tools on one line, with spaces between them.',
    fix: 'Writes them as one text with spaces. Left are lists with a comment in them, and tools that would not stay one: those with a space outside of parentheses.',
  },
  'allowed-tools-commas': {
    about: 'an allowed-tools with commas between the tools',
    severity: 'warn',
    targets: { 'skill-fleet': 'off', 'claude-code': 'off', codex: 'off', openclaw: 'off' },
    sources: ['specification', 'Claude Code'],
    what: (_: object) => 'allowed-tools has commas between the tools, and not every reader takes those',
    remedy: 'Write spaces between the tools.',
    fix: 'Writes spaces for the commas between the tools; those within parentheses stay.',
  },
  'unknown-field': {
    about: 'a field that the target does not know',
    severity: 'error',
    targets: {
      'skill-fleet': 'warn',
      'claude-code': 'warn',
      codex: 'info',
      copilot: 'warn',
      openclaw: 'info',
    },
    sources: ['specification', 'Claude Code', 'Claude API', 'Copilot', 'OpenClaw', 'skill-fleet'],
    what: (_: OfField & { target: Target; elsewhere: readonly Target[] }) =>
      `${_.target === 'spec' ? 'the specification' : _.target} has no field ${quoted(_.field)}` +
      (_.elsewhere.length === 0 ? '' : `; these have: ${_.elsewhere.join(', ')}`),
    remedy: 'Move it below metadata, or choose the target that the skill is for.',
  },
  'field-read-leniently': {
    about: 'a field of which the database would not hold what the document says',
    severity: 'off',
    targets: { 'skill-fleet': 'warn' },
    sources: ['skill-fleet'],
    what: (_: OfText) => _.text,
    remedy: 'Write what docs/reference/skill-files.md says of that field.',
  },
  'skill-too-large': {
    about: 'a skill larger than can be uploaded',
    severity: 'off',
    targets: { 'claude-api': 'error' },
    sources: ['Claude API'],
    what: (_: { bytes: number; limit: number }) => `the skill has ${_.bytes} bytes, more than ${_.limit}`,
    remedy: 'Leave out what the agent does not need.',
  },

  // ---- practice: one skill ----
  'description-without-when': {
    about: 'a description that does not say when to use the skill',
    severity: 'warn',
    sources: ['specification', 'Claude best practices'],
    what: (_: object) => 'the description does not say when to use the skill',
    remedy: 'Add what the user asks or the task holds when it applies: "Use when …".',
  },
  'body-empty': {
    about: 'a document without instructions',
    severity: 'warn',
    sources: ['specification'],
    what: (_: object) => 'no instructions follow the frontmatter',
    remedy: 'Write what the agent is to do.',
  },
  'body-too-many-lines': {
    about: 'a body of more than 500 lines',
    severity: 'warn',
    sources: ['specification', 'Claude best practices'],
    what: (_: OfLength) => `the body has ${_.length} lines, more than ${_.limit}`,
    remedy: 'Move what is seldom needed into files that the body links to.',
  },
  'body-too-many-tokens': {
    about: 'a body of more than 5,000 tokens, as estimated',
    severity: 'warn',
    sources: ['specification'],
    what: (_: OfLength) => `the body has about ${_.length} tokens, more than ${_.limit}`,
    remedy: 'Move what is seldom needed into files that the body links to.',
  },
  'link-not-found': {
    about: 'a relative link to a file that is not there',
    severity: 'warn',
    sources: ['specification'],
    what: (_: { link: string }) => `the link ${quoted(_.link)} leads to no file of the skill`,
    remedy: 'Correct the link, or add the file.',
  },
  'link-leads-outside': {
    about: "a relative link to something outside the skill's folder",
    severity: 'info',
    sources: ['specification'],
    what: (_: { link: string }) =>
      `the link ${quoted(_.link)} leads out of the skill, which may be installed alone`,
    remedy: 'Bring the file into the skill, or name the other skill in words.',
  },
  'script-not-executable': {
    about: 'a script with a #! line that is not executable',
    severity: 'warn',
    sources: ['specification'],
    what: (_: object) => 'the script begins with #! and is not executable',
    remedy: 'Set its bit: chmod +x FILE, and in git: git update-index --chmod=+x FILE.',
    fix: 'Sets the bit. Git is not asked to.',
  },
  'script-without-shebang': {
    about: 'an executable text file without a #! line',
    severity: 'warn',
    sources: ['specification'],
    what: (_: object) => 'the file is executable and does not begin with #!',
    remedy: 'Begin it with #!/usr/bin/env and the program, or clear the bit: chmod -x FILE.',
  },
  'file-not-mentioned': {
    about: 'a file that nothing in the skill mentions',
    severity: 'info',
    sources: ['specification'],
    what: (_: object) => 'nothing in the skill mentions this file, so no agent will open it',
    remedy: 'Say in SKILL.md what it is for, or remove it.',
  },
  'secret-likely': {
    about: 'what looks like a key or a token',
    severity: 'error',
    sources: ['skill-fleet'],
    what: (_: { kind: string }) => `this looks like ${_.kind}`,
    remedy:
      'Take it out and have it revoked: it may be in the history already. An example needs placeholders.',
  },
  'machine-path': {
    about: "a path in somebody's home folder",
    severity: 'warn',
    sources: ['specification'],
    what: (_: { path: string }) => `${quoted(_.path)} is a path on one machine`,
    remedy: "Write it relative to the skill's folder, or with ~ or a variable.",
  },
  'line-endings-mixed': {
    about: 'a text with both kinds of line endings',
    severity: 'warn',
    sources: ['skill-fleet'],
    what: (_: { lf: number; crlf: number }) => `${_.crlf} lines end with CRLF, ${_.lf} with LF alone`,
    remedy: 'Save it with one kind of line endings.',
    fix: 'Makes them as most are, or LF where as many are either. Left are patches, scripts that begin with #! and mostly have CRLF, and texts that are not UTF-8.',
  },

  // ---- practice: the library ----
  'name-duplicate': {
    about: 'a name that another skill of the library has too',
    severity: 'warn',
    sources: ['OpenClaw', 'Copilot'],
    what: (_: OfText & { other: string }) =>
      `the name ${quoted(_.text)} is that of ${_.other} too, and some readers keep one of them`,
    remedy: 'Rename one of them.',
  },
  'names-collide': {
    about: 'two names that are one where letter case does not count',
    severity: 'error',
    sources: ['skill-fleet'],
    what: (_: OfText) => _.text,
    remedy: 'Rename one of them.',
  },
  'dependency-not-found': {
    about: 'a dependency on a skill that is not in the library',
    severity: 'warn',
    sources: ['skill-fleet'],
    what: (_: { target: string }) => `the dependency ${quoted(_.target)} is no skill of this library`,
    remedy: "Write the other skill's path, alias or name, or add the skill.",
  },
  'reference-not-found': {
    about: 'a reference to a skill that is not in the library',
    severity: 'warn',
    sources: ['skill-fleet'],
    what: (_: { target: string }) => `the reference ${quoted(_.target)} is no skill of this library`,
    remedy: "Write the other skill's path, alias or name, or add the skill.",
  },
  'dependency-cycle': {
    about: 'skills that depend on one another in a circle',
    severity: 'warn',
    sources: ['skill-fleet'],
    what: (_: { cycle: readonly string[] }) => `it depends on itself: ${_.cycle.join(' → ')}`,
    remedy: 'Turn one of these dependencies into a reference.',
  },

  // ---- disabling rules in a document ----
  'disable-unknown-rule': {
    about: 'a comment that disables a rule that does not exist',
    severity: 'warn',
    sources: ['skill-fleet'],
    what: (_: OfText & { nearest: string | undefined }) =>
      `there is no rule ${quoted(_.text)}${_.nearest === undefined ? '' : `; perhaps ${_.nearest} is meant`}`,
    remedy: 'Write the name of a rule, as a finding shows it.',
  },
  'disable-without-reason': {
    about: 'a comment that disables a rule and does not say why',
    severity: 'warn',
    sources: ['skill-fleet'],
    what: (_: OfText) => `${_.text} is disabled without a reason`,
    remedy: 'Write <!-- skill-fleet-disable RULE: reason -->.',
  },
  'disable-unused': {
    about: 'a comment that disables a rule that finds nothing',
    severity: 'warn',
    sources: ['skill-fleet'],
    what: (_: OfText) => `${_.text} is disabled, and finds nothing here`,
    remedy: 'Remove the comment.',
    fix: 'Removes the comment, and its line where nothing else stands in it. Left are comments about rules of the library as a whole.',
  },
} as const satisfies Record<string, Definition>;

type Rules = typeof rules;

export type RuleName = keyof Rules;

export const ruleNames = Object.keys(rules) as readonly RuleName[];

export function isRuleName(text: string): text is RuleName {
  return Object.hasOwn(rules, text);
}

/** The rules of which `--fix` mends some findings. */
export type FixableRule = {
  [R in RuleName]: Rules[R] extends { readonly fix: string } ? R : never;
}[RuleName];

export function isFixableRule(rule: RuleName): rule is FixableRule {
  return 'fix' in rules[rule];
}

/** Which details a rule's sentence needs. */
export type DetailsOf<R extends RuleName> = Parameters<Rules[R]['what']>[0];

/** How severe a rule is for a target where nobody says otherwise. */
export function defaultSetting(rule: RuleName, target: Target): Setting {
  const { severity, targets }: Definition = rules[rule];
  return targets?.[target] ?? severity;
}

/** The rule whose name is nearest to a text that is none; undefined where none is near. */
export function nearestRule(text: string): RuleName | undefined {
  const within = Math.min(3, Math.floor(text.length / 3));
  const near = ruleNames
    .filter((name) => Math.abs(name.length - text.length) <= within)
    .map((name) => ({ name, edits: editsBetween(name, text) }))
    .filter(({ edits }) => edits <= within);
  return near.sort((a, b) => a.edits - b.edits)[0]?.name;
}

/** How many characters have to be added, removed or replaced to make one text the other. */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 0; i < one.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < other.length; j++) {
      const replaced = (row[j] ?? 0) + (one[i] === other[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
