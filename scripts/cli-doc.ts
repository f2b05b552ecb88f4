// docs/cli.md: the command line, from the tables that its parser and --help are made of.

import type { Command } from '../src/cli/command.ts'
import { allCommands } from '../src/cli/commands.ts'
import { optionInWords, usageLine } from '../src/cli/help.ts'

/** The page it writes. */
export const page = 'docs/cli.md'

/** The whole page. */
export default async function cli(): Promise<string> {
  const commands = await allCommands()

  return `# The command line

Written by \`npm run docs\` from \`src/cli/\`. In a project that has installed the package: \`npx trunkline <command>\`. In a clone of
this repository, without building it: \`npm run -s trunkline -- <command>\`.

| command | what it does |
| --- | --- |
${commands.map(({ name, summary }) => `| [\`${name}\`](#${name}) | ${cell(summary)} |`).join('\n')}

\`trunkline help <command>\` and \`trunkline <command> --help\` say what is written here; \`trunkline --version\` prints the version.
A module is a path, a folder with a main file, or the name of a package; TypeScript runs as it is, as far as Node removes types.
Colours are left out with \`NO_COLOR\`; stacks of errors are printed with \`--debug\` only.

## Exit codes

| code | meaning |
| ---: | --- |
| 0 | done |
| 1 | failed: the call (its status code is on stderr), the module, its contract, or its lock |
| 2 | the command line is wrong |
| 3 | the server cannot be reached |
| 130, 143 | ended by a second SIGINT or SIGTERM before everything was drained; \`call\`: by the first SIGINT |

${commands.map(section).join('\n\n')}
`
}

function section(command: Command): string {
  const { name, summary, more = [], arguments: taken, options, examples } = command

  return [
    `## ${name}`,
    [summary, ...more].join('\n\n'),
    `\`${usageLine(command)}\``,
    table(
      ['argument', ''],
      taken.map((each) => [`\`${each.name}\`${each.optional === true ? ' (optional)' : ''}`, each.doc]),
    ),
    table(
      ['option', ''],
      Object.entries(options).map(([option, described]) => [
        `\`${optionInWords(option, described)}\``,
        `${described.doc}${described.default === undefined ? '' : ` Default: ${described.default}.`}${
          described.multiple === true ? ' Several are possible.' : ''
        }`,
      ]),
    ),
    ['```sh', ...examples.flatMap(({ line, doc }) => [`# ${doc}`, line]), '```'].join('\n'),
  ].join('\n\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), `|${head.map(() => ' --- |').join('')}`, ...rows.map(line)].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
