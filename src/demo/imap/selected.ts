import type { Account } from './account.ts'
import { fetchItem, fetchItems, marksSeen } from './fetch.ts'
import type { Mailbox } from './mailbox.ts'
import type { Quirks } from './quirks.ts'
import { bad, no } from './refusal.ts'
import { searchCondition, type Candidate } from './search.ts'
import { word, words, type Token } from './tokenizer.ts'
import { inSet } from './wire.ts'

type Send = (line: string) => void

/** A mailbox as one session has opened it, with the sequence numbers that this session was told of. */
export class SelectedMailbox {
  readonly mailbox: Mailbox
  readonly readOnly: boolean
  readonly #quirks: Quirks
  readonly #send: Send
  /** UIDs by sequence number. Changes only where the client may be told (RFC 3501 section 7.4.1). */
  #view: number[]

  constructor(mailbox: Mailbox, readOnly: boolean, quirks: Quirks, send: Send) {
    this.mailbox = mailbox
    this.readOnly = readOnly
    this.#quirks = quirks
    this.#send = send
    this.#view = mailbox.messages.map(message => message.uid)
  }

  /** What SELECT and EXAMINE say before their OK (section 6.3.1). */
  announce(): void {
    const flags = String.raw`\Answered \Flagged \Deleted \Seen \Draft`
    this.#send(`* FLAGS (${flags})`)
    this.#send(`* OK [PERMANENTFLAGS (${this.readOnly ? '' : String.raw`${flags} \*`})] ok`)
    this.#send(`* ${this.#view.length} EXISTS`)
    this.#send('* 0 RECENT')
    this.#send(`* OK [UIDVALIDITY ${this.mailbox.uidValidity}] ok`)
    this.#send(`* OK [UIDNEXT ${this.mailbox.uidNext}] ok`)
  }

  /** Tells the client what has come and gone since it last heard. */
  sync(): void {
    const now = new Set(this.mailbox.messages.map(message => message.uid))
    for (let index = this.#view.length - 1; index >= 0; index--) {
      if (now.has(this.#view[index] ?? 0)) continue
      this.#view.splice(index, 1)
      this.#send(`* ${index + 1} EXPUNGE`)
    }
    const known = new Set(this.#view)
    const fresh = [...now].filter(uid => !known.has(uid))
    if (fresh.length === 0) return
    this.#view.push(...fresh)
    this.#send(`* ${this.#view.length} EXISTS`)
  }

  /** One of the commands that come with sequence numbers or, after UID, with UIDs (section 6.4.8). */
  perform(name: string, args: readonly Token[], byUid: boolean, account: Account): string | void {
    switch (name.toUpperCase()) {
      case 'FETCH':
        return this.fetch(args, byUid)
      case 'SEARCH':
        return this.search(args, byUid)
      case 'STORE':
        return this.store(args, byUid)
      case 'COPY':
        return `OK ${this.copy(args, byUid, account)} COPY completed`
      case 'MOVE':
        return this.move(args, byUid, account)
      case 'EXPUNGE':
        return this.expunge(word(args[0]))
      default:
        throw bad('Unknown UID command')
    }
  }

  fetch([set, items]: readonly Token[], byUid: boolean): void {
    const wanted = fetchItems(items, byUid, this.#quirks)
    for (const { sequence, message } of this.#pick(word(set), byUid)) {
      if (!this.readOnly && wanted.some(item => marksSeen(item))) {
        message.flags.add(String.raw`\Seen`)
      }
      const answers = wanted.map(item => fetchItem(message, item))
      this.#send(`* ${sequence} FETCH (${answers.join(' ')})`)
    }
  }

  search(keys: readonly Token[], byUid: boolean): void {
    if (this.#quirks.search === 'broken') {
      throw no('[SERVERBUG] UID SEARCH Server error - Please try again later')
    }
    const condition = searchCondition(keys, {
      sequence: this.#view.length,
      uid: this.#view.at(-1) ?? 0,
    })
    const found = this.#pick('1:*', false).filter(candidate => condition(candidate))
    const numbers = found.map(({ sequence, message }) => (byUid ? message.uid : sequence))
    this.#send(['* SEARCH', ...numbers].join(' '))
  }

  store([set, operation, flags]: readonly Token[], byUid: boolean): void {
    this.#writable()
    const match = /^([+-]?)FLAGS(\.SILENT)?$/i.exec(word(operation))
    if (!match) throw bad('Unknown STORE item')
    for (const { sequence, message } of this.#pick(word(set), byUid)) {
      if (match[1] === '') message.flags.clear()
      for (const flag of words(flags)) {
        if (match[1] === '-') message.flags.delete(flag)
        else message.flags.add(flag)
      }
      if (match[2] !== undefined) continue
      this.#send(`* ${sequence} FETCH (UID ${message.uid} FLAGS (${[...message.flags].join(' ')}))`)
    }
  }

  /** @returns the response code of RFC 4315 section 3, or '' */
  copy([set, name]: readonly Token[], byUid: boolean, account: Account): string {
    const target = account.get(word(name))
    if (!target) throw no('[TRYCREATE] No such mailbox')
    const sources = this.#pick(word(set), byUid).map(({ message }) => message)
    const copies = sources.map(message => target.append(message).uid)
    if (sources.length === 0) return ''
    return `[COPYUID ${target.uidValidity} ${sources.map(message => message.uid).join(',')} ${copies.join(',')}]`
  }

  move(arguments_: readonly Token[], byUid: boolean, account: Account): void {
    this.#writable()
    const moved = this.#pick(word(arguments_[0]), byUid).map(({ message }) => message.uid)
    const code = this.copy(arguments_, byUid, account)
    // RFC 6851 section 4.3: COPYUID goes in an untagged OK, before the EXPUNGEs.
    if (code !== '') this.#send(`* OK ${code} moved`)
    this.mailbox.remove(new Set(moved))
    this.sync()
  }

  /** @param set UIDs, for UID EXPUNGE (RFC 4315 section 2.1); all that are marked without it */
  expunge(set?: string): void {
    this.#writable()
    const largest = this.#view.at(-1) ?? 0
    const gone = this.mailbox.messages.filter(
      message =>
        message.flags.has(String.raw`\Deleted`) &&
        (set === undefined || inSet(set, message.uid, largest)),
    )
    this.mailbox.remove(new Set(gone.map(message => message.uid)))
    this.sync()
  }

  #pick(set: string, byUid: boolean): Candidate[] {
    const largest = byUid ? (this.#view.at(-1) ?? 0) : this.#view.length
    const messages = new Map(this.mailbox.messages.map(message => [message.uid, message]))
    return this.#view.flatMap((uid, index) => {
      const message = messages.get(uid)
      const number = byUid ? uid : index + 1
      if (!message || !inSet(set, number, largest)) return []
      return [{ sequence: index + 1, message }]
    })
  }

  #writable(): void {
    if (this.readOnly) throw no('[READ-ONLY] Mailbox is read-only')
  }
}
