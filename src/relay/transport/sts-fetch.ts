import { MINUTE } from '../../base/clock.ts'

// RFC 8461 section 3.3 suggests both.
const TIMEOUT = MINUTE
const MAX_OCTETS = 64 * 1_024

/**
 * Fetches an MTA-STS policy over HTTPS (RFC 8461 section 3.3): certificate verified, no redirects, at most 64 KiB in
 * at most a minute.
 *
 * @throws whatever goes wrong; the text alone says nothing about the policy being well formed
 */
export async function fetchStsPolicy(domain: string, signal: AbortSignal): Promise<string> {
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(new Error('the policy server is too slow')), TIMEOUT)
  try {
    const response = await fetch(`https://mta-sts.${domain}/.well-known/mta-sts.txt`, {
      redirect: 'error',
      signal: AbortSignal.any([signal, limit.signal]),
      headers: { accept: 'text/plain' },
    })
    return await policyText(response)
  } finally {
    clearTimeout(timer)
    limit.abort()
  }
}

/** @throws unless it is a 200 with plain text of a bearable length */
export async function policyText(response: Response): Promise<string> {
  const type = response.headers.get('content-type') ?? ''
  if (response.status !== 200) throw new Error(`the policy server answers ${response.status}`)
  if (!/^text\/plain\b/i.test(type)) throw new Error('the policy is not text/plain')
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length
    if (size > MAX_OCTETS) throw new Error('the policy is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
