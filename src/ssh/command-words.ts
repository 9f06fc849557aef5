// What a shell would do something with outside quotes. There is no shell here, and nobody should believe there is.
const SHELL = /[;&|<>()$`*?[\]{}~#\n\r\0]/

/**
 * The words of a command line as ssh hands it over: separated by blanks, with quotes and backslashes as a shell reads them,
 * and nothing else a shell does.
 *
 * @returns undefined where quotes do not close, or for anything that only a shell could mean
 */
export function commandWords(line: string): readonly string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const c = line.charAt(at)
    if (quote !== '') {
      if (c === quote) quote = ''
      else if (c === '\\' && quote === '"' && /["\\$`]/.test(line.charAt(at + 1))) {
        word += line.charAt(++at)
      } else word += c
    } else if (c === ' ' || c === '\t') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (c === '"' || c === "'") {
      quote = c
      word ??= ''
    } else if (c === '\\') {
      if (++at === line.length) return undefined
      word = (word ?? '') + line.charAt(at)
    } else {
      if (SHELL.test(c)) return undefined
      word = (word ?? '') + c
    }
  }
  if (quote !== '') return undefined
  return word === undefined ? words : [...words, word]
}
