// Which frontmatter fields each target knows.

import { saysField, specifiedKeys } from '../document/keys.ts';
import { type Target, targets } from './rules.ts';

/** Those of the specification, which every target takes. */
const specified: ReadonlySet<string> = new Set([
  ...['name', 'description', 'allowed-tools', 'metadata'],
  ...specifiedKeys,
]);

/** What a target takes beside those. */
const more: Readonly<Record<Target, (field: string) => boolean>> = {
  spec: () => false,
  'skill-fleet': (field) => saysField(field, 'top'),
  'claude-code': oneOf(
    ...['when_to_use', 'argument-hint', 'arguments', 'disable-model-invocation', 'user-invocable'],
    ...['disallowed-tools', 'model', 'effort', 'context', 'agent', 'background', 'hooks', 'paths', 'shell'],
  ),
  // What Claude Code alone knows makes an upload fail.
  'claude-api': () => false,
  codex: () => false,
  copilot: oneOf('argument-hint', 'user-invocable', 'disable-model-invocation', 'context'),
  openclaw: oneOf(
    ...['homepage', 'user-invocable', 'disable-model-invocation'],
    ...['command-dispatch', 'command-tool', 'command-arg-mode'],
  ),
};

function oneOf(...fields: readonly string[]): (field: string) => boolean {
  const known = new Set(fields);
  return (field) => known.has(field);
}

export function knowsField(target: Target, field: string): boolean {
  return specified.has(field) || more[target](field);
}

/** The other targets that know a field. */
export function whoKnows(field: string): readonly Target[] {
  return targets.filter((target) => knowsField(target, field));
}
