import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What a file is made of; pieces are written one by one, and asked for when the one before has been written. */
export type FileContent = string | Uint8Array | Iterable<string>

/**
 * Replaces a file so that a reader, or a crash at any moment, finds the old one whole or the new one whole.
 * When it resolves the new content survives a power loss: the file is synced before the rename, the folder after.
 *
 * @param mode permissions of the new file; 0600 unless told, since what we keep is private
 */
export async function writeAtomically(
  path: string,
  content: FileContent,
  mode = 0o600,
): Promise<void> {
  const next = `${path}.${process.pid}.next`
  try {
    const file = await open(next, 'w', mode)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(next, path)
  } catch (error) {
    await rm(next, { force: true })
    throw error
  }
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
