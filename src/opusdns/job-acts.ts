// What a batch of `POST /v1/jobs` would do: all that its commands would, whether they run at once, later,
// or only after somebody resumes them.

import { notUnderstood, within } from '../base/body-fault.ts'
import type { Place } from '../base/body-fault.ts'
import { isRecord } from '../base/record.ts'
import { actOf } from './act.ts'
import type { ActList } from './act-list.ts'
import { filledListIn, objectAt, shape, textIn } from './body-shape.ts'
import type { Members } from './body-shape.ts'
import { JOB_COMMANDS } from './job-commands.ts'
import type { JobCommand } from './job-commands.ts'
import { operationNamed } from './operation-named.ts'

/** The body of `POST /v1/jobs`. */
export const BATCH = shape('commands:list label:text? not_before:text? paused:flag?')

const COMMAND = shape('command:text? type:text? payload:object version:text? idempotency_key:text?')
const WITH_TEMPLATE = shape('template:object? instances:list')
const WITHOUT_TEMPLATE = shape('instances:list')
const VERSION = 'v1'
const JOBS = operationNamed('POST /v1/jobs')

/**
 * The acts of all commands, in their order; and one of `POST /v1/jobs` itself where one of them has an
 * `idempotency_key`: a key that anybody used before is answered with the job and the thing that it made.
 * Throws a `body_not_understood` Fault.
 */
export function jobActs(body: Members, place: Place | undefined, list: ActList): void {
  const commandsPlace = within(place, 'commands')
  let keyed = false
  for (const [at, value] of filledListIn(body, 'commands', place).entries()) {
    const commandPlace = within(commandsPlace, at)
    const members = objectAt(value, commandPlace, COMMAND)
    const command = commandOf(members, commandPlace)
    if ((textIn(members, 'version') ?? VERSION) !== VERSION) {
      const fault = 'It is another version of the command.'
      throw notUnderstood(within(commandPlace, 'version'), fault, `Send ${VERSION}.`)
    }
    payloadActs(command, members['payload'], within(commandPlace, 'payload'), list)
    if (!keyed && textIn(members, 'idempotency_key') !== undefined) {
      keyed = true
      list.add(actOf(JOBS, {}))
    }
  }
}

// The specification says `command`, the documentation `type`. Where a body has both, nobody knows
// which one counts.
function commandOf(members: Members, place: Place): JobCommand {
  const spellings = ['command', 'type'].filter((name) => Object.hasOwn(members, name))
  const [spelling] = spellings
  if (spelling === undefined || spellings.length > 1) {
    const fault = 'It must have exactly one of command and type.'
    throw notUnderstood(place, fault, 'Send command alone.')
  }
  const found = JOB_COMMANDS.get(textIn(members, spelling) ?? '')
  if (found !== undefined) return found
  const remedy = 'Send a command that the API documents.'
  throw notUnderstood(within(place, spelling), 'It is no known command.', remedy)
}

function payloadActs(command: JobCommand, payload: unknown, place: Place, list: ActList): void {
  const { template: templateShape } = command
  if (templateShape === undefined) {
    command.judge(objectAt(payload, place, command.payload), place, list)
    return
  }
  const takesTemplate = templateShape !== 'none'
  const members = objectAt(payload, place, takesTemplate ? WITH_TEMPLATE : WITHOUT_TEMPLATE)
  const given = members['template'] ?? {}
  const template = takesTemplate ? objectAt(given, within(place, 'template'), templateShape) : {}
  boundMembers(template, within(place, 'template'))
  const instancesPlace = within(place, 'instances')
  for (const [at, value] of filledListIn(members, 'instances', place).entries()) {
    const instancePlace = within(instancesPlace, at)
    const instance = objectAt(value, instancePlace, command.payload)
    command.judge(takesTemplate ? merged(template, instance) : instance, instancePlace, list)
  }
}

// The objects of a template of which a member is judged, and the members that one may have: the API
// knows four kinds of contact, and two members of a period.
const JUDGED_OBJECTS = ['contacts', 'period'] as const
const MOST_MEMBERS = 10

// They are merged for each instance, so that a large one would cost members times instances.
function boundMembers(template: Members, place: Place): void {
  for (const name of JUDGED_OBJECTS) {
    const value = template[name]
    if (!isRecord(value) || Object.keys(value).length <= MOST_MEMBERS) continue
    const fault = `It has more than ${MOST_MEMBERS} members.`
    throw notUnderstood(within(place, name), fault, 'Send those that the API documents.')
  }
}

// What an instance says wins; null, or nothing, takes what the template says. Whether an object replaces
// that of the template, or is merged with it, is not documented: where members of it are judged, those of
// both are.
function merged(template: Members, instance: Members): Members {
  const all: Record<string, unknown> = { ...template }
  for (const [name, value] of Object.entries(instance)) {
    if (value !== null || !Object.hasOwn(all, name)) all[name] = value
  }
  for (const name of JUDGED_OBJECTS) {
    const [before, value] = [template[name], instance[name]]
    if (isRecord(before) && isRecord(value)) all[name] = { ...before, ...value }
  }
  return all
}
