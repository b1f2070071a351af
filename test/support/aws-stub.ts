// A stub of the JSON protocols of AWS Secrets Manager and Systems Manager, as far as a reader and a
// test need them, written from the API's documentation and compared with moto. It checks that requests
// are signed, not the signature. It also says everything that moto cannot be made to say.

import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { Failure } from '../contracts/secret-source.ts'

/** A running stub. */
export interface AwsStub {
  readonly endpoint: string
  /** How often a value was asked for. */
  asked(): number
  /** The region that the latest request was signed for. */
  region(): string
  /** Answers reads with this failure from now on; `undefined` mends it. */
  fail(how: Exclude<Failure, 'unreachable'> | undefined, canary?: string): void
  /** Answers reads with this error of AWS from now on. */
  refuse(name: string, message: string): void
  close(): Promise<void>
}

type Body = Readonly<Record<string, unknown>>
type Answer = readonly [status: number, body: unknown]

const READS = new Set(['GetSecretValue', 'GetParameter'])

/** Starts a stub on a free port of loopback. */
export async function awsStub(): Promise<AwsStub> {
  const secrets = new Map<string, { value: Body; deleted: boolean }>()
  const parameters = new Map<string, string>()
  let asked = 0
  let region = ''
  let failure: { how: Failure; canary: string } | undefined
  let refusal: Answer | undefined

  const act: Readonly<Record<string, (body: Body) => Answer>> = {
    CreateSecret({ Name, SecretString, SecretBinary }) {
      secrets.set(String(Name), { value: { SecretString, SecretBinary }, deleted: false })
      return [200, { Name, VersionId: crypto.randomUUID() }]
    },
    PutSecretValue({ SecretId, SecretString, SecretBinary }) {
      const found = secrets.get(nameOf(SecretId))
      if (found === undefined) return absent()
      found.value = { SecretString, SecretBinary }
      return [200, { Name: SecretId, VersionStages: ['AWSCURRENT'] }]
    },
    DeleteSecret({ SecretId, ForceDeleteWithoutRecovery }) {
      const name = nameOf(SecretId)
      const found = secrets.get(name)
      if (found === undefined) return absent()
      if (ForceDeleteWithoutRecovery === true) secrets.delete(name)
      else found.deleted = true
      return [200, { Name: SecretId }]
    },
    RestoreSecret({ SecretId }) {
      const found = secrets.get(nameOf(SecretId))
      if (found === undefined) return absent()
      found.deleted = false
      return [200, { Name: SecretId }]
    },
    GetSecretValue({ SecretId, VersionStage }) {
      const found = secrets.get(nameOf(SecretId))
      if (found === undefined || VersionStage !== 'AWSCURRENT') return absent()
      if (found.deleted) {
        return error(
          'InvalidRequestException',
          'You can’t perform this operation on the secret because it was marked for deletion.',
        )
      }
      return [200, { Name: SecretId, VersionStages: ['AWSCURRENT'], ...found.value }]
    },
    PutParameter({ Name, Value }) {
      parameters.set(String(Name), String(Value))
      return [200, { Version: 1, Tier: 'Standard' }]
    },
    DeleteParameter({ Name }) {
      return parameters.delete(String(Name)) ? [200, {}] : error('ParameterNotFound', '')
    },
    GetParameter({ Name, WithDecryption }) {
      const value = parameters.get(String(Name))
      if (value === undefined)
        return error('ParameterNotFound', `Parameter ${String(Name)} not found.`)
      // What KMS would give without the permission to decrypt.
      const Value = WithDecryption === true ? value : 'AQICAHgEncrypted'
      return [200, { Parameter: { Name, Type: 'SecureString', Value, Version: 1 } }]
    },
  }

  const server = createServer((request, response) => void answer(request, response))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const target = String(request.headers['x-amz-target']).split('.')[1] ?? ''
    const reading = READS.has(target)
    if (reading) asked++
    if (reading && failure?.how === 'hang') return
    if (reading && failure?.how === 'garbage') {
      response.end(`<html>${failure.canary}`)
      return
    }
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Body
    const [status, reply] = verdict(request, target, body, reading)
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
    response.end(JSON.stringify(reply))
  }

  function verdict(request: IncomingMessage, target: string, body: Body, reading: boolean): Answer {
    const signed = /^AWS4-HMAC-SHA256 Credential=[^,]+, *SignedHeaders=[^,]+, *Signature=./
    if (!signed.test(request.headers.authorization ?? '')) {
      return error('MissingAuthenticationToken', 'Missing Authentication Token')
    }
    region = request.headers.authorization?.split('/')[2] ?? ''
    if (reading && failure !== undefined) return failed(failure.how, failure.canary, target)
    if (reading && refusal !== undefined) return refusal
    return act[target]?.(body) ?? error('UnknownOperationException', target)
  }

  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    region: () => region,
    fail(how, canary = '') {
      failure = how === undefined ? undefined : { how, canary }
      if (how === undefined) refusal = undefined
    },
    refuse: (name, message) => void (refusal = error(name, message)),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function failed(how: Failure, canary: string, target: string): Answer {
  if (how === 'denied') return error('AccessDeniedException', canary)
  if (how === 'error') return [500, { __type: canary, message: canary }]
  return target === 'GetParameter'
    ? error('ParameterNotFound', canary)
    : error('ResourceNotFoundException', canary)
}

function absent(): Answer {
  return error(
    'ResourceNotFoundException',
    'Secrets Manager can’t find the specified secret value for staging label: AWSCURRENT',
  )
}

function error(name: string, message: string): Answer {
  return [400, { __type: name, message, Message: message }]
}

function nameOf(id: unknown): string {
  const text = String(id)
  // The last six characters of an ARN are the service's own.
  return text.startsWith('arn:') ? (text.split(':')[6] ?? '').replace(/-[A-Za-z0-9]{6}$/, '') : text
}
