// `doctor`: looks at everything that the proxy needs, and says for each what it did, what it saw and
// what to do. Opens no listener and changes nothing; for OAuth it asks for one token.

import { systemClock } from '../base/clock.ts'
import { Fault } from '../base/fault.ts'
import type { LoadedSettings } from '../config/load.ts'
import { NEEDS_CONFIGURATION, examineAll } from '../server/doctor/doctor.ts'
import { skipped } from '../server/doctor/finding.ts'
import type { Finding } from '../server/doctor/finding.ts'
import { loadConfiguration, takenEnvironment } from './configuration.ts'
import { findingsJson, findingsText } from './doctor-print.ts'
import { examineProcess } from './doctor-process.ts'
import type { ConfigOption, ExitCode, World } from './world.ts'

/** Work that was given up on does not keep the process longer than this. */
const LINGER = 1_000

/** See `doctorCommand`. */
export interface DoctorOptions extends ConfigOption {
  /** Prints JSON in place of text. */
  readonly json?: boolean
}

/** Prints all findings; returns 1 when something here must be mended, 2 when only the remote side fails. */
export async function doctorCommand(options: DoctorOptions, world: World): Promise<ExitCode> {
  const begun = systemClock.now()
  const { findings: first, loaded } = await examineConfiguration(options, world)
  const findings = [...first, ...examineProcess(world, loaded?.settings)]
  if (loaded === undefined) {
    for (const check of NEEDS_CONFIGURATION) {
      findings.push(skipped({ check, side: 'local', did: '' }, 'the configuration is not valid'))
    }
  } else {
    const { settings, captured } = loaded
    const needs = {
      clock: systemClock,
      captured,
      environment: takenEnvironment(world),
      directory: world.cwd,
    }
    findings.push(...(await examineAll(settings, needs)))
  }
  const ms = systemClock.now() - begun
  world.out(options.json === true ? findingsJson(findings) : findingsText(findings, ms))
  const code = exitCodeOf(findings)
  systemClock.after(LINGER, () => world.exit(code))
  return code
}

function exitCodeOf(findings: readonly Finding[]): ExitCode {
  const failed = findings.filter(({ outcome }) => outcome === 'fail')
  if (failed.length === 0) return 0
  return failed.some(({ side }) => side === 'local') ? 1 : 2
}

async function examineConfiguration(
  options: DoctorOptions,
  world: World,
): Promise<{ findings: Finding[]; loaded: LoadedSettings | undefined }> {
  const begun = systemClock.now()
  const common = { check: 'configuration', side: 'local', did: 'read it whole' } as const
  const took = () => Math.round(systemClock.now() - begun)
  try {
    const loaded = await loadConfiguration(options, world)
    const ms = took()
    const warnings = loaded.warnings.map(({ place, fault, remedy }): Finding => ({
      ...common,
      outcome: 'warn',
      saw: `${place} ${fault}`,
      remedy: remedy,
      ms,
    }))
    const valid: Finding = { ...common, outcome: 'ok', saw: 'it is valid', remedy: undefined, ms }
    return { findings: [valid, ...warnings], loaded }
  } catch (error) {
    const fault = Fault.from(error)
    const ms = took()
    const problems = fault.problems.map(({ place, fault: what, remedy }): Finding => ({
      ...common,
      outcome: 'fail',
      saw: `${place} ${what}`,
      remedy,
      ms,
    }))
    const whole: Finding = { ...common, outcome: 'fail', saw: fault.message, remedy: undefined, ms }
    return { findings: problems.length > 0 ? problems : [whole], loaded: undefined }
  }
}
