// The home of dotenv. Only its parser is used: nothing is put into process.env, nothing is printed.

/** The variables of a `.env` text. The package is loaded only when there is one. */
export async function parseDotenv(text: string): Promise<Record<string, string>> {
  const { parse } = await import('dotenv')
  return parse(text)
}
