// What validate found, as SARIF 2.1.0, which code scanning on GitHub and other programs read.
//
// The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. What GitHub asks beside, and its limits:
// https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning

import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { shorten } from '../document/values.ts';
import { documentName } from '../skill/skill.ts';
import { pageOf } from '../validation/finding.ts';
import {
  defaultSetting,
  type RuleName,
  ruleNames,
  rules,
  type Severity,
  severities,
  sources,
  type Target,
} from '../validation/rules.ts';
import { counted } from './counted.ts';
import { realPath } from './github.ts';
import { printableJson } from './json.ts';
import { printableLine } from './terminal-text.ts';
import type { PlacedFinding } from './validation-text.ts';

/** Results that GitHub takes of a run; of more it takes none. */
export const maxResults = 25_000;

/**
 * Bytes of what results hold of their own. GitHub takes 10 MB compressed: what is the same from result to result
 * compresses to next to nothing, and this hardly does.
 */
export const maxOwnBytes = 8_000_000;

/** Characters of a sentence. */
const maxSentenceLength = 1000;

/** Bytes of a fingerprint. */
const fingerprintBytes = 16;

const levels = { error: 'error', warn: 'warning', info: 'note' } as const;

/** The name of the root of all paths, as GitHub's own programs have it. */
const rootName = '%SRCROOT%';

/** What a run's log says beside its findings. */
export interface SarifRun {
  readonly target: Target;
  /** Of this program. */
  readonly version: string;
  /** The URL below which its documentation is, where there is one. */
  readonly home: string | undefined;
  /** The folder that paths are relative to, without links. */
  readonly root: string;
  readonly exitCode: number;
}

/** Keeps findings for one log: where there are more than GitHub takes, the gravest, and of those the first. */
export class FindingsSarif {
  readonly #kept: Readonly<Record<Severity, PlacedFinding[]>> = { error: [], warn: [], info: [] };
  #count = 0;
  #bytes = 0;
  #leftOut = 0;

