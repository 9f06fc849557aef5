import { allNodes, type CommandNode, type Values } from '../command-tree.ts'

/** A script for bash 4 or later, which needs nothing of the package bash-completion. */
export function bashCompletion(root: CommandNode): string {
  const nodes = allNodes(root)
  const steps = nodes.slice(1).map(({ path }) => quoted(path.join(' ')))
  const withValues = nodes.flatMap(node =>
    node.options
      .filter(({ takes }) => takes !== undefined)
      .flatMap(({ flags, values }) =>
        flags.map(flag => ({ at: [...node.path, flag].join(' '), values })),
      ),
  )
  return `# bash completion of mailcanary; made by: mailcanary completion bash
_mailcanary() {
  local word=\${COMP_WORDS[COMP_CWORD]} at='' next i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${at:+$at }\${COMP_WORDS[i]}"
    case $next in
      ${steps.join(' | ')}) at=$next ;;
      ${withValues.map(({ at }) => quoted(at)).join(' | ')})
        # The word after it is its value, and no command.
        if ((++i == COMP_CWORD)); then
          case $next in
${withValues.map(({ at, values }) => `            ${quoted(at)}) ${offer(values)} ;;`).join('\n')}
          esac
          return
        fi
        ;;
    esac
  done
  if [[ $word == -* ]]; then
    case $at in
${nodes.map(node => `      ${quoted(node.path.join(' '))}) ${offer(flagsOf(node))} ;;`).join('\n')}
    esac
    return
  fi
  case $at in
${nodes.map(node => `    ${quoted(node.path.join(' '))}) ${offer(wordsOf(node))} ;;`).join('\n')}
  esac
}
complete -F _mailcanary mailcanary
`
}

function flagsOf({ options }: CommandNode): readonly string[] {
  return [...options.flatMap(({ flags }) => flags), '-h', '--help']
}

function wordsOf({ below, parameters }: CommandNode): Values {
  const names = below.map(({ path }) => path.at(-1) ?? '')
  const [first] = parameters
  if (names.length === 0 && first !== undefined) return first.values
  return names
}

function offer(values: Values): string {
  if (values === 'anything') return ':'
  if (values === 'file') {
    return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word")'
  }
  if (values === 'folder') {
    return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word")'
  }
  if (values.length === 0) return ':'
  return `mapfile -t COMPREPLY < <(compgen -W ${quoted(values.join(' '))} -- "$word")`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
