import { createSocket } from 'node:dgram'
import { once } from 'node:events'

import { SECOND, type Clock } from '../../base/clock.ts'
import type { Finding } from '../../base/finding.ts'
import { messageOf } from '../../base/problem.ts'

const PACKET = 48
/** Seconds from 1900, where NTP counts from, to 1970. */
const TO_UNIX = 2_208_988_800
const WITHIN = 5 * SECOND
// A Date in the future is a sign of spam to filters, and OAuth tokens and DKIM signatures have times too.
const DOUBTFUL = 2 * SECOND
const BAD = 30 * SECOND

/**
 * How far our clock is from a time server's, by one question of SNTP (RFC 5905 section 14).
 *
 * @returns milliseconds by which ours is behind; negative where it is ahead
 * @throws where nothing usable came in time
 */
export async function clockOffset(
  server: { readonly host: string; readonly port: number },
  clock: Clock,
  signal: AbortSignal,
): Promise<number> {
  const socket = createSocket('udp4')
  const patience = AbortSignal.any([signal, AbortSignal.timeout(WITHIN)])
  try {
    const question = Buffer.alloc(PACKET)
    // Version 4, client.
    question.writeUInt8(0x23)
    const asked = clock()
    writeTime(question, 40, asked)
    socket.connect(server.port, server.host)
    await once(socket, 'connect', { signal: patience })
    socket.send(question)
    const [answer] = (await once(socket, 'message', { signal: patience })) as [Buffer]
    const came = clock()
    // Mode 4 is a server; stratum 0 is "kiss of death"; what is not about our question may be anybody's.
    const fits =
      answer.length >= PACKET &&
      (answer.readUInt8(0) & 0x07) === 4 &&
      answer.readUInt8(1) > 0 &&
      answer.subarray(24, 32).equals(question.subarray(40, 48))
    if (!fits) throw new Error('it answered something that is no time')
    return (readTime(answer, 32) - asked + (readTime(answer, 40) - came)) / 2
  } catch (error) {
    if (patience.aborted && !signal.aborted) throw new Error('no answer in time', { cause: error })
    throw error
  } finally {
    socket.close()
  }
}

/** @param offset as `clockOffset` has it, or what it threw */
export function clockFinding(server: string, offset: number | Error): Finding {
  const found = (state: Finding['state'], detail: string, advice = ''): Finding => ({
    check: 'clock',
    about: server,
    state,
    detail,
    advice,
  })
  if (offset instanceof Error) {
    return found(
      'unknown',
      `cannot be asked: ${messageOf(offset)}`,
      'Name a time server that this host reaches in checks.time_server, or write none.',
    )
  }
  const size = Math.abs(offset)
  const words = `${(size / SECOND).toFixed(size < 10 * SECOND ? 3 : 0)} s ${offset > 0 ? 'behind' : 'ahead'}`
  if (size < DOUBTFUL) return found('good', words)
  return found(
    size < BAD ? 'doubtful' : 'bad',
    words,
    'Let the host keep its time: install chrony or systemd-timesyncd.',
  )
}

function writeTime(packet: Buffer, at: number, milliseconds: number): void {
  packet.writeUInt32BE((Math.floor(milliseconds / SECOND) + TO_UNIX) % 2 ** 32, at)
  packet.writeUInt32BE(Math.floor(((milliseconds % SECOND) / SECOND) * 2 ** 32), at + 4)
}

function readTime(packet: Buffer, at: number): number {
  const seconds = packet.readUInt32BE(at)
  // The counter began anew in 2036: what is small is after that.
  const era = seconds < TO_UNIX ? 2 ** 32 : 0
  return (seconds + era - TO_UNIX + packet.readUInt32BE(at + 4) / 2 ** 32) * SECOND
}
