// Loaded before the program: SIGUSR2 moves the wall clock by JUMP_MS, as an operator or NTP does.

const RealDate = Date
let shift = 0
const shifted = () => RealDate.now() + shift

globalThis.Date = new Proxy(RealDate, {
  construct(target, given: unknown[], newTarget) {
    return Reflect.construct(target, given.length === 0 ? [shifted()] : given, newTarget) as Date
  },
  get(target, name, receiver) {
    return name === 'now' ? shifted : (Reflect.get(target, name, receiver) as unknown)
  },
})

process.on('SIGUSR2', () => {
  shift += Number(process.env['JUMP_MS'])
  process.stderr.write(`the clock says ${new Date().toISOString()}\n`)
})
