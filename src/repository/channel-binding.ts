// Channel binding that is required: a login that proves to both ends that nobody stands between them.
//
// pg binds where the server offers it, and is content where not. This refuses before the password leaves.
// https://www.postgresql.org/docs/current/sasl-authentication.html

import type { Connection } from 'pg';

/** The server would take the login without binding it to the connection. */
export class ChannelBindingMissing extends Error {}

/** Watches one login. */
export class ChannelBinding {
  readonly #isRequired: boolean;
  #isOffered = false;
  #isDone = false;

  constructor(isRequired: boolean) {
    this.#isRequired = isRequired;
  }

  /** Listens to what the server asks for. */
  watch(connection: Connection): void {
    // A password in the clear, or nearly so, is no login of this kind, also after one has begun.
    for (const request of ['authenticationCleartextPassword', 'authenticationMD5Password']) {
      connection.prependListener(request, () => {
        if (this.#isRequired) connection.stream.destroy(new ChannelBindingMissing());
      });
    }
    connection.prependListener('authenticationSASL', ({ mechanisms }: { mechanisms: readonly string[] }) => {
      this.#isOffered = mechanisms.includes('SCRAM-SHA-256-PLUS');
    });
    // The server has shown by this that it knows the password too.
    connection.prependListener('authenticationSASLFinal', () => {
      this.#isDone = this.#isOffered;
    });
  }

  /** To be asked before the password is handed out. Throws {@link ChannelBindingMissing}. */
  requireNow(): void {
    if (this.#isRequired && !this.#isOffered) throw new ChannelBindingMissing();
  }

  /** To be asked once connected: a server may ask for no password at all. Throws {@link ChannelBindingMissing}. */
  requireDone(): void {
    if (this.#isRequired && !this.#isDone) throw new ChannelBindingMissing();
  }
}
