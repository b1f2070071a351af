// Report downloads: a real ZIP, small or of any asked size, never held in memory.

import { reference, type Handler } from './call.ts'
import { invalid, json, problem } from './problems.ts'
import { typeid } from './typeid.ts'
import { zip, zipOverhead } from './zip.ts'

const ENTRY = 'report.csv'
const SMALL = 'domain,expires_on\nexample.com,2027-01-01T00:00:00Z\n'
const PIECE = 64 * 1024
// Without ZIP64 the format ends at 4 GiB.
const LARGEST = 2 ** 31

/**
 * The handlers by `METHOD path`. `?size=` is the length of the whole file in bytes, `?chunked=1`
 * leaves Content-Length out, and an identifier that contains `pending` is not ready (409).
 */
export function reportHandlers(): Readonly<Record<string, Handler>> {
  return {
    'POST /v1/reports': () => json(202, { report_id: typeid('report'), status: 'pending' }),
    'GET /v1/reports/{report_id}': (call) =>
      json(200, { report_id: reference(call), status: 'completed' }),
    'GET /v1/reports/{report_id}/download'(call) {
      const id = reference(call)
      if (id.includes('pending')) {
        const detail = 'The report is not ready for download'
        return problem({
          type: 'report-not-ready',
          title: 'Report Error',
          status: 409,
          code: 'ERROR_REPORT_NOT_READY',
          detail,
        })
      }
      const asked = call.query.get('size')
      const size = asked === null ? zipOverhead(ENTRY) + SMALL.length : Number(asked)
      const content = size - zipOverhead(ENTRY)
      if (!Number.isInteger(size) || content < 0 || size > LARGEST) {
        const msg = `Input should be between ${zipOverhead(ENTRY)} and ${LARGEST}`
        return invalid([{ type: 'int_range', loc: ['query', 'size'], msg, input: asked }])
      }
      const length = call.query.has('chunked') ? [] : ['content-length', String(size)]
      const pieces = asked === null ? [Buffer.from(SMALL)] : generated(content)
      const name = id.replaceAll(/[^\w-]/g, '_')
      return {
        status: 200,
        headers: [
          'content-type',
          'application/zip',
          'content-disposition',
          `attachment; filename="${name}.zip"`,
          ...length,
        ],
        body: zip(ENTRY, pieces),
      }
    },
  }
}

/** The same bytes for the same length, everywhere: lines that count. */
function* generated(length: number): Generator<Buffer, void, void> {
  const piece = Buffer.from(
    Array.from({ length: PIECE / 16 }, (_, at) => `row${String(at).padStart(12, '0')}\n`).join(''),
  )
  for (let left = length; left > 0; left -= piece.length)
    yield left < piece.length ? piece.subarray(0, left) : piece
}
