import type { Check } from '../check.ts'
import type { WireReply } from '../wire-client.ts'

/** Who somebody is taken for: the rest of section A. */
export const IDENTITY: readonly Check[] = [
  {
    id: 'A14',
    statement: 'AUTH= on MAIL is taken where it is xtext',
    source: 'RFC 4954 5',
    level: 'M',
    async run(probe) {
      const client = await probe.session()
      const mail = (value: string): Promise<WireReply> =>
        client.command(`MAIL FROM:<${probe.options.sender}> AUTH=${value}`)
      for (const value of ['<>', 'e+3Dmc2@example.com', 'someone@example.org']) {
        probe.expect(await mail(value), [250], value)
        await client.command('RSET')
      }
      const malformed = await mail('e+3')
      probe.should(malformed.code === 501, `e+3: ${malformed.text}`)
    },
  },
  {
    id: 'A15',
    statement: 'To act as somebody else is refused; no or the own authorisation identity is fine',
    source: 'RFC 4954 4, RFC 4616',
    level: 'S',
    async run(probe) {
      const { login, password } = probe.options
      const plain = async (identity: string): Promise<WireReply> => {
        const token = Buffer.from(`${identity}\0${login}\0${password}`).toString('base64')
        return (await probe.greeted()).command(`AUTH PLAIN ${token}`)
      }
      const other = await plain('somebody-else')
      probe.must(other.code >= 500, `somebody else: ${other.text}`)
      probe.expect(await plain(''), [235], 'none')
      const own = await plain(login)
      probe.should(own.code === 235, `own: ${own.text}`)
    },
  },
  {
    id: 'A16',
    statement: 'Guessing ends with 421',
    source: 'RFC 5321 7.8',
    level: 'p',
    async run(probe) {
      probe.need(probe.options.drastic === true, 'would lock this network out')
      const { login } = probe.options
      const guess = async (number: number): Promise<number> => {
        const client = await probe.greeted().catch(() => undefined)
        if (client === undefined) return 421
        const answer = await client.logIn(`${login}-guessed`, `guess ${number}`)
        client.destroy()
        return answer.code
      }
      for (let first = 0; first < 30; first += 10) {
        // Many at a time, as those who guess do.
        const codes = await Promise.all(Array.from({ length: 10 }, (_, n) => guess(first + n)))
        if (codes.includes(421)) return
        probe.must(
          codes.every(code => code === 535),
          codes.join(),
        )
      }
      probe.broken('thirty distinct wrong passwords were looked at')
    },
  },
]
