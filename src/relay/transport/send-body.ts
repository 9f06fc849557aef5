import { DotStuffer } from './dot-stuffing.ts'
import { category, type SmtpClient } from './smtp-client.ts'
import { SmtpFault } from './smtp-fault.ts'

/**
 * Sends a message after the 354, up to and with the final dot.
 *
 * @param dotSent told right before the dot goes out. If this throws before that, the next hop cannot have the message;
 * once it has been called nothing is thrown any more, and only the reply to the dot tells
 * @throws SmtpFault, or what reading the body throws; the connection has to be closed then, without a dot
 */
export async function sendBody(
  client: SmtpClient,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  dotSent: () => void,
): Promise<void> {
  const { wire, timers } = client
  const stuffer = new DotStuffer()
  // One piece is kept back, so that the last one and the dot leave together.
  let held: Uint8Array = new Uint8Array(0)
  for await (const chunk of body) {
    if (held.length > 0) await wire.write(held, timers.block, 'the message')
    if (!wire.clean) await interrupted(client)
    held = stuffer.push(chunk)
  }
  if (!wire.clean) await interrupted(client)
  dotSent()
  // Even if this write fails its octets may have arrived: only the reply can tell.
  await wire
    .write([held, stuffer.end()], timers.block, 'the end of the message')
    .catch(() => undefined)
}

/** The server spoke, or went, before the final dot. What it said is the reason. */
async function interrupted(client: SmtpClient): Promise<never> {
  const { reply } = await client.wire.reply(client.timers.data, 'the message')
  if (category(reply) === 4 || category(reply) === 5) throw new SmtpFault('reply', reply)
  throw new SmtpFault('protocol', 'the server answered before the message had ended')
}
