// What kind of file an attached file is, by where it stands: the database's readers ask for it.

/** A value of `file_type_enum`. */
export type FileType = 'reference' | 'guide' | 'template' | 'script' | 'example' | 'asset' | 'test';

/** First hit wins: a folder's name says more than an extension. */
const rules: readonly (readonly [pattern: RegExp, type: FileType])[] = [
  [/(^|\/)(tests?|spec|__tests__)\//i, 'test'],
  [/(^|\/)(scripts?|bin|hooks)\//i, 'script'],
  [/(^|\/)templates?\//i, 'template'],
  [/(^|\/)examples?\//i, 'example'],
  [/(^|\/)(assets?|images?|static)\//i, 'asset'],
  [/(^|\/)guides?\//i, 'guide'],
  [/(^|\/)(references?|docs?)\//i, 'reference'],
  [/(^|[./_-])(test|spec)\.[^/.]+$/i, 'test'],
  [/\.(sh|bash|py|js|mjs|cjs|ts|rb|pl|ps1|go|rs)$/i, 'script'],
  [/\.(md|mdx|txt|rst|pdf|html?)$/i, 'reference'],
];

/** The type of the attached file at `path`; `asset` where nothing tells. */
export function fileType(path: string): FileType {
  return rules.find(([pattern]) => pattern.test(path))?.[1] ?? 'asset';
}
