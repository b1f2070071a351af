// Faults of clients that send too much, too slowly, or what is no HTTP.

import { setTimeout as sleep } from 'node:timers/promises'

import { answerIn, ask } from './answer.ts'
import { SHORT } from './bench.ts'
import { dial, request } from './dial.ts'
import type { Line } from './dial.ts'
import type { Fault } from './fault.ts'

const UPLOAD = ['Content-Type: application/json']

/** A client that does `act`, then reads until the end. */
function client(act: (line: Line) => unknown, config?: string): Fault['run'] {
  return async (bench) => {
    const upstream = await bench.upstream()
    const { port } = await bench.proxy({
      base: upstream.origin,
      ...(config === undefined ? {} : { config }),
    })
    const line = await dial(bench, port)
    await act(line)
    await Promise.race([line.over, sleep(8000)])
    const whole = upstream.requests.filter(({ complete }) => complete).length
    const wrong = whole === 0 ? [] : ['the upstream took it for a whole request']
    return { answer: answerIn(line.text()), ms: line.age(), wrong }
  }
}

/** Writes `text` byte by byte. */
async function slowly(line: Line, text: string, pause: number): Promise<void> {
  for (const byte of text) {
    if (line.socket.destroyed || line.text() !== '') return
    line.write(byte)
    // oxlint-disable-next-line no-await-in-loop -- slowly
    await sleep(pause)
  }
}

const clients = { family: 'clients', quick: true } as const
const limits = (text: string) => SHORT.replace('limits: {', `limits: { ${text},`)

/** See the head of this file. */
export const CLIENT_BYTES: readonly Fault[] = [
  {
    ...clients,
    name: 'a head that drips (slowloris)',
    expected: '408 request_timeout',
    takes: [350, 2500],
    sent: 0,
    run: client((line) => slowly(line, request('GET /v1/dns', `X-A: ${'a'.repeat(200)}`), 50)),
  },
  {
    ...clients,
    name: 'a connection that says nothing',
    expected: '408 request_timeout',
    takes: [350, 2500],
    sent: 0,
    run: client(() => undefined),
  },
  {
    ...clients,
    name: 'a small body that stops',
    expected: '408 request_timeout',
    takes: [350, 3000],
    sent: 0,
    run: client((line) =>
      line.write(
        `${request('PATCH /v1/dns/example.com/rrsets', ...UPLOAD, 'Content-Length: 100')}{"a"`,
      ),
    ),
  },
  {
    ...clients,
    name: 'a large body that stops',
    expected: '408 request_timeout',
    takes: [350, 3000],
    sent: 1,
    run: client((line) =>
      line.write(
        `${request('PATCH /v1/dns/example.com/rrsets', ...UPLOAD, 'Content-Length: 200000')}${'a'.repeat(100_000)}`,
      ),
    ),
  },
  {
    ...clients,
    name: 'a body that drips for longer than a whole body may take',
    expected: '408 request_timeout',
    takes: [550, 4000],
    sent: 0,
    run: client((line) => {
      line.write(request('PATCH /v1/dns/example.com/rrsets', ...UPLOAD, 'Content-Length: 1000'))
      return slowly(line, 'a'.repeat(60), 50)
    }, limits('request_body_timeout: 600ms')),
  },
  {
    ...clients,
    name: 'a chunk size that is none, in the middle of a body',
    expected: '400 bad_request',
    run: client((line) => {
      line.write(
        `${request('PATCH /v1/dns/example.com/rrsets', ...UPLOAD, 'Transfer-Encoding: chunked')}4\r\n{"a"\r\n`,
      )
      setTimeout(() => line.write('zz\r\n'), 50)
    }),
  },
  {
    ...clients,
    name: 'both a length and chunks',
    expected: '400 bad_request',
    sent: 0,
    run: client((line) =>
      line.write(
        `${request('PATCH /v1/dns/example.com/rrsets', 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
      ),
    ),
  },
  {
    ...clients,
    name: 'a head of 64 KiB',
    expected: '431 header_too_large',
    sent: 0,
    run: client((line) => line.write(request('GET /v1/dns', `X-Huge: ${'a'.repeat(65_536)}`))),
  },
  {
    ...clients,
    name: 'a target of 30 KiB',
    expected: '414 uri_too_long',
    sent: 0,
    run: async (bench) => {
      const upstream = await bench.upstream()
      const { port } = await bench.proxy({ base: upstream.origin })
      return ask(port, { path: `/v1/dns?q=${'a'.repeat(30 * 1024)}` })
    },
  },
  {
    ...clients,
    name: 'a length over the bound',
    expected: '413 content_too_large',
    sent: 0,
    run: client((line) =>
      line.write(
        `${request('PATCH /v1/dns/example.com/rrsets', ...UPLOAD, 'Content-Length: 999999999')}${'a'.repeat(50_000)}`,
      ),
    ),
  },
  {
    ...clients,
    name: 'chunks over the bound',
    expected: '413 content_too_large',
    takes: [0, 5000],
    run: client((line) => {
      const chunk = `2710\r\n${'a'.repeat(10_000)}\r\n`
      line.write(
        request('PATCH /v1/dns/example.com/rrsets', ...UPLOAD, 'Transfer-Encoding: chunked'),
      )
      line.write(chunk.repeat(30))
    }, limits('body_size: { write: 200KiB }')),
  },
  {
    ...clients,
    name: 'a TLS handshake on a plain port',
    expected: '400 bad_request',
    sent: 0,
    run: client((line) => line.write('\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03\r\n\r\n')),
  },
  {
    ...clients,
    name: 'the preface of HTTP/2',
    expected: '400 bad_request',
    sent: 0,
    run: client((line) => line.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')),
  },
]
