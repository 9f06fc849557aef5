import { allNodes, type CommandNode, type Values } from '../command-tree.ts'

/** Lines for fish 3 or later. */
export function fishCompletion(root: CommandNode): string {
  return `# fish completion of mailcanary; made by: mailcanary completion fish

# Whether the words so far lead to this command: options and their values are passed over by name alone.
function __mailcanary_at
    set -l words (commandline -opc)[2..]
    set -l path
    for word in $words
        string match -q -- '-*' $word; or set -a path $word
    end
    test (count $path) -ge (count $argv); or return 1
    for i in (seq (count $argv))
        test $path[$i] = $argv[$i]; or return 1
    end
end

complete -c mailcanary -f
complete -c mailcanary -s h -l help -d 'show help'
${allNodes(root).flatMap(linesOf).join('\n')}
`
}

function linesOf(node: CommandNode): readonly string[] {
  const { path, below, options, parameters } = node
  const here = ['__mailcanary_at', ...path].join(' ')
  const names = below.map(({ path }) => path.at(-1) ?? '')
  // Of these the next word has not been said yet.
  const undecided =
    names.length === 0 ? here : `${here}; and not __fish_seen_subcommand_from ${names.join(' ')}`
  const start = `complete -c mailcanary -n ${quoted(undecided)}`
  const [first] = parameters
  return [
    ...below.map(child => `${start} -a ${child.path.at(-1) ?? ''} -d ${quoted(child.description)}`),
    ...options.map(({ flags, takes, values, description }) => {
      const words = flags.map(flag =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      )
      const value = takes === undefined ? '' : ` -r${offer(values)}`
      return `${start} ${words.join(' ')}${value} -d ${quoted(description)}`
    }),
    ...(first === undefined || offer(first.values) === ''
      ? []
      : [`${start}${offer(first.values)}`]),
  ]
}

function offer(values: Values): string {
  if (values === 'anything') return ''
  if (values === 'file') return ' -F'
  if (values === 'folder') return " -a '(__fish_complete_directories)'"
  return ` -a ${quoted(values.join(' '))}`
}

function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`
}
