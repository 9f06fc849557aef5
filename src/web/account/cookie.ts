/** The cookie that says who is signed in. RFC 6265bis section 4.1.3.2: with `__Host-` no other host can set it. */
const NAME = 'mailcanary-account'

/** @param secure false only where the page is on this host without TLS, where a browser would refuse the prefix */
export function cookieHeader(value: string, secure: boolean): string {
  const attributes = ['Path=/', 'HttpOnly', 'SameSite=Strict', ...(secure ? ['Secure'] : [])]
  // For as long as the browser lives, and no longer than the session.
  return [`${nameOf(secure)}=${value}`, ...attributes].join('; ')
}

export function endingCookie(secure: boolean): string {
  return `${cookieHeader('', secure)}; Max-Age=0`
}

/** @param header of the request @returns '' where there is none */
export function cookieFrom(header: string | undefined, secure: boolean): string {
  const wanted = `${nameOf(secure)}=`
  const pair = (header ?? '').split(/; */).find(text => text.startsWith(wanted))
  return pair?.slice(wanted.length) ?? ''
}

function nameOf(secure: boolean): string {
  return secure ? `__Host-${NAME}` : NAME
}
