// The block of a prompt that tells an agent which skills there are, as the specification's reference tool prints it.

/** A skill as a prompt tells of it. */
export interface AvailableSkill {
  readonly name: string;
  readonly description: string;
  /** Its document, absolute. */
  readonly location: string;
}

export const promptHead = '<available_skills>\n';

export const promptFoot = '</available_skills>\n';

/** One skill of the block. */
export function promptLines({ name, description, location }: AvailableSkill): string {
  const lines = Object.entries({ name, description, location }).map(
    ([tag, text]) => `<${tag}>\n${escaped(text)}\n</${tag}>\n`,
  );
  return `<skill>\n${lines.join('')}</skill>\n`;
}

const entities: { readonly [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#x27;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
