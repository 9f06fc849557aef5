import { closeSync, fstatSync, openSync, read } from 'node:fs'
import { promisify } from 'node:util'

import { codeOf } from '../../../base/problem.ts'
import { FILE_PIECE, decipherOf, type BodyFile } from './body-file.ts'
import type { BodyFolder } from './body-folder.ts'
import { translateFile } from './failure.ts'

const readInto = promisify(read)

/**
 * The content of a file in pieces, each read when it is asked for. That the file is what was written shows behind the last
 * piece, and is thrown there: nobody may take what came before for a whole message.
 *
 * @throws StoreUnavailable where files cannot be opened now; Error, with the file and what is wrong, where it is this one
 */
export async function* readBodyFile(
  folder: BodyFolder,
  body: BodyFile,
): AsyncGenerator<Uint8Array> {
  const path = folder.file(body.name)
  const file = openFile(path)
  try {
    const { size } = fstatSync(file)
    if (size !== body.size) throw lost(`${path} has ${size} octets instead of ${body.size}`)
    const decipher = decipherOf(body)
    const buffer = Buffer.allocUnsafeSlow(Math.min(FILE_PIECE, body.size))
    for (let at = 0; at < size;) {
      const { bytesRead } = await readInto(file, buffer, 0, buffer.length, at)
      if (bytesRead === 0) throw lost(`${path} has ${at} octets instead of ${body.size}`)
      at += bytesRead
      yield decipher.update(buffer.subarray(0, bytesRead))
    }
    try {
      decipher.final()
    } catch {
      throw lost(`${path} is not what was written`)
    }
  } finally {
    closeSync(file)
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    const code = codeOf(error)
    // Too many files: of all, not of this one.
    if (code === 'EMFILE' || code === 'ENFILE') throw translateFile(error)
    throw code === 'ENOENT' ? lost(`${path} is not there`) : error
  }
}

function lost(how: string): Error {
  return new Error(
    `${how}; put it back from a backup, or remove the message: mailcanary queue drop`,
  )
}
