// Where the lines of a text begin and end, found without reading the text anew for each question.

// Nobody indents further; all the rest of a line may be long.
const maxMargin = 1000;

export class SourceLines {
  readonly text: string;
  readonly #starts: readonly number[];

  constructor(text: string) {
    this.text = text;
    const starts = [0];
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#starts = starts;
  }

  /** The line that holds an offset, from 0. */
  line(at: number): number {
    let [low, high] = [0, this.#starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) <= at) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Where a line starts; the text's end for one behind the last. */
  startOf(line: number): number {
    return this.#starts[line] ?? this.text.length;
  }

  /** Where the line that holds an offset starts. */
  start(at: number): number {
    return this.startOf(this.line(at));
  }

  /** Where the line that holds an offset ends, its line break included. */
  end(at: number): number {
    return this.startOf(this.line(at) + 1);
  }

  /** The line break that ends the line that holds an offset; LF where none does. */
  break(at: number): '\n' | '\r\n' {
    const end = this.end(at);
    return this.text.slice(end - 2, end) === '\r\n' ? '\r\n' : '\n';
  }

  /** What stands before an offset in its line; undefined where that is more than any margin. */
  before(at: number): string | undefined {
    const start = this.start(at);
    return at - start > maxMargin ? undefined : this.text.slice(start, at);
  }

  /** The blanks before an offset, where nothing else stands before it in its line. */
  margin(at: number): string | undefined {
    const before = this.before(at);
    return before !== undefined && before.trim() === '' ? before : undefined;
  }
}
