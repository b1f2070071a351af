// Credentials that are easy to find again, and the search for them in whatever a program let out.

import { onTestFinished } from 'vitest'

import { headerValues } from '../opusdns/callers.ts'
import { SEED_CLIENT, SEED_KEY } from '../opusdns/seed.ts'
import { startSimulator, type Simulator } from '../opusdns/simulator.ts'

/** An API key with bytes that every encoding changes, so that each form is one of its own. */
export const KEY = `${SEED_KEY.key}~+/=?&`
/** A client secret of the same kind. */
export const SECRET = 'Canary-c1ient/s3cret+with=odd&bytes~%'

/** Every way in which `text` might be written. */
function formsOf(text: string): string[] {
  const forms = new Set([text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1)])
  forms.add(new URLSearchParams([['', text]]).toString().slice(1))
  // Base64 of a longer text that holds it: three alignments, less the ends that depend on neighbours.
  for (const lead of ['', 'x', 'xx']) {
    const whole = Buffer.from(lead + text)
    const cut = (encoded: string) => encoded.replace(/=+$/, '').slice(lead === '' ? 0 : 4, -4)
    forms.add(cut(whole.toString('base64')))
    forms.add(cut(whole.toString('base64url')))
  }
  forms.add(Buffer.from(text).toString('hex'))
  return [...forms]
}

/** Places of `texts` in which one of `secrets` appears in any form. */
export function leaks(
  texts: Readonly<Record<string, string>>,
  secrets: readonly string[],
): string[] {
  const forms = secrets.flatMap((secret) => formsOf(secret))
  return Object.entries(texts)
    .filter(([, text]) => forms.some((form) => text.toLowerCase().includes(form.toLowerCase())))
    .map(([place]) => place)
}

/** Every token that the proxy has sent upstream. */
export function tokensSent(simulator: Simulator): string[] {
  const values = simulator.requests.flatMap(({ rawHeaders }) =>
    headerValues(rawHeaders, 'authorization'),
  )
  return [...new Set(values.map((value) => value.replace(/^bearer /i, '')))]
}

/** A simulator that knows `KEY` and `SECRET`; its tokens live 3 s. Ends with its test. */
export async function startCanarySimulator(): Promise<Simulator> {
  const simulator = await startSimulator({
    apiKeys: [{ key: KEY }],
    clients: [{ id: SEED_CLIENT.id, secret: SECRET }],
    tokenLife: 3,
  })
  onTestFinished(() => simulator.close())
  return simulator
}
