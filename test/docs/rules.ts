// What docs/rules says of each rule that the table of rules knows; why it is one is written by hand below.

import {
  defaultSetting,
  isFixableRule,
  type RuleName,
  ruleNames,
  rules,
  settings,
  sources,
  targets,
} from '../../src/validation/rules.ts';

const remake = '<!-- Made as far as the next heading by: WRITE_REFERENCE=1 npx vitest run test/docs -->';

/** Where the part begins that is written by hand. */
const byHand = { page: '\n## Why\n', index: '\n## Differences from the reference validator\n' };

/** The page with its first part made anew. */
export function rulePage(rule: RuleName, page: string): string {
  const { about, remedy, sources: from } = rules[rule];
  const rows = settings.flatMap((setting) => {
    const those = targets.filter((target) => defaultSetting(rule, target) === setting);
    return those.length === 0
      ? []
      : [`| ${setting} | ${those.map((target) => `\`${target}\``).join(', ')} |`];
  });
  const head = [
    `# ${rule}`,
    remake,
    `Finds ${about}.`,
    ['| severity | under the target |', '|---|---|', ...rows].join('\n'),
    `What to do: ${remedy.replace(/[<>]/g, '\\$&')}`,
    ...(isFixableRule(rule) ? [`With \`--fix\`: ${rules[rule].fix}`] : []),
    `From: ${from.map((source) => `[${source}](${sources[source]})`).join(', ')}.`,
    'For all skills, in `skill-fleet.config.yaml`:',
    `\`\`\`yaml\nvalidation:\n  rules:\n    ${rule}: off\n\`\`\``,
    'For one skill, in the body of its document:',
    `\`\`\`markdown\n<!-- skill-fleet-disable ${rule}: reason -->\n\`\`\``,
  ].join('\n\n');
  return joined(head, page, byHand.page);
}

/** docs/rules/README.md with its first part made anew. */
export function rulesIndex(page: string): string {
  const rows = ruleNames.map((rule) => {
    const others = targets
      .filter((target) => defaultSetting(rule, target) !== defaultSetting(rule, 'spec'))
      .map((target) => `${target}: ${defaultSetting(rule, target)}`);
    const fix = isFixableRule(rule) ? 'yes' : '';
    return `| [${rule}](${rule}.md) | ${rules[rule].about} | ${defaultSetting(rule, 'spec')} | ${others.join(', ')} | ${fix} |`;
  });
  const head = [
    '# Rules',
    remake,
    'What `skill-fleet validate` looks for. How severe each rule is hangs on the target, which `--target` or `validation.target` names, and on the [configuration](../reference/configuration.md).',
    '`skill-fleet validate --fix` mends by itself what of the marked rules needs no person; each page says what that is. Errors and warnings are mended, notes where the configuration makes more of them. No other byte of a file changes, and no other value of a document. `--fix --dry-run` shows the differences, writes nothing, and exits as `--fix` would: by what it would leave. To have a check fail on what could be mended, run `validate` without it.',
    ['| rule | finds | under `spec` | elsewhere | `--fix` |', '|---|---|---|---|---|', ...rows].join('\n'),
  ].join('\n\n');
  return joined(head, page, byHand.index);
}

function joined(head: string, page: string, mark: string): string {
  const at = page.indexOf(mark);
  if (at === -1) throw new Error(`no heading: ${mark.trim()}`);
  return `${head}\n${page.slice(at)}`;
}
