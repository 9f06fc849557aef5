/*
 * As much of a shell as documentation is written in: simple commands, joined by ; | && || and line ends, with quotes,
 * redirections, here-documents and $( ). Whether it is shell at all, `bash -n` tells.
 */

/** The simple commands of a text, each as its words; what stands in $( ) comes too. */
export function simpleCommands(text: string): readonly (readonly string[])[] {
  const commands: string[][] = []
  for (const line of logicalLines(text)) commands.push(...commandsOf(line))
  return commands
}

/** What is left of a command when everything before a program's name is taken away: `sudo -u alice`, `X=1`, `exec`. */
export function wordsAfter(
  program: string,
  command: readonly string[],
): readonly string[] | undefined {
  const index = command.findIndex(word => word === program || word.endsWith(`/${program}`))
  if (index === -1) return undefined
  const before = command.slice(0, index)
  const leads = /^(?:sudo|exec|env|do|then|if|!|while|time|-u|-n|-[ugn]\w+|\w+=.*)$/
  const names = before.filter((word, at) => before[at - 1] !== '-u' && !leads.test(word))
  return names.length === 0 ? command.slice(index + 1) : undefined
}

/** Lines with their continuations, without comments and without the texts of here-documents. */
function logicalLines(text: string): string[] {
  const lines: string[] = []
  let end = ''
  for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
    if (end !== '') {
      if (line.trim() === end) end = ''
      continue
    }
    end = /<<-?\s*['"]?(\w+)/.exec(line)?.[1] ?? ''
    lines.push(line)
  }
  return lines
}

function commandsOf(line: string): string[][] {
  const commands: string[][] = []
  let words: string[] = []
  let word: string | undefined
  const endWord = (): void => {
    if (word !== undefined) words.push(word)
    word = undefined
  }
  const endCommand = (): void => {
    endWord()
    const kept = withoutRedirections(words)
    if (kept.length > 0) commands.push(kept)
    words = []
  }
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? ''
    if (char === '#' && word === undefined) break
    if (char === "'" || char === '"') {
      const close = line.indexOf(char, at + 1)
      const end = close === -1 ? line.length : close
      const quoted = line.slice(at + 1, end)
      if (char === '"') commands.push(...substitutionsOf(quoted))
      word = (word ?? '') + quoted
      at = end
    } else if (line.startsWith('$(', at)) {
      const end = closing(line, at + 1)
      commands.push(...substitutionsOf(line.slice(at, end + 1)))
      word = (word ?? '') + line.slice(at, end + 1)
      at = end
    } else if (/[;|&(){}]/.test(char) && line[at - 1] !== '$') {
      endCommand()
    } else if (/\s/.test(char)) {
      endWord()
    } else {
      word = (word ?? '') + char
    }
  }
  endCommand()
  return commands
}

function substitutionsOf(text: string): string[][] {
  const found: string[][] = []
  for (let at = text.indexOf('$('); at !== -1; at = text.indexOf('$(', at + 1)) {
    found.push(...commandsOf(text.slice(at + 2, closing(text, at + 1))))
  }
  return found
}

/** Where the bracket that opens at an index closes. */
function closing(text: string, open: number): number {
  let depth = 0
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1
    if (text[at] === ')') depth -= 1
    if (depth === 0) return at
  }
  return text.length
}

function withoutRedirections(words: readonly string[]): string[] {
  return words.filter(
    (word, at) => !/^\d?[<>]/.test(word) && !/^\d?(?:<|>|>>|<<)$/.test(words[at - 1] ?? ''),
  )
}
