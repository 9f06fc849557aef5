import { codeOf, Problem } from '../base/problem.ts'

/**
 * What a listener that cannot have its port says to a person; any other error as it is.
 *
 * @param name of the listener: `admin web`
 */
export function listenProblem(error: unknown, name: string, host: string, port: number): unknown {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new Problem(
        `The ${name} listener cannot have ${host}:${port}: another program listens there. ` +
          'Stop it, or choose another port.',
      )
    case 'EACCES':
      return new Problem(
        `The ${name} listener may not open ${host}:${port}: ports below 1024 need a privilege. ` +
          'Choose another port.',
      )
    case 'EADDRNOTAVAIL':
      return new Problem(`The ${name} listener cannot have ${host}: it is no address of this host.`)
    default:
      return error
  }
}
