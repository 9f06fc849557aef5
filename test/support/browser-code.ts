import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Compiles the page's own code into a folder, as the build does. */
export async function compileBrowserCode(folder: string): Promise<void> {
  await promisify(execFile)(process.execPath, [
    'node_modules/typescript/bin/tsc',
    '-p',
    'tsconfig.browser.json',
    '--outDir',
    folder,
  ])
}
