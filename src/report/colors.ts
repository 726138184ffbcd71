// Whether output is coloured, and how each kind of line is.

import picocolors from 'picocolors';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** What the environment and the stream say of colour. `NO_COLOR` and `FORCE_COLOR` as those names are used. */
export function chooseColors(
  flag: boolean | undefined,
  env: { readonly [name: string]: string | undefined },
  isTerminal: boolean,
): Colors {
  const wanted =
    flag !== false &&
    !env['NO_COLOR'] &&
    (Boolean(env['FORCE_COLOR']) || (isTerminal && env['TERM'] !== 'dumb'));
  return picocolors.createColors(wanted);
}
