import {
  allNodes,
  type CommandNode,
  type OptionNode,
  type ParameterNode,
  type Values,
} from '../command-tree.ts'

/** A script for zsh, to be put where `$fpath` leads as `_mailcanary`, or to be evaluated. */
export function zshCompletion(root: CommandNode): string {
  return `#compdef mailcanary
# zsh completion of mailcanary; made by: mailcanary completion zsh

${allNodes(root).map(functionOf).join('\n')}
if [ "$funcstack[1]" = _mailcanary ]; then
  _mailcanary "$@"
else
  compdef _mailcanary mailcanary
fi
`
}

function functionOf(node: CommandNode): string {
  const specs = [...node.options.flatMap(optionSpecs), `'(-h --help)'{-h,--help}'[show help]'`]
  if (node.below.length === 0) {
    const all = [...specs, ...node.parameters.map(parameterSpec)]
    return `${nameOf(node.path)}() {
  _arguments -s \\
    ${all.join(' \\\n    ')}
}
`
  }
  const names = node.below.map(({ path, description }) =>
    quoted(`${path.at(-1)}:${description.replaceAll(':', String.raw`\:`)}`),
  )
  return `${nameOf(node.path)}() {
  local -a commands
  local state line curcontext=$curcontext
  commands=(
    ${names.join('\n    ')}
  )
  _arguments -C -s \\
    ${[...specs, "'1: :->command'", "'*:: :->rest'"].join(' \\\n    ')}
  case $state in
    command) _describe -t commands command commands ;;
    rest)
      case $words[1] in
${node.below.map(({ path }) => `        ${path.at(-1)}) ${nameOf(path)} ;;`).join('\n')}
      esac
      ;;
  esac
}
`
}

function nameOf(path: readonly string[]): string {
  return ['_mailcanary', ...path].join('_')
}

function optionSpecs({ flags, description, takes, values, isMany }: OptionNode): readonly string[] {
  const value = takes === undefined ? '' : `:${takes}:${actionOf(values)}`
  return flags.map(flag => quoted(`${isMany ? '*' : ''}${flag}[${escaped(description)}]${value}`))
}

function parameterSpec({ name, values, isMany }: ParameterNode, index: number): string {
  return quoted(`${isMany ? '*' : index + 1}:${name}:${actionOf(values)}`)
}

function actionOf(values: Values): string {
  if (values === 'file') return '_files'
  if (values === 'folder') return '_files -/'
  return values === 'anything' ? '' : `(${values.join(' ')})`
}

function escaped(text: string): string {
  return text.replaceAll(/[\\[\]:]/g, String.raw`\$&`)
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
