// Loaded before the program: SIGUSR2 throws an error that nobody catches.

process.on('SIGUSR2', () => {
  setImmediate(() => {
    throw new Error('thrown by the fault suite')
  })
})
