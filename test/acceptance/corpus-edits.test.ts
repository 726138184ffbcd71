import { existsSync } from 'node:fs';
import { cp, readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeSides } from '../sync/sides.ts';
import { projectRoot } from './cli.ts';

const corpus = path.join(projectRoot, '../shared/corpus');
const skillCount = 50;

const target = `(select min(skill_id) from skills)`;
const others = `select skill_id from skills where skill_id <> ${target}`;

/** What another writer does to every skill, and the keys that may stand in the lines that change. */
const edits: readonly (readonly [sql: string, keys: readonly string[]])[] = [
  [`update skills set name = left(name, 55) || '-edited'`, ['name']],
  [`update skills set description = 'Edited: by "SQL" # yes'`, ['description']],
  [`update skills set version = '9.9.9'`, ['metadata', 'version']],
  [`update skills set type = 'memory'`, ['metadata', 'type']],
  [`update skills set weight = 'heavyweight'`, ['metadata', 'weight']],
  [`update skills set load_priority = 'always'`, ['metadata', 'load_priority']],
  [`update skills set status = 'deprecated'`, ['metadata', 'status']],
  [`update skills set skill_style = 'minimal'`, ['metadata', 'skill_style']],
  [`update skills set scope = 'everywhere'`, ['metadata', 'scope']],
  [`update skills set extra = extra || '{"license": "Edited"}'`, ['license']],
  [
    `insert into skill_keywords (skill_id, keyword) select skill_id, 'edited' from skills`,
    ['metadata', 'keywords'],
  ],
  [`insert into skill_tags (skill_id, tag) select skill_id, 'edited' from skills`, ['metadata', 'tags']],
  [
    `insert into capabilities (skill_id, name, description, sort_order) select skill_id, 'Edit', 'by SQL', 99 from skills`,
    ['metadata', 'capabilities', 'name', 'description'],
  ],
  [
    `insert into skill_dependencies (dependent_id, dependency_skill_id) select skill_id, ${target} from (${others}) o`,
    ['metadata', 'dependencies'],
  ],
  [
    `insert into skill_references (source_skill_id, target_skill_id) select skill_id, ${target} from (${others}) o`,
    ['metadata', 'see_also', 'references'],
  ],
  [
    `insert into skill_aliases (skill_id, alias_path) select skill_id, 'old/' || skill_id from skills`,
    ['metadata', 'aliases'],
  ],
  [
    `insert into skill_facets (skill_id, facet_key, facet_value) select skill_id, 'edited', 'yes' from skills`,
    ['metadata', 'facets', 'edited'],
  ],
  [
    `insert into skill_allowed_tools (skill_id, tool_name) select skill_id, 'Edited' from skills`,
    ['allowed-tools', 'allowed_tools'],
  ],
  [
    `update skill_categories set category_id = (select category_id from taxonomy_categories where path = 'data/ml')
     where is_primary`,
    ['metadata', 'category', 'taxonomy'],
  ],
];

/** The lines of one text that the other one lacks, the lines before and after being the same. */
function changedLines(
  old: string,
  now: string,
): { readonly removed: readonly string[]; readonly added: readonly string[] } {
  const [a, b] = [old.split('\n'), now.split('\n')];
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  return { removed: a.slice(start, a.length - end), added: b.slice(start, b.length - end) };
}

/** The keys that lines begin with: of the `metadata:` map only where it is concerned, else indented lines are text. */
function keysIn(lines: readonly string[], inMetadata: boolean): readonly string[] {
  const key = inMetadata ? /^\s*([A-Za-z][\w-]*):(?:\s|$)/ : /^([A-Za-z][\w-]*):(?:\s|$)/;
  return lines.flatMap((line) => key.exec(line)?.[1] ?? []);
}

describe.skipIf(!existsSync(corpus))('edits by SQL of every column and relation of fifty real skills', () => {
  test('change the lines of that value, and no other', async () => {
    const sides = await makeSides('postgres');
    const documents = (await readdir(corpus, { recursive: true }))
      .filter((name) => name.endsWith('/SKILL.md'))
      .sort();
    const step = Math.floor(documents.length / skillCount);
    const chosen = documents.filter((_, index) => index % step === 0).slice(0, skillCount);
    for (const [index, name] of chosen.entries()) {
      const { name: folder } = path.parse(path.dirname(name));
      await cp(path.join(corpus, name), path.join(sides.folder, `s${index}/${folder}/SKILL.md`));
    }
    expect((await sides.run('sync')).results).toHaveLength(skillCount);
    for (const [sql, keys] of edits) {
      const before = await sides.files();
      await sides.connection.query(sql);
      const { results, plan } = await sides.run('import');
      const edited = results.map(({ ok, change }) => ({ path: change.path, ok }));
      expect({ sql, problems: plan.problems, failed: edited.filter(({ ok }) => !ok) }).toEqual({
        sql,
        problems: [],
        failed: [],
      });
      expect(edited.length).toBeGreaterThanOrEqual(skillCount - 10);
      const after = await sides.files();
      for (const { path: skill } of edited) {
        const { removed, added } = changedLines(
          before[`${skill}/SKILL.md`] ?? '',
          after[`${skill}/SKILL.md`] ?? '',
        );
        // A document without frontmatter gets one, which also has to say what its first paragraph said.
        const isBare = !before[`${skill}/SKILL.md`]?.startsWith('---');
        const allowed = isBare ? [...keys, 'name', 'description'] : keys;
        const foreign = keysIn([...removed, ...added], keys.includes('metadata')).filter(
          (key) => !allowed.includes(key),
        );
        expect({ sql, skill, foreign, changed: added.length > 0 }).toEqual({
          sql,
          skill,
          foreign: [],
          changed: true,
        });
      }
      expect((await sides.run('sync')).words).toEqual([]);
    }
  });
});
