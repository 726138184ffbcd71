// What a server sends, measured before pg's parser reads it. That parser takes any length for the truth: it keeps
// whatever a message promises, and looks for the end of an error past the end of the message, for ever.
//
// https://www.postgresql.org/docs/current/protocol-message-formats.html

/** What answers does not keep to the protocol of PostgreSQL. */
export class NotPostgres extends Error {
  readonly code: string = 'NOT_POSTGRES';
}

/** A server that keeps to the protocol, and answers without end. */
export class AnswerTooLarge extends NotPostgres {
  override readonly code = 'ANSWER_TOO_LARGE';
}

const headLength = 5;

/** All that is answered to us: nothing is ever copied, in or out. */
const known = new Set([...'RSKNAETDCZ123nstI'].map((letter) => letter.charCodeAt(0)));

const [error, notice, row, ready] = [...'ENDZ'].map((letter) => letter.charCodeAt(0));

/** Messages that may be long, how long these are at most, and all others: as libpq has it. */
const long = new Set([...'TDENA'].map((letter) => letter.charCodeAt(0)));
const mostLong = 0x3fff_ffff;
const mostShort = 30_000;

/** Bytes until the server is ready for the first time, errors and notices among them. */
const mostLogin = 1024 * 1024;

/** Bytes between two times that it is ready: above what the largest skill takes, and within what Node can hold. */
const mostAnswer = 1024 * 1024 * 1024;

/** What a row takes in memory beyond its bytes, so that many small ones are no way around the limit. */
const bytesOfRow = 200;

/** Measures the messages of one connection. */
export class Measured {
  /** What is known of the head at hand: so many bytes of it, the type, and the length as far as it goes. */
  #heads = 0;
  #type = 0;
  #size = 0;
  /** What is left of the message at hand, how long its body is, and how it ends so far. */
  #left = 0;
  #length = 0;
  #ending = '';
  #answered = 0;
  #isReady = false;

  /** Takes the next bytes. Throws {@link NotPostgres} and {@link AnswerTooLarge}. */
  take(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#heads < headLength) {
        const byte = bytes[at++] ?? 0;
        if (this.#heads === 0) [this.#type, this.#size] = [byte, 0];
        else this.#size = this.#size * 256 + byte;
        if (++this.#heads === headLength) this.#begin();
      } else {
        const end = Math.min(at + this.#left, bytes.length);
        if (this.#mustEnd()) this.#ending = (this.#ending + bytes.toString('latin1', at, end)).slice(-2);
        this.#left -= end - at;
        at = end;
      }
      if (this.#heads === headLength && this.#left === 0) this.#end();
    }
  }

  #mustEnd(): boolean {
    return this.#type === error || this.#type === notice;
  }

  #begin(): void {
    const [type, length] = [this.#type, this.#size];
    const isLong = this.#isReady && long.has(type);
    if (!known.has(type) || length < 4 || length > (isLong ? mostLong : mostShort)) throw new NotPostgres();
    this.#length = length - 4;
    this.#left = this.#length;
    this.#ending = '';
    this.#answered += headLength + this.#length + (type === row ? bytesOfRow : 0);
    if (this.#answered > (this.#isReady ? mostAnswer : mostLogin)) throw new AnswerTooLarge();
  }

  #end(): void {
    this.#heads = 0;
    // Fields end with a zero each, and a zero ends them all.
    if (this.#mustEnd() && this.#ending !== '\0\0' && !(this.#length === 1 && this.#ending === '\0')) {
      throw new NotPostgres();
    }
    if (this.#type === ready) {
      this.#isReady = true;
      this.#answered = 0;
    }
  }
}
