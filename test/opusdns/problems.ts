// Replies, and the error bodies of the API as its published facts and recorded fixtures show them.

/** One reply of the simulator, before faults touch it. */
export interface Reply {
  readonly status: number
  /** Flat list of name, value. `content-length` is added for a Buffer. */
  readonly headers?: readonly string[]
  /** Absent: no body. An iterable is streamed, and chunked unless `headers` give its length. */
  readonly body?: Buffer | AsyncIterable<Buffer>
}

/** One entry of a 422: echoes the `input`, as the API does, secrets included. */
export interface Invalid {
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly type: string
  readonly input: unknown
}

/** A JSON reply; `headers` is a flat list that is added. */
export function json(status: number, value: unknown, headers: readonly string[] = []): Reply {
  return {
    status,
    headers: ['content-type', 'application/json', ...headers],
    body: Buffer.from(JSON.stringify(value)),
  }
}

/** 204 without a body. */
export const NO_CONTENT: Reply = { status: 204 }

/** An RFC 9457 reply. `fields` is the whole body, in the order in which it is sent. */
export function problem(
  fields: Readonly<Record<string, unknown>> & { readonly status: number },
  headers: readonly string[] = [],
): Reply {
  return {
    status: fields.status,
    headers: ['content-type', 'application/problem+json', ...headers],
    body: Buffer.from(JSON.stringify(fields)),
  }
}

/** 401 of a missing, unknown, expired or doubled credential. */
export function unauthenticated(detail: string): Reply {
  return problem(
    {
      type: 'authentication',
      title: 'Authentication Error',
      status: 401,
      code: 'ERROR_AUTHENTICATION',
      detail,
    },
    ['www-authenticate', 'Bearer'],
  )
}

/** 403 of a role that does not allow the operation. */
export function denied(): Reply {
  return problem({
    type: 'permission-denied',
    title: 'Permission Denied',
    status: 403,
    code: 'ERROR_PERMISSION_DENIED',
    detail: 'Insufficient permissions to perform this action',
  })
}

/** 422. */
export function invalid(errors: readonly Invalid[]): Reply {
  return problem({
    type: 'request-validation-failed',
    title: 'Request validation error.',
    status: 422,
    errors,
  })
}

/** 422 entries for the fields that `value` lacks. */
export function missing(value: unknown, fields: readonly string[]): Invalid[] {
  const has = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
  return fields
    .filter((field) => !(field in has))
    .map((field) => ({
      type: 'missing',
      loc: ['body', field],
      msg: 'Field required',
      input: value,
    }))
}

/** The framework's own error: plain JSON, no problem. */
export function plain(status: number, detail: string, headers: readonly string[] = []): Reply {
  return json(status, { detail }, headers)
}

/** What a forced status says: a problem, or nothing where a body is not allowed. */
export function forced(status: number): Reply {
  if (status === 204 || status === 304) return { status }
  return problem({
    type: 'simulated',
    title: 'Simulated Error',
    status,
    code: 'ERROR_SIMULATED',
    detail: `The simulator was told to answer ${status}.`,
  })
}
