import path from 'node:path';
import fastGlob from 'fast-glob';
import { describe, expect, test } from 'vitest';
import { decodeDocument, parseDocument } from '../../src/document/parse.ts';
import type { FilePath, SkillPath } from '../../src/skill/path.ts';
import { temporaryFolder } from '../folders.ts';

interface GeneratedFile {
  readonly path: FilePath;
  readonly bytes: Buffer;
  readonly executable: boolean;
}
interface GeneratedSkill {
  readonly path: SkillPath;
  readonly files: readonly GeneratedFile[];
}
interface Generator {
  readonly Library: new (options?: {
    readonly seed?: number;
    readonly relations?: boolean;
  }) => { skills(count: number): Iterable<GeneratedSkill> };
  writeLibrary(
    folder: string,
    skills: Iterable<GeneratedSkill>,
  ): { skills: number; files: number; bytes: number };
}

const { Library, writeLibrary }: Generator = await import(
  path.join(import.meta.dirname, '../../bench/generate.mjs')
);
const skillsOf = (count: number, options?: { readonly seed?: number; readonly relations?: boolean }) => [
  ...new Library(options).skills(count),
];

describe('a generated library', () => {
  const skills = skillsOf(1000);
  const documents = skills.flatMap(({ files }) => files.slice(0, 1));
  const attached = skills.flatMap(({ files }) => files.slice(1));

  test('is the same for the same seed, and another one for another seed', () => {
    const some = textOf(skills.slice(0, 50));
    expect(textOf(skillsOf(50))).toBe(some);
    expect(textOf(skillsOf(50, { seed: 2 }))).not.toBe(some);
  });

  test('has no two skills at one path, and no two files', () => {
    const places = skills.flatMap((skill) => skill.files.map((file) => `${skill.path}/${file.path}`));
    expect(new Set(skills.map((skill) => skill.path)).size).toBe(1000);
    expect(new Set(places).size).toBe(places.length);
  });

  test.each([
    ['the median of documents', median(documents.map(sizeOf)), 4500, 7500],
    ['the median of attached files', median(attached.map(sizeOf)), 2500, 4500],
    ['attached files', attached.length, 1500, 2300],
    ['skills without any', skills.filter(({ files }) => files.length === 1).length, 220, 320],
    ['other than ASCII', documents.filter(({ bytes }) => bytes.some((byte) => byte > 127)).length, 550, 800],
    ['CRLF', documents.filter(({ bytes }) => bytes.includes('\r\n')).length, 10, 50],
    ['no last line break', documents.filter(({ bytes }) => bytes.at(-1) !== 10).length, 25, 75],
    ['byte order marks', documents.filter(({ bytes }) => bytes[0] === 0xef).length, 1, 8],
    ['no frontmatter', documents.filter(({ bytes }) => !bytes.subarray(0, 6).includes('---')).length, 15, 55],
    ['executable', attached.filter(({ executable }) => executable).length, 1, 20],
    ['binary', attached.filter(({ path }) => path.endsWith('.png')).length, 1, 20],
    [
      'nested',
      skills.filter(({ path }) => skills.some((other) => path.startsWith(`${other.path}/`))).length,
      15,
      65,
    ],
  ])('has of public ones: %s', (_, found, least, most) => {
    expect(found).toBeGreaterThanOrEqual(least);
    expect(found).toBeLessThanOrEqual(most);
  });

  test.each([false, true])('has documents that can be understood, with relations: %s', (relations) => {
    for (const { path, files } of skillsOf(300, { relations })) {
      const place = { skill: path, file: files[0]?.path as FilePath };
      const text = decodeDocument(files[0]?.bytes ?? Buffer.alloc(0), place);
      expect(text.ok && parseDocument(text.value, place)).toMatchObject({ ok: true });
    }
  });

  test('is written as it was told', async () => {
    const folder = await temporaryFolder();
    const written = writeLibrary(folder, skills.slice(0, 20));
    const files = await fastGlob('**', { cwd: folder, stats: true, dot: true });
    expect(written).toEqual({
      skills: 20,
      files: files.length,
      bytes: files.reduce((sum, { stats }) => sum + (stats?.size ?? 0), 0),
    });
  });
});

function textOf(skills: readonly GeneratedSkill[]): string {
  return JSON.stringify(
    skills.map(({ path, files }) => [
      path,
      files.map((file) => ({ ...file, bytes: file.bytes.toString('latin1') })),
    ]),
  );
}

function sizeOf({ bytes }: GeneratedFile): number {
  return bytes.length;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
