/*
 * Looks for secrets where they must not be. What lies about is seldom the secret as it is: AUTH PLAIN puts it into the middle of
 * base 64, a URL escapes it, JSON quotes it.
 */

/** Every secret of which some form stands in the text, with the form. */
export function findSecrets(text: string, secrets: readonly string[]): readonly string[] {
  return secrets.flatMap(secret =>
    formsOf(secret)
      .filter(form => text.includes(form))
      .map(form => (form === secret ? secret : `${secret} as ${form}`)),
  )
}

function formsOf(secret: string): readonly string[] {
  const octets = Buffer.from(secret)
  const encoded = [0, 1, 2].map(before => within64(octets, before))
  return [
    ...new Set([
      secret,
      encodeURIComponent(secret),
      JSON.stringify(secret).slice(1, -1),
      octets.toString('hex'),
      ...encoded,
      ...encoded.map(text => text.replaceAll('+', '-').replaceAll('/', '_')),
    ]),
  ]
}

/** What base 64 makes of octets after so many others (modulo 3), without the letters that its neighbours have a part in. */
function within64(octets: Buffer, before: number): string {
  const all = Buffer.concat([Buffer.alloc(before), octets])
  const letters = all.toString('base64').replaceAll('=', '')
  return letters.slice([0, 2, 3][before], all.length % 3 === 0 ? undefined : -1)
}
