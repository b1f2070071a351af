// A load generator for machines without wrk: port, path, connections, seconds, header fields. Prints
// one JSON line when its time is up. Slower than wrk, so that fast proxies are not driven to their end.

import { Agent, request } from 'node:http'

const [port, path = '/', connections, seconds, ...fields] = process.argv.slice(2)
const headers = Object.fromEntries(
  fields.map((field) => [field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 2)]),
)
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) })
const latencies: number[] = []
let failures = 0

function once(): Promise<void> {
  const began = performance.now()
  return new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, path, agent, headers }, (reply) => {
      if (reply.statusCode !== 200) failures += 1
      reply.resume()
      reply.on('end', () => {
        latencies.push(performance.now() - began)
        resolve()
      })
    })
    call.on('error', () => {
      failures += 1
      resolve()
    })
    call.end()
  })
}

const began = performance.now()
const until = began + Number(seconds) * 1000
async function lane(): Promise<void> {
  while (performance.now() < until) await once()
}
await Promise.all(Array.from({ length: Number(connections) }, lane))
const elapsed = performance.now() - began
latencies.sort((a, b) => a - b)
const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? 0
process.stdout.write(
  JSON.stringify({
    requests: latencies.length,
    failures,
    perSecond: latencies.length / (elapsed / 1000),
    p50: at(0.5),
    p99: at(0.99),
  }),
)
agent.destroy()
