// The types of pgpass, which reads ~/.pgpass for pg and brings none of its own.

declare module 'pgpass' {
  /** Calls back with the password of the first line that fits, or with undefined. */
  function pgpass(
    server: {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly database: string;
    },
    callback: (password: string | undefined) => void,
  ): void;
  export = pgpass;
}