  add(findings: readonly PlacedFinding[]): void {
    for (const one of findings) {
      this.#kept[one.finding.severity].push(one);
      this.#count++;
      this.#bytes += ownBytes(one);
    }
    while (this.#count > maxResults || this.#bytes > maxOwnBytes) this.#leaveOut();
  }

  #leaveOut(): void {
    const last = severities.toReversed().find((severity) => this.#kept[severity].length > 0);
    const one = last && this.#kept[last].pop();
    if (one === undefined) throw new Error('more than nothing is too much, and there is nothing');
    this.#count--;
    this.#bytes -= ownBytes(one);
    this.#leftOut++;
  }

  /** The log, the gravest results first. */
  text(run: SarifRun): string {
    const { version, home, target, exitCode } = run;
    const invocation = {
      executionSuccessful: true,
      exitCode,
      ...(this.#leftOut > 0 && { toolExecutionNotifications: [leftOutNotification(this.#leftOut)] }),
    };
    const results = resultsOf(
      severities.flatMap((severity) => this.#kept[severity]),
      run.root,
    );
    const log = {
      $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
      version: '2.1.0',
      runs: [
        {
          tool: {
            driver: {
              name: 'skill-fleet',
              semanticVersion: version,
              informationUri: home,
              rules: ruleNames.map((rule) => descriptor(rule, target, home)),
            },
          },
          invocations: [invocation],
          originalUriBaseIds: { [rootName]: { description: { text: 'The root of the repository.' } } },
          columnKind: 'utf16CodeUnits',
          results,
        },
      ],
    };
    return `${printableJson(log)}\n`;
  }
}

function ownBytes({ finding, place }: PlacedFinding): number {
  return Buffer.byteLength(place) + Math.min(Buffer.byteLength(finding.what), maxSentenceLength * 4) + 32;
}

function leftOutNotification(count: number) {
  const text = `${counted(count, 'result')} left out, the least grave ones: GitHub takes ${maxResults} of a run, and 10 MB.`;
  return { level: 'warning', message: { text } };
}

function descriptor(rule: RuleName, target: Target, home: string | undefined) {
  const { about, remedy, sources: from } = rules[rule];
  const setting = defaultSetting(rule, target);
  const page = home && `${home}/${pageOf(rule)}`;
  const links = from.flatMap((source) => {
    const url: string = sources[source];
    return url.startsWith('https:') ? [`[${source}](${url})`] : [];
  });
  return {
    id: rule,
    shortDescription: { text: messageText(`${about[0]?.toUpperCase()}${about.slice(1)}.`) },
    fullDescription: { text: messageText(`Finds ${about}.`) },
    help: {
      text: messageText(`${remedy} See ${page ?? pageOf(rule)}.`),
      markdown: [
        remedy.replace(/[<>]/g, '\\$&'),
        page ? `See [${rule}](${page}).` : `See \`${pageOf(rule)}\`.`,
        ...(links.length > 0 ? [`From: ${links.join(', ')}.`] : []),
      ].join('\n\n'),
    },
    helpUri: page,
    defaultConfiguration: setting === 'off' ? { enabled: false } : { level: levels[setting] },
    properties: { tags: from },
  };
}

function resultsOf(findings: readonly PlacedFinding[], root: string) {
  const artifactAt = artifacts(root);
  const seen = new Map<string, number>();
  return findings.map(({ finding, place }) => {
    const { rule, severity, file, line, column, what, remedy } = finding;
    const artifactLocation = artifactAt(place, file === undefined);
    const same = fingerprint(rule, artifactLocation.uri, what);
    const nth = (seen.get(same) ?? 0) + 1;
    seen.set(same, nth);
    return {
      ruleId: rule,
      ruleIndex: ruleNames.indexOf(rule),
      level: levels[severity],
      message: { text: messageText(sentence(what, remedy)) },
      locations: [
        // GitHub shows nothing without a line.
        { physicalLocation: { artifactLocation, region: { startLine: line ?? 1, startColumn: column } } },
      ],
      // GitHub's upload action adds its own beside it, of the line's text, and warns of one that differs from that.
      partialFingerprints: { 'skillFleetFinding/v1': `${same}:${nth}` },
    };
  });
}

/** What was found, and what to do. */
function sentence(what: string, remedy: string): string {
  const cut = shorten(what, maxSentenceLength);
  return printableLine(`${cut}${cut === what ? '.' : '…'} ${remedy}`);
}

/** A text as a message has it: no braces are a placeholder (3.11.5), and no brackets a link (3.11.6). */
function messageText(text: string): string {
  const plain = text.replace(/[{}]/g, '$&$&');
  return plain.includes('](') ? plain.replace(/[\\[\]]/g, '\\$&') : plain;
}

/** Tells a finding from others of its file, wherever in it it stands. Counts go as a text is edited, and tell nothing. */
function fingerprint(rule: RuleName, uri: string, what: string): string {
  const lasting = what.replace(/"(?:[^"\\]|\\.)*"?|\d+/g, (part) => (part.startsWith('"') ? part : ''));
  const hash = createHash('sha256').update(JSON.stringify([rule, uri, lasting]));
  return hash.digest('hex').slice(0, 2 * fingerprintBytes);
}

/** Finds the places of files as a log names them: below the root by the way there, else by the whole path. */
function artifacts(root: string) {
  const known = new Map<string, { readonly uri: string; readonly uriBaseId?: string }>();
  return (place: string, isFolder: boolean) => {
    const found = known.get(place);
    if (found !== undefined) return found;
    // GitHub shows nothing at links, nor at folders.
    const real = realPath(path.resolve(isFolder ? documentIn(place) : place));
    const way = path.relative(root, real);
    const isWithin = way !== '..' && !way.startsWith('../') && !path.isAbsolute(way);
    const artifact = isWithin
      ? { uri: way.split('/').map(encodeURIComponent).join('/'), uriBaseId: rootName }
      : { uri: pathToFileURL(real).href };
    known.set(place, artifact);
    return artifact;
  };
}

/** The document in a skill's folder; the folder where none can be seen. */
function documentIn(folder: string): string {
  try {
    return path.join(folder, documentName(readdirSync(folder)) ?? '');
  } catch {
    return folder;
  }
}
