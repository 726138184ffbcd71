// What docs/reference/skill-files.md says of files: keys, their values and limits, as the parser and the scanner have them.

import { builtIn, ignoreFileName, never, secret } from '../../src/directory/ignore.ts';
import { defaultLimits } from '../../src/directory/limits.ts';
import {
  dependencyTypes,
  type Fields,
  limits,
  loadPriorities,
  silentFields,
  skillStyles,
  skillTypes,
  weights,
} from '../../src/document/fields.ts';
import {
  isMetadataField,
  type KeyField,
  keysOf,
  metadataKeys,
  topLevelKeys,
} from '../../src/document/keys.ts';
import { statuses } from '../../src/skill/status.ts';

/** What the value of each field is, and where SQL finds it. */
const fields: { readonly [F in KeyField]: readonly [value: string, column: string] } = {
  name: [atMost(limits.name), '`skills.name`'],
  description: ['text', '`skills.description`'],
  allowedTools: [
    `list, or text separated by blanks or commas; ${each(limits.tool)}`,
    '`skill_allowed_tools`',
  ],
  version: [atMost(limits.version), '`skills.version`'],
  type: [choices(skillTypes), '`skills.type`'],
  weight: [choices(weights), '`skills.weight`'],
  loadPriority: [choices(loadPriorities), '`skills.load_priority`'],
  status: [choices(statuses), '`skills.status`'],
  skillStyle: [choices(skillStyles), '`skills.skill_style`'],
  scope: ['text', '`skills.scope`'],
  category: [`path of a category, ${atMost(limits.category)}`, '`skill_categories`'],
  keywords: [`list, or text separated by commas; ${each(limits.keyword)}`, '`skill_keywords`'],
  tags: [`list, or text separated by commas; ${each(limits.tag)}`, '`skill_tags`'],
  capabilities: [
    `list of \`Name: text\`; a name of ${limits.capabilityName} characters at most`,
    '`capabilities`',
  ],
  dependencies: [
    `list of skills, by path, alias or name; or of maps \`path\`, \`type\` (${choices(dependencyTypes)}), \`justification\`; or a map of types`,
    '`skill_dependencies`',
  ],
  references: ['list of skills; or of maps `path`, `type`', '`skill_references`'],
  aliases: [`list of paths, ${each(limits.alias)}`, '`skill_aliases`'],
  facets: ['map of keys, each with a value or a list of values', '`skill_facets`'],
};

function atMost(characters: number): string {
  return `text, ${characters} characters at most`;
}

function each(characters: number): string {
  return `${characters} characters each`;
}

function choices(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(', ');
}

/** What a document that is silent about a field says. */
function silence(field: KeyField): string {
  if (field === 'name') return "the folder's name";
  const value: Fields[keyof Fields] = silentFields[field];
  return typeof value === 'string' && value !== '' ? `\`${value}\`` : 'none';
}

function row(field: KeyField): string {
  const [value, column] = fields[field];
  const keys = keysOf(field).map((key) => `\`${key}\``);
  return `| ${keys.join(' or ')} | ${value} | ${silence(field)} | ${column} |`;
}

function size(bytes: number): string {
  return `${bytes / 1024 / 1024} MiB`;
}

const head = '| key | value | where it is silent | in SQL |\n|---|---|---|---|';

/** A document that says something under every key. */
export const example = `---
name: docker-images
description: Builds small images. Use when an image is large.
license: MIT
allowed-tools: Bash(docker:*) Read
metadata:
  version: "1.2.0"
  type: technical
  weight: lightweight
  load_priority: on_demand
  status: active
  skill_style: comprehensive
  scope: containers
  category: operations/deployment/docker
  keywords: dockerfile, build cache
  tags: [docker, containers]
  dependencies:
    - path: operations/deployment/registry
      type: recommended
      justification: Images go there.
  see_also: operations/deployment/kubernetes
  aliases: [ops/docker]
  facets:
    platform: [linux, macos]
---

# Docker images

## Capabilities

- **Multi-stage builds**: keeps compilers out of the image.
`;

