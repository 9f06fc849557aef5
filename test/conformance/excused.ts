/** What the judge may leave open at our server, and why. */
export const EXCUSED: ReadonlyMap<string, string> = new Map([
  ['C14', 'five minutes are not waited for: the default is checked, and that deadlines hold'],
  ['T07', 'we do not start without a certificate'],
])
