// How severe each rule is, for whom, and where: the target's defaults, then what the configuration says.

import { globMatcher } from '../skill/glob.ts';
import { defaultSetting, type RuleName, type Setting, type Target } from './rules.ts';

export type RuleSettings = { readonly [rule in RuleName]?: Setting | undefined };

/** What a configuration says of rules. */
export interface Settings {
  readonly rules: RuleSettings;
  /** For the skills whose paths a glob takes. Of several that do, the last one counts. */
  readonly overrides: readonly { readonly paths: readonly string[]; readonly rules: RuleSettings }[];
}

export class Policy {
  readonly target: Target;
  readonly #rules: RuleSettings;
  readonly #overrides: readonly {
    readonly takes: (path: string) => boolean;
    readonly rules: RuleSettings;
  }[];

  constructor(target: Target, { rules, overrides }: Settings = { rules: {}, overrides: [] }) {
    this.target = target;
    this.#rules = rules;
    this.#overrides = overrides.map(({ paths, rules }) => {
      const matchers = paths.map(globMatcher);
      return { takes: (path) => matchers.some((matches) => matches(path)), rules };
    });
  }

  /** How severe a rule is in the skill at a path. */
  settingOf(rule: RuleName, path: string): Setting {
    const override = this.#overrides.findLast((one) => one.rules[rule] !== undefined && one.takes(path));
    return override?.rules[rule] ?? this.#rules[rule] ?? defaultSetting(rule, this.target);
  }
}
