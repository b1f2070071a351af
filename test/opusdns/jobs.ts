// Batches of commands. They are accepted and counted, never run.

import { objectOf, reference, type Handler } from './call.ts'
import { page } from './pages.ts'
import { invalid, json, missing, problem } from './problems.ts'
import { typeid } from './typeid.ts'

interface Batch {
  readonly batch_id: string
  readonly label: unknown
  readonly status: string
  readonly total_jobs: number
  readonly created_on: string
}

/** The handlers by `METHOD path`. */
export function jobHandlers(now: () => number): Readonly<Record<string, Handler>> {
  const batches = new Map<string, Batch>()
  return {
    'GET /v1/jobs': (call) => page([...batches.values()], call.query),
    'POST /v1/jobs'(call) {
      const parsed = objectOf(call.body)
      if ('refusal' in parsed) return parsed.refusal
      const lacking = missing(parsed.value, ['commands'])
      if (lacking.length > 0) return invalid(lacking)
      const { commands, label = null, paused } = parsed.value
      if (!Array.isArray(commands)) {
        const msg = 'Input should be a valid list'
        return invalid([{ type: 'list_type', loc: ['body', 'commands'], msg, input: commands }])
      }
      const title = 'Batch Operation Error'
      if (commands.length === 0) {
        const detail = 'The batch holds no commands'
        return problem({
          type: 'batch-empty',
          title,
          status: 400,
          code: 'ERROR_BATCH_EMPTY',
          detail,
        })
      }
      const id = typeid('batch')
      const created = new Date(now()).toISOString()
      const status = paused === true ? 'paused' : 'queued'
      batches.set(id, {
        batch_id: id,
        label,
        status,
        total_jobs: commands.length,
        created_on: created,
      })
      return json(201, {
        batch_id: id,
        status_url: `/v1/jobs/${id}`,
        total_commands: commands.length,
        jobs_created: commands.length,
        jobs_failed: 0,
        jobs_duplicated: 0,
        errors: [],
        duplicates: [],
      })
    },
    'GET /v1/jobs/{batch_id}'(call) {
      const id = reference(call)
      const batch = batches.get(id)
      if (batch)
        return json(200, {
          batch_id: id,
          label: batch.label,
          total: batch.total_jobs,
          queued: batch.total_jobs,
        })
      return problem({
        type: 'batch-not-found',
        title: 'Batch Operation Error',
        status: 404,
        code: 'ERROR_BATCH_NOT_FOUND',
        correlation_id: id,
        detail: `No batch found with correlation_id '${id}'`,
      })
    },
  }
}
