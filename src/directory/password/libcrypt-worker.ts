import { timingSafeEqual } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

import { load } from 'koffi'

import type { CryptAnswer, CryptQuestion } from './libcrypt.ts'

/**
 * The thread that calls libcrypt. crypt_rn is synchronous and may take 160 ms, so it does not belong on the main
 * thread; and koffi's own asynchronous calls do not keep the buffer alive, which corrupts the heap.
 */

// Debian's name, and Fedora's.
const LIBRARIES = ['libcrypt.so.1', 'libcrypt.so.2']

// sizeof(struct crypt_data) of libxcrypt and of glibc is 32 KiB and 128 KiB. One buffer for the life of the thread.
const work = Buffer.alloc(256 * 1024)

type CryptRn = (phrase: Buffer, setting: string, data: Buffer, size: number) => string | null

function openLibrary(): CryptRn | undefined {
  for (const name of LIBRARIES) {
    try {
      return load(name).func(
        'str crypt_rn(const uint8_t *phrase, const char *setting, void *data, int size)',
      ) as CryptRn
    } catch {
      continue
    }
  }
  return undefined
}

const crypt = openLibrary()

function answer(question: CryptQuestion): CryptAnswer {
  if (crypt === undefined) return { id: question.id, result: 'unusable' }
  const phrase = Buffer.from(`${question.password}\0`)
  try {
    const computed = crypt(phrase, question.hash, work, work.length)
    // `*0` and `*1` are libcrypt's words for failure, WHATEVER was stored: `*0` as a setting answers `*1`.
    if (computed === null || computed.startsWith('*')) {
      return { id: question.id, result: 'unusable' }
    }
    if (question.make === true) return { id: question.id, result: 'made', hash: computed }
    const [one, other] = [Buffer.from(computed), Buffer.from(question.hash)]
    const match = one.length === other.length && timingSafeEqual(one, other)
    return { id: question.id, result: match ? 'match' : 'mismatch' }
  } finally {
    phrase.fill(0)
    work.fill(0)
  }
}

parentPort?.on('message', (question: CryptQuestion) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(answer(question))
})