export function skillFilesReference(): string {
  const top = Object.keys(topLevelKeys) as KeyField[];
  const metadata = (Object.keys(metadataKeys) as KeyField[]).filter(isMetadataField);
  return `# The files

<!-- Made by: WRITE_REFERENCE=1 npx vitest run test/docs -->

## A skill

A folder with a \`SKILL.md\`, in any case of its letters, and every file below it that no nested skill owns and no rule leaves
out. Its path is the folder's, relative to the skills directory. Loose files outside of any skill are nobody's: a sync
leaves them alone.

\`\`\`markdown
${example}\`\`\`

Files are kept byte for byte, with the executable bit. Times, owners and other bits are not kept; links are neither followed
nor stored nor removed, and empty folders are nothing.

## What is read of a document

Frontmatter is YAML between two lines \`---\`, the first of them at the very start of the file. Values are read as JSON has
them: no dates, no code. Nothing of what is read changes the file. What breaks a rule below is left out of the columns,
with a warning, and stays in the document. \`-\` and \`_\` in a key are the same.

At the top level:

${head}
${top.map(row).join('\n')}

In the map \`metadata\`; in older documents at the top level:

${head}
${metadata.map(row).join('\n')}

All other keys, \`license\` and \`compatibility\` among them, are in \`skills.extra\`. Capabilities are also read from items
\`- **Name**: text\` of the section \`## Capabilities\`. A document without frontmatter has its first paragraph as
description.

## Limits

| what | most |
|---|---|
| bytes of a \`SKILL.md\` | ${size(defaultLimits.documentBytes)}, \`limits.documentBytes\` |
| bytes of any other file | ${size(defaultLimits.fileBytes)}, \`limits.fileBytes\` |
| bytes of all files of a skill | ${size(defaultLimits.skillBytes)}, \`limits.skillBytes\` |
| files of a skill | ${defaultLimits.filesPerSkill}, \`limits.filesPerSkill\` |
| folders below one another | ${defaultLimits.depth} |
| files and folders in the skills directory | ${defaultLimits.entries} |

Names in \`limits\` are keys of the [configuration](configuration.md). A document has to be UTF-8 without a NUL, and its
text has to fit PostgreSQL's index of words (1 MiB of them).

## What is not synced

Rules are in gitignore's syntax. They stand in \`${ignoreFileName}\` in any folder, and under \`ignore\` in the configuration.
The last rule that fits decides; \`!\` brings back. As in git, a rule does not reach what the database already holds.

Built in:

\`\`\`text
${builtIn.map(shown).join('\n')}
\`\`\`

Looks like a secret, and is named in a notice:

\`\`\`text
${secret.map(shown).join('\n')}
\`\`\`

Never, whatever a rule says:

\`\`\`text
${never.join('\n')}
\`\`\`

## What skill-fleet keeps for itself

| where | what |
|---|---|
| \`.skill-fleet/bases/\` in the project root | what both sides agreed on, a JSON file for each skills directory and database. Without it the history tells |
| \`.skill-fleet/scans/\` | what skills held when they were last read, so that what did not change is not read again. Without it they are |
| \`.skill-fleet/trash/\` | deleted files, for 30 days |
| \`.skill-fleet/db\` | the embedded database, where no other is named |
| \`.skill-fleet-lock.*\` in the skills directory | who writes there now |
| \`.skill-fleet-journal\` in the skills directory | what a run is about to put in place; the next run finishes it |
| \`.skill-fleet-*\` beside a file | its new content, until it is renamed into place |

\`.skill-fleet/\` ignores itself for git. What it holds can be deleted while nothing runs, except for the database. Leave the
journal: the next run needs it.
`;
}

/** A rule as a line of an ignore file; control characters escaped. */
function shown(rule: string): string {
  return rule.replace('\r', '\\r');
}
