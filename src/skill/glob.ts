// Globs over skill paths, for rules that people write. A matcher of our own, since those that compile a glob
// to a regular expression take exponential time on some: picomatch 1.8 s for `(a+)+b` and 26 letters.

/** Whether `text` is `pattern`, where `star` stands for any run of items: at most |pattern| x |text| steps. */
function matches(
  pattern: ArrayLike<string>,
  text: ArrayLike<string>,
  star: string,
  same: (wanted: string | undefined, item: string | undefined) => boolean,
): boolean {
  let p = 0;
  let t = 0;
  let afterStar = -1;
  let resume = 0;
  while (t < text.length) {
    if (pattern[p] === star) {
      p++;
      afterStar = p;
      resume = t;
    } else if (p < pattern.length && same(pattern[p], text[t])) {
      p++;
      t++;
    } else if (afterStar >= 0) {
      // Only the last star needs to give way: what stood before it matched as early as it could.
      p = afterStar;
      resume++;
      t = resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === star) p++;
  return p === pattern.length;
}

function matchesSegment(wanted = '', segment = ''): boolean {
  return matches(wanted, segment, '*', (a, b) => a === b);
}

/**
 * Makes a test of paths from a glob: `*` is any run of characters within a segment, `**` as a whole segment
 * is any run of segments, none included; everything else is itself. `teams/**` matches `teams` too.
 */
export function globMatcher(glob: string): (path: string) => boolean {
  const wanted = glob.split('/');
  return (path) => matches(wanted, path.split('/'), '**', matchesSegment);
}
