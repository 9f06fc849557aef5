// More would be no uid of any directory we know, and bounds what an unknown login can cost.
const LONGEST_LOGIN = 64

/**
 * A login as it is compared: lower case.
 *
 * @returns undefined for what can be nobody's: empty, over 64 octets, or with a space, control, half a character, `@` or colon in it
 */
export function canonicalLogin(text: string): string | undefined {
  const login = text.toLowerCase()
  if (login === '' || Buffer.byteLength(login) > LONGEST_LOGIN) return undefined
  return /[\s\p{Control}\p{Surrogate}@:\ufffd]/u.test(login) ? undefined : login
}

/**
 * What a client wrote where its login belongs: the bare login, or, by option, the login at one of the own domains,
 * which is what Outlook's and Apple's profiles like to send.
 */
export function loginFromClient(
  text: string,
  domains: readonly string[],
  acceptAddress: boolean,
): string | undefined {
  const at = text.lastIndexOf('@')
  if (at < 0) return canonicalLogin(text)
  if (!acceptAddress || !domains.includes(text.slice(at + 1).toLowerCase())) return undefined
  return canonicalLogin(text.slice(0, at))
}
