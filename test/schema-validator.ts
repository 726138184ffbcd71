// A validator of JSON Schema that is not of those who make ours.

import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

export function schemaValidator(): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  return ajv;
}
