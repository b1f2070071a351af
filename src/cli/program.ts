// The command line: names, options and help of every command; the home of commander.

import { Command, CommanderError } from 'commander'

import { VERSION } from '../base/version.ts'
import { auditVerifyCommand } from './audit.ts'
import { budgetCommand, clearBudgetCommand } from './budget.ts'
import type { BudgetOptions, ClearBudgetOptions } from './budget.ts'
import { checkCommand } from './check.ts'
import { doctorCommand } from './doctor.ts'
import { explainCommand } from './explain.ts'
import type { ExplainOptions } from './explain.ts'
import { healthcheckCommand } from './healthcheck.ts'
import { newKeyCommand } from './keys.ts'
import type { NewKeyOptions } from './keys.ts'
import { learnCommand } from './learn.ts'
import type { LearnOptions } from './learn.ts'
import { printFault } from './printer.ts'
import { serveCommand } from './serve.ts'
import { tokenCommand } from './token.ts'
import { versionCommand } from './version.ts'
import type { ConfigOption, ExitCode, World } from './world.ts'

const CONFIG_HELP = 'YAML file with settings (default: OPUSDNS_PROXY_CONFIG, or none)'

/** Runs the command that `args` name (without node and script) and resolves with the exit code. */
export async function runProgram(args: readonly string[], world: World): Promise<ExitCode> {
  let code: ExitCode = 0
  const program = new Command('opusdns-auth-proxy')
    .description(
      'Forwards requests to the OpusDNS API and attaches the credential, so that services need none.',
    )
    .version(VERSION, '--version', 'show the version')
    .exitOverride()
    .configureOutput({ writeOut: world.out, writeErr: world.err })
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for the commands and options)')

  function command(
    name: string,
    description: string,
    run: (options: ConfigOption) => Promise<ExitCode>,
  ): Command {
    return program
      .command(name, { isDefault: name === 'serve' })
      .description(description)
      .action(async (options: ConfigOption) => {
        code = await run(options)
      })
  }

  command('serve', 'Run the proxy (the default command).', (options) =>
    serveCommand(options, world),
  )
    .option('--config <file>', CONFIG_HELP)
    .addHelpText(
      'after',
      '\nExample: OPUSDNS_API_KEY=opk_… npm start\nSIGTERM and SIGINT drain; a second one ends at once.',
    )
  command('check', 'Check the configuration: reads files, opens no connection.', (options) =>
    checkCommand(options, world),
  ).option('--config <file>', CONFIG_HELP)
  command(
    'healthcheck',
    'Ask a running proxy whether it is ready; for container probes.',
    (options) => healthcheckCommand(options, world),
  )
    .option('--config <file>', CONFIG_HELP)
    .option('--live', 'ask only whether it is alive')
  command(
    'token',
    'Get one OAuth token and show its life and fingerprint, never the token.',
    (options) => tokenCommand(options, world),
  ).option('--config <file>', CONFIG_HELP)
  command(
    'doctor',
    'Look at everything that the proxy needs, and say what to do. Asks for one token; changes nothing.',
    (options) => doctorCommand(options, world),
  )
    .option('--config <file>', CONFIG_HELP)
    .option('--json', 'print an array of {check, outcome, did, saw, remedy, ms}')
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing failed (warnings may stand), 1 the configuration or this machine, 2 the remote side.',
    )
  program
    .command('audit')
    .description('Look at records of the audit log.')
    .command('verify')
    .description('Say whether records were taken out or changed, and where.')
    .argument('<files...>', 'audit files, oldest first; those named .gz are unpacked')
    .action(async (files: string[]) => {
      code = await auditVerifyCommand(files, world)
    })
  const budget = program
    .command('budget')
    .description('Look at what consumers bought, and settle what nobody knows.')
  budget
    .command('show', { isDefault: true })
    .description('Show what is spent in the present period, and unknown outcomes (the default).')
    .option('--config <file>', CONFIG_HELP)
    .option('--json', 'print {consumers, unknown}')
    .action(async (options: BudgetOptions) => {
      code = await budgetCommand(options, world)
    })
  budget
    .command('clear')
    .description('Settle unknown outcomes, after a look at OpusDNS.')
    .argument('<ids...>', 'as `budget` shows them')
    .option('--spent', 'it was bought')
    .option('--not-spent', 'it was not bought: the budget has it back')
    .option('--config <file>', CONFIG_HELP)
    .option('--json', 'print {outcome, results}')
    .action(async (ids: string[], options: ClearBudgetOptions) => {
      code = await clearBudgetCommand(ids, options, world)
    })
  program
    .command('keys')
    .description('Make keys of consumers.')
    .command('new')
    .description('Make a consumer key: shown once on stdout, and its digest for the configuration.')
    .option('--consumer <name>', 'name of the consumer, for the lines of the configuration')
    .option('--expires <when>', 'a duration (90d), a date, or date and time; never if left out')
    .option('--json', 'print {consumer, id, key, sha256, expires} to stdout')
    .addHelpText(
      'after',
      '\nExample: npm run -s cli -- keys new --consumer certbot --expires 90d >certbot.key',
    )
    .action(async (options: NewKeyOptions) => {
      code = await newKeyCommand(options, world)
    })
  program
    .command('explain')
    .description('Say whether a request may pass, by which grant, or what is missing.')
    .argument('<method>', 'GET, POST, …')
    .argument('<path>', 'such as /v1/dns/example.com')
    .option('--config <file>', CONFIG_HELP)
    .option('--consumer <name>', 'who asks; needed where there are several')
    .option('--body <file>', 'file with the body, as JSON')
    .option('--json', 'print an object')
    .addHelpText(
      'after',
      '\nExit codes: 0 allowed, 1 denied (in report mode too, where it passes), or something is wrong with the question.',
    )
    .action(async (method: string, path: string, options: ExplainOptions) => {
      code = await explainCommand([method, path], options, world)
    })
  program
    .command('learn')
    .description('Print the least grants for the traffic of audit files.')
    .argument('<files...>', 'audit files; those named .gz are unpacked')
    .option('--consumer <name>', 'only this one')
    .option('--denied-only', 'only what report mode would have denied')
    .action(async (files: string[], options: LearnOptions) => {
      code = await learnCommand(files, options, world)
    })
  command('version', 'Show the version.', () => versionCommand(world))
  program.addHelpText(
    'after',
    '\nExit codes: 0 ok, 1 user or configuration error, 2 remote or unreachable.',
  )

  // Without this, an unknown word would count as an argument of the default command.
  const [word, next] = args
  const unknown =
    unknownIn(program, word) ?? (word === 'budget' ? unknownIn(budget, next) : undefined)
  if (unknown !== undefined) {
    world.err(unknown)
    return 1
  }
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1
    world.err(printFault(error))
    return 1
  }
  return code
}

/** What is wrong with `word` as one of the commands of `parent`, if it is to be one. */
function unknownIn(parent: Command, word: string | undefined): string | undefined {
  const known = [...parent.commands.map((one) => one.name()), 'help']
  if (word === undefined || word.startsWith('-') || known.includes(word)) return undefined
  return `error: unknown command '${word}'; the commands are ${known.join(', ')} (see --help)\n`
}
