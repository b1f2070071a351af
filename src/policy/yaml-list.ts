// Texts as a YAML flow list, quoted where they would be read as something else.

// No number, no word that some parser takes for true or null, no sign that means something.
const PLAIN = /^(?!(?:true|false|yes|no|on|off|y|n|null)$)[a-z_][\w.-]*$/i

/** `[www, '@']`. */
export function yamlList(texts: readonly string[]): string {
  return `[${texts.map((text) => (PLAIN.test(text) ? text : `'${text.replaceAll("'", "''")}'`)).join(', ')}]`
}
