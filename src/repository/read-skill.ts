// A skill as the database reads it, before it is stored: its document, and the category that it belongs to.

import { decodeDocument, parseDocument, type SkillDocument } from '../document/parse.ts';
import type { Outcome } from '../problem.ts';
import type { Reading } from '../replica.ts';
import { documentOf, type Entry, type Skill } from '../skill/skill.ts';
import { type CategoryChoice, inferCategory, type TaxonomyMapping } from '../taxonomy/infer.ts';
import type { KnownCategories } from '../taxonomy/known.ts';

/** A skill as the database reads it: its document, and the category that it belongs to. */
export interface ReadSkill {
  readonly entry: Entry;
  readonly document: SkillDocument;
  readonly category: CategoryChoice | null;
}

/** Reads the document of a skill, and finds its category. */
export function readSkill(
  skill: Skill,
  known: KnownCategories,
  mapping: TaxonomyMapping,
): Outcome<ReadSkill> {
  const entry = documentOf(skill);
  const place = { skill: skill.path, file: entry.path };
  const text = decodeDocument(entry.bytes, place);
  if (!text.ok) return text;
  const document = parseDocument(text.value, place);
  if (!document.ok) return document;
  const category = inferCategory({ path: skill.path, ...document.value.fields }, known, mapping);
  return { ok: true, value: { entry, document: document.value, category } };
}

/** What people are told of it. */
export function readingOf({ document, category }: ReadSkill): Reading {
  return {
    category: category && { path: category.path, reason: category.reason, creates: category.creates },
    warnings: document.warnings,
  };
}

/** Tells what people are told of a skill. One that cannot be read has no category and no warnings. */
export function readerOf(known: KnownCategories, mapping: TaxonomyMapping): (skill: Skill) => Reading {
  return (skill) => {
    const read = readSkill(skill, known, mapping);
    return read.ok ? readingOf(read.value) : { category: null, warnings: [] };
  };
}
