// A node:http server that answers by itself with what the upstream would say. Run by scripts.ts, and
// as the upstream of all others.

import { createServer } from 'node:http'

const BODY_BYTES = 1024

const head = '{"name":"example.com.","dnssec_status":"disabled","note":"'
const tail = '"}'
const body = Buffer.from(head + 'x'.repeat(BODY_BYTES - head.length - tail.length) + tail)
const ID = '0d9f4c53-5a3c-4c63-9a4b-6f1f2a7f4f10'
const fields = [
  'Content-Type',
  'application/json',
  'Content-Length',
  String(BODY_BYTES),
  'Server',
  'uvicorn',
  'X-Server-Request-Id',
  ID,
  'X-Request-Id',
  ID,
]

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume()
  response.writeHead(200, fields)
  response.end(body)
})
server.listen(Number(process.env['PORT']), '127.0.0.1')
